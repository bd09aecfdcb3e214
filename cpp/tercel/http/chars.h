// The character classes of HTTP and the small string questions its parsers share.
//
// For tercel/http, and for edge, which reads values of fields. Source: RFC 9110 section 5.6.2
// (token), RFC 3986 section 2. Tested by chars_test.cc.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace tercel::http {

constexpr bool is_digit(char c) noexcept {
  return c >= '0' && c <= '9';
}
constexpr bool is_upper(char c) noexcept {
  return c >= 'A' && c <= 'Z';
}
constexpr bool is_lower(char c) noexcept {
  return c >= 'a' && c <= 'z';
}
constexpr char to_lower(char c) noexcept {
  return is_upper(c) ? static_cast<char>(c | 0x20) : c;
}
// OWS and BWS are made of these two: RFC 9110 section 5.6.3.
constexpr bool is_blank(char c) noexcept {
  return c == ' ' || c == '\t';
}

// A set of bytes, as a table.
class CharSet {
 public:
  consteval explicit CharSet(std::string_view others, bool letters_and_digits = false) {
    for (char c : others) member_[static_cast<unsigned char>(c)] = true;
    for (std::size_t i = 0; letters_and_digits && i < 128; ++i) {
      const char c = static_cast<char>(i);
      if (is_digit(c) || is_upper(c) || is_lower(c)) member_[i] = true;
    }
  }
  constexpr bool has(char c) const noexcept { return member_[static_cast<unsigned char>(c)]; }

 private:
  std::array<bool, 256> member_{};
};

inline constexpr CharSet kToken{"!#$%&'*+-.^_`|~", true};
// reg-name without its percent-encoded bytes: unreserved and sub-delims of RFC 3986.
inline constexpr CharSet kRegName{"-._~!$&'()*+,;=", true};

constexpr bool is_token(std::string_view text) noexcept {
  for (char c : text) {
    if (!kToken.has(c)) return false;
  }
  return !text.empty();
}

// REQUIRES: `lower` has no upper-case letter.
constexpr bool equals_ignoring_case(std::string_view text, std::string_view lower) noexcept {
  if (text.size() != lower.size()) return false;
  if (text == lower) return true;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (to_lower(text[i]) != lower[i]) return false;
  }
  return true;
}

constexpr std::string_view trim_blanks(std::string_view text) noexcept {
  while (!text.empty() && is_blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_blank(text.back())) text.remove_suffix(1);
  return text;
}

// Cuts `text` at the first `separator`: returns what is before it, leaves in `text` what is behind.
// For lists without quoted strings: Connection, Expect, TE.
constexpr std::string_view next_element(std::string_view& text, char separator = ',') noexcept {
  const std::size_t cut = text.find(separator);
  const std::string_view element = text.substr(0, cut);
  text = cut == std::string_view::npos ? std::string_view{} : text.substr(cut + 1);
  return trim_blanks(element);
}

}  // namespace tercel::http
