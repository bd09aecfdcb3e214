#include "tercel/base/utf8.h"

#include <array>
#include <cstddef>
#include <cstring>

namespace tercel {
namespace {

constexpr std::uint64_t kHighBits = 0x8080808080808080;

// The first byte from `at` on that is not ASCII.
const char* skip_ascii(const char* at, const char* end) noexcept {
  // Four words at a time: compilers make one or two vector instructions of them.
  while (end - at >= 32) {
    std::array<std::uint64_t, 4> words;
    std::memcpy(words.data(), at, sizeof words);
    if (((words[0] | words[1] | words[2] | words[3]) & kHighBits) != 0) break;
    at += 32;
  }
  while (end - at >= 8) {
    std::uint64_t word = 0;
    std::memcpy(&word, at, sizeof word);
    if ((word & kHighBits) != 0) break;
    at += 8;
  }
  while (at != end && static_cast<std::uint8_t>(*at) < 0x80) ++at;
  return at;
}

}  // namespace

bool Utf8Validator::begin(std::uint8_t byte) noexcept {
  low_ = 0x80;
  high_ = 0xBF;
  // A continuation byte, an overlong form, or above U+10FFFF.
  if (byte < 0xC2 || byte > 0xF4) return false;
  if (byte < 0xE0) {
    missing_ = 1;
  } else if (byte < 0xF0) {
    missing_ = 2;
    if (byte == 0xE0) low_ = 0xA0;   // Below: overlong.
    if (byte == 0xED) high_ = 0x9F;  // Above: surrogates.
  } else {
    missing_ = 3;
    if (byte == 0xF0) low_ = 0x90;   // Below: overlong.
    if (byte == 0xF4) high_ = 0x8F;  // Above: beyond U+10FFFF.
  }
  return true;
}

bool Utf8Validator::feed(std::string_view part) noexcept {
  const char* at = part.data();
  const char* const end = at + part.size();
  while (at != end) {
    if (missing_ == 0) {
      at = skip_ascii(at, end);
      if (at == end) return true;
      if (!begin(static_cast<std::uint8_t>(*at++))) return false;
      continue;
    }
    const auto byte = static_cast<std::uint8_t>(*at++);
    if (byte < low_ || byte > high_) return false;
    low_ = 0x80;
    high_ = 0xBF;
    --missing_;
  }
  return true;
}

}  // namespace tercel
