// The line that separates the parts of a multipart body, and the search for it.
//
// A value. Only the first byte of a delimiter is CR, so it cannot begin again within itself: a
// search never goes back, and whatever bytes it meets it is linear. Cost: two loads and three
// comparisons for 16 bytes, where neither byte that is looked for stands in its place.
// Source: RFC 2046 section 5.1.1. Tested by delimiter_test.cc.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace tercel::http {

inline constexpr std::size_t kBoundaryBytesMax = 70;

// 1 to 70 bytes of RFC 2046's bchars, the last of which is no space.
[[nodiscard]] bool valid_boundary(std::string_view boundary) noexcept;

class Delimiter {
 public:
  // REQUIRES: valid_boundary().
  explicit Delimiter(std::string_view boundary) noexcept;

  // CR LF "--" boundary.
  [[nodiscard]] std::string_view text() const noexcept { return {text_.data(), bytes_}; }

  // How many bytes of `data` are before the first delimiter in it, or before its end, if that is
  // the beginning of one; all of them, if there is neither.
  [[nodiscard]] std::size_t find(std::string_view data) const noexcept;

 private:
  [[nodiscard]] const char* find_whole(const char* at, const char* end) const noexcept;

  std::array<char, 4 + kBoundaryBytesMax> text_;
  std::uint8_t bytes_ = 0;
};

}  // namespace tercel::http
