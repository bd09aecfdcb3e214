#include "tercel/route/segments.h"

#include <bit>
#include <cstring>

#include "tercel/base/assert.h"
#include "tercel/base/percent.h"

namespace tercel::route {
namespace {

constexpr std::uint64_t kOnes = 0x0101010101010101;
constexpr std::uint64_t kHighBits = kOnes * 0x80;
constexpr std::size_t kWordBytes = sizeof(std::uint64_t);

template <typename Word>
Word load(const char* from) noexcept {
  Word word;
  std::memcpy(&word, from, sizeof word);
  return word;
}

// The first byte in memory becomes the lowest.
constexpr std::uint64_t in_order(std::uint64_t word) noexcept {
  if constexpr (std::endian::native == std::endian::little) return word;
  return __builtin_bswap64(word);
}

// The high bit of each byte that is `c`. Source: Warren, "Hacker's Delight", section 6-1: no carry
// leaves a byte, so that every one is right.
constexpr std::uint64_t bytes_equal(std::uint64_t word, char c) noexcept {
  const std::uint64_t zero_where = word ^ (kOnes * static_cast<unsigned char>(c));
  return ~(((zero_where & ~kHighBits) + ~kHighBits) | zero_where | ~kHighBits);
}

// The `bytes` < 8 that end `text`, then zeros.
std::uint64_t load_tail(std::string_view text, std::size_t bytes) noexcept {
  if (bytes == 0) return 0;
  if (text.size() >= kWordBytes) {
    const char* const last = text.data() + text.size() - kWordBytes;
    return in_order(load<std::uint64_t>(last)) >> (8 * (kWordBytes - bytes));
  }
  std::uint64_t word = 0;
  for (std::size_t i = 0; i < bytes; ++i) {
    word |= std::uint64_t{static_cast<unsigned char>(text[text.size() - bytes + i])} << (8 * i);
  }
  return word;
}

// A shift by whole bytes would let two overlapping words undo each other's bits.
constexpr std::uint64_t mix(std::uint64_t hash, std::uint64_t word) noexcept {
  hash = (hash ^ word) * 0x9E3779B97F4A7C15;
  return hash ^ (hash >> 29);
}

}  // namespace

std::uint64_t hash_of(std::string_view text) noexcept {
  const char* const at = text.data();
  const std::size_t size = text.size();
  std::uint64_t hash = mix(0, size);
  if (size >= kWordBytes) {
    for (std::size_t i = 0; i + kWordBytes < size; i += kWordBytes) {
      hash = mix(hash, load<std::uint64_t>(at + i));
    }
    return mix(hash, load<std::uint64_t>(at + size - kWordBytes));
  }
  if (size >= 4) {
    const std::uint64_t high = load<std::uint32_t>(at);
    return mix(hash, high << 32 | load<std::uint32_t>(at + size - 4));
  }
  for (std::size_t i = 0; i < size; ++i) hash = mix(hash, static_cast<unsigned char>(at[i]));
  return hash;
}

Segments::Segments(std::string_view path, std::span<char> decoded, std::size_t most) noexcept
    : path_{path}, decoded_{decoded} {
  TERCEL_ASSERT(path.starts_with('/') && decoded.size() >= path.size());
  TERCEL_ASSERT(most <= kSegmentsMax + 1);
  std::uint64_t encoded = 0;
  std::size_t begin = 1;
  for (std::size_t at = 1; at < path.size() && size_ < most; at += kWordBytes) {
    const std::size_t left = path.size() - at;
    const std::uint64_t word = left >= kWordBytes ? in_order(load<std::uint64_t>(path.data() + at))
                                                  : load_tail(path, left);
    encoded |= bytes_equal(word, '%');
    std::uint64_t slashes = bytes_equal(word, '/');
    for (; slashes != 0 && size_ < most; slashes &= slashes - 1) {
      const std::size_t slash = at + static_cast<std::size_t>(std::countr_zero(slashes)) / 8;
      add(begin, slash);
      begin = slash + 1;
    }
  }
  if (size_ < most) add(begin, path.size());
  if (encoded == 0) return;
  for (std::size_t i = 0; i < size_; ++i) {
    const std::string_view plain = decode(text(i), pieces_[i].offset);
    pieces_[i].text = plain.data();
    pieces_[i].bytes = static_cast<std::uint32_t>(plain.size());
  }
}

std::string_view Segments::decode(std::string_view text, std::size_t offset) noexcept {
  if (text.find('%') == std::string_view::npos) return text;
  return percent_decode(text, decoded_.subspan(offset, text.size()));
}

std::string_view Segments::rest(std::size_t i) noexcept {
  return decode(path_.substr(offset(i)), offset(i));
}

}  // namespace tercel::route
