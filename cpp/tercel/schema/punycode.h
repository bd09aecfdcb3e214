// Labels of host names as characters, and as the ASCII that stands for them.
//
// Internal to tercel/schema. Source: RFC 3492. Tested by format_test.cc and by the official suite.
#pragma once

#include <array>
#include <cstddef>
#include <optional>
#include <string_view>

namespace tercel::schema {

inline constexpr std::size_t kLabelBytesMax = 63;

// A label as its characters. None has more of them than its ASCII has bytes.
struct Label {
  std::array<char32_t, kLabelBytesMax + 1> points;
  std::size_t size = 0;
};

// A label as ASCII, without "xn--".
struct EncodedLabel {
  std::array<char, kLabelBytesMax + 1> bytes;
  std::size_t size = 0;

  [[nodiscard]] std::string_view text() const noexcept { return {bytes.data(), size}; }
};

// `text` is what follows "xn--". Nothing: it is malformed, or too long.
[[nodiscard]] std::optional<Label> decode_punycode(std::string_view text) noexcept;
// Nothing: it is longer than a label may be.
[[nodiscard]] std::optional<EncodedLabel> encode_punycode(const Label& label) noexcept;

}  // namespace tercel::schema
