// Internationalised labels of host names: what may be in one, and where.
//
// Internal to tercel/schema. IDNA 2008, as a name is registered: no mapping of upper case or of
// compatible forms comes before. That a label is in normal form C is not checked.
// Source: RFC 5890 to 5893.
// Tested by the official suite.
#pragma once

#include <string_view>

namespace tercel::schema {

// True when the label, which begins with "xn--", stands for a valid one that is not ASCII alone.
[[nodiscard]] bool is_valid_a_label(std::string_view label) noexcept;

// As a mail address asks: labels of any characters that are not ASCII, beside those of a hostname.
[[nodiscard]] bool is_lenient_idn_hostname(std::string_view text) noexcept;

}  // namespace tercel::schema
