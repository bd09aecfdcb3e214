#include "tercel/base/base64.h"

namespace tercel {
namespace {

constexpr std::string_view kAlphabet =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

}  // namespace

std::string_view base64_encode(std::span<const std::uint8_t> bytes, char* out) noexcept {
  char* to = out;
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    const std::size_t here = bytes.size() - i;
    const std::uint32_t group = std::uint32_t{bytes[i]} << 16 |
                                (here > 1 ? std::uint32_t{bytes[i + 1]} << 8 : 0U) |
                                (here > 2 ? std::uint32_t{bytes[i + 2]} : 0U);
    *to++ = kAlphabet[group >> 18];
    *to++ = kAlphabet[group >> 12 & 63];
    *to++ = here > 1 ? kAlphabet[group >> 6 & 63] : '=';
    *to++ = here > 2 ? kAlphabet[group & 63] : '=';
  }
  return {out, to};
}

std::optional<std::size_t> base64_decoded_bytes(std::string_view text) noexcept {
  if (text.size() % 4 != 0) return std::nullopt;
  std::size_t padding = 0;
  while (padding < 2 && text.ends_with('=')) {
    text.remove_suffix(1);
    ++padding;
  }
  if (text.find_first_not_of(kAlphabet) != std::string_view::npos) return std::nullopt;
  if (padding > 0) {
    const std::size_t last = kAlphabet.find(text.back());
    const std::size_t unused = padding == 1 ? 3 : 15;
    if ((last & unused) != 0) return std::nullopt;
  }
  return (text.size() + padding) / 4 * 3 - padding;
}

}  // namespace tercel
