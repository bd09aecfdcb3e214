// Small questions about ASCII, for the checks of formats.
//
// Internal to tercel/schema.
#pragma once

#include <algorithm>
#include <cstddef>
#include <string_view>

namespace tercel::schema {

constexpr bool is_digit(char c) noexcept {
  return c >= '0' && c <= '9';
}
constexpr bool is_alpha(char c) noexcept {
  const char folded = static_cast<char>(c | 0x20);
  return folded >= 'a' && folded <= 'z';
}
constexpr bool is_alphanumeric(char c) noexcept {
  return is_digit(c) || is_alpha(c);
}
constexpr bool is_hex(char c) noexcept {
  const char folded = static_cast<char>(c | 0x20);
  return is_digit(c) || (folded >= 'a' && folded <= 'f');
}
constexpr bool is_ascii(char c) noexcept {
  return static_cast<unsigned char>(c) < 0x80;
}
constexpr bool is_one_of(char c, std::string_view set) noexcept {
  return set.find(c) != std::string_view::npos;
}
inline bool all_digits(std::string_view text) noexcept {
  return std::all_of(text.begin(), text.end(), is_digit);
}

// Each takes what it returns off the beginning of `text`.
inline std::string_view take(std::string_view& text, std::size_t size) noexcept {
  const std::string_view part = text.substr(0, size);
  text.remove_prefix(part.size());
  return part;
}
inline std::string_view take_digits(std::string_view& text) noexcept {
  return take(text, static_cast<std::size_t>(std::find_if_not(text.begin(), text.end(), is_digit) -
                                             text.begin()));
}
inline bool take_char(std::string_view& text, char c) noexcept {
  return text.starts_with(c) && !take(text, 1).empty();
}
// The number that the next `digits` bytes are, which are taken; -1: they are none.
constexpr int kNoNumber = -1;
inline int take_number(std::string_view& text, std::size_t digits) noexcept {
  const std::string_view part = take(text, digits);
  if (part.size() != digits || !all_digits(part)) return kNoNumber;
  int number = 0;
  for (const char c : part) number = number * 10 + (c - '0');
  return number;
}
// %41
inline bool take_escape(std::string_view& text) noexcept {
  if (text.size() < 3 || text[0] != '%' || !is_hex(text[1]) || !is_hex(text[2])) return false;
  text.remove_prefix(3);
  return true;
}

}  // namespace tercel::schema
