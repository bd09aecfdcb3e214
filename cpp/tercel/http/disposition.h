// Content-Disposition of a response: a file to be saved, and under which name.
//
//   attachment("report.pdf")    // attachment; filename="report.pdf"
//   attachment("Übersicht.pdf") // attachment; filename="_bersicht.pdf"; filename*=UTF-8''%C3%9C...
//
// `filename*` is for every client of today. `filename` beside it is for the others: what is not
// ASCII, a quote, a backslash or a percent sign, over which they disagree, becomes an underscore.
// Folders before the name are left out, and control characters become underscores in both: a name
// that came from somebody else neither ends the field nor names another folder.
// Source: RFC 6266, RFC 8187. Tested by disposition_test.cc.
#pragma once

#include <string>
#include <string_view>

namespace tercel::http {

// `filename`: UTF-8; bytes that are none are sent as they are, encoded. Empty: without a name.
[[nodiscard]] std::string attachment(std::string_view filename);

}  // namespace tercel::http
