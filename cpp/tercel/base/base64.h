// Base64 with padding, as protocols have it in header fields.
//
// Values; nothing is allocated. Source: RFC 4648 section 4. Tested by base64_test.cc.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

namespace tercel {

// Characters that `bytes` bytes become.
constexpr std::size_t base64_chars(std::size_t bytes) noexcept {
  return (bytes + 2) / 3 * 4;
}

// Writes the encoded `bytes` to `out`, and returns them. REQUIRES: room for base64_chars().
std::string_view base64_encode(std::span<const std::uint8_t> bytes, char* out) noexcept;

// How many bytes `text` stands for. Nothing when it is no Base64 at all: another character, padding
// that is missing or in the middle, bits behind the last byte that are not zero.
[[nodiscard]] std::optional<std::size_t> base64_decoded_bytes(std::string_view text) noexcept;

}  // namespace tercel
