// Reads a date and a time: as RFC 3339 has them, or by a format.
//
// A format is that of strptime() with these directives, each of a fixed number of digits:
// %Y (4), %m %d %H %M %S (2), %f (1 to 6, a fraction of a second), %z ("Z", "+hh:mm" or "+hhmm"),
// %%. Every other byte stands for itself. Without allocation, without locale. Source: RFC 3339
// section 5.6. Tested by convert_time_test.cc.
#pragma once

#include <optional>
#include <string_view>

#include "tercel/route/value.h"

namespace tercel::route {

// YYYY-MM-DD, a day that there is.
[[nodiscard]] std::optional<Date> parse_date(std::string_view text) noexcept;

// 2026-11-26T15:30:00Z, with 'T' and 'Z' in upper case, perhaps a fraction of up to six digits,
// and "Z" or an offset.
[[nodiscard]] std::optional<DateTime> parse_rfc3339(std::string_view text) noexcept;

// REQUIRES: valid_time_format(format).
[[nodiscard]] std::optional<DateTime> parse_time(std::string_view text,
                                                 std::string_view format) noexcept;

// The format knows its directives, names none twice, and names a whole date.
[[nodiscard]] bool valid_time_format(std::string_view format) noexcept;

}  // namespace tercel::route
