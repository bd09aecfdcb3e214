// Sets of characters as RE2 writes them: classes of ECMA-262, and properties of Unicode.
//
// Internal to tercel/schema. `in_class`: what is returned stands between brackets that are there
// already. Source: ECMA-262 section 22.2.2.9; Unicode, UAX 44 (names of values). Tested by
// regex_syntax_test.cc.
#pragma once

#include <string>
#include <string_view>

#include "tercel/schema/regex_syntax.h"

namespace tercel::schema {

constexpr char32_t kCodePointMax = 0x10FFFF;

inline constexpr std::string_view kAnyClass = R"([\x{0}-\x{10ffff}])";
inline constexpr std::string_view kNothingClass = R"([^\x{0}-\x{10ffff}])";
inline constexpr std::string_view kDotClass = R"([^\n\r\x{2028}\x{2029}])";

// One character, outside of a class.
[[nodiscard]] std::string literal(char32_t c);
// One character, or those of a range, inside a class.
[[nodiscard]] std::string hex_escape(char32_t c);
[[nodiscard]] std::string range(char32_t low, char32_t high);
// \s, or \S.
[[nodiscard]] std::string space_class(bool inverted, bool in_class);
// What is between the braces of \p{}, or of \P{}; the offset is not set.
[[nodiscard]] Translation property_class(std::string_view name, bool inverted, bool in_class);

// Of ASCII.
[[nodiscard]] inline bool is_digit(char c) noexcept {
  return c >= '0' && c <= '9';
}
[[nodiscard]] inline bool is_letter(char c) noexcept {
  return (c | 0x20) >= 'a' && (c | 0x20) <= 'z';
}
[[nodiscard]] inline bool is_word(char c) noexcept {
  return is_letter(c) || is_digit(c) || c == '_';
}

}  // namespace tercel::schema
