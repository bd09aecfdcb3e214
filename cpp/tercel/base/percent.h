// Percent-encoding: what %XX in a URL stands for.
//
// Source: RFC 3986 section 2.1. Tested by percent_test.cc, fuzzed by url_fuzz.cc.
#pragma once

#include <cstddef>
#include <span>
#include <string_view>

namespace tercel {

// 0 to 15, or -1 when `c` is no hex digit.
constexpr int hex_value(char c) noexcept {
  if (c >= '0' && c <= '9') return c - '0';
  const char lower = static_cast<char>(c | 0x20);
  return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

// Takes one byte off the front of `text`, decoded; a '%' without two hex digits is one. REQUIRES:
// `text` is not empty.
[[nodiscard]] char take_decoded(std::string_view& text) noexcept;

// Decodes %XX of `text` into `out` and returns the view of what was written; a '%' without two hex
// digits stays as it is. `out` may be the memory of `text`. REQUIRES: out.size() >= text.size().
[[nodiscard]] std::string_view percent_decode(std::string_view text, std::span<char> out) noexcept;

// True when every '%' is followed by two hex digits.
[[nodiscard]] bool valid_percent_encoding(std::string_view text) noexcept;

}  // namespace tercel
