// Finds the first byte of a class, 16 bytes a step: SSE2 on x86-64, NEON on AArch64, and a scalar
// form that is the definition of the others.
//
//   struct StringEnd {  // A class says which bytes stop a scan, once for each engine.
//     static constexpr bool stops(std::uint8_t c) noexcept { return c == '"' || c == '\\'; }
//   #ifdef TERCEL_SCAN_BLOCKS
//     static Block stops(Block b) noexcept { return b.is('"') | b.is('\\'); }
//   #endif
//   };
//   const char* quote = find<StringEnd>(at, end);
//
// No byte outside of [at, end) is read. The classes of a layer are its own, and its test compares
// the engines on them. Tested by http/scan_test.cc, json/scan_test.cc.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>

#if defined(__SSE2__)
#include <emmintrin.h>
#elif defined(__aarch64__)
#include <arm_neon.h>
#endif

namespace tercel::scan {

// One engine: 16 bytes, and the comparisons that classes are written in. Each returns
// a block whose bytes are 0xff where the answer is yes.
#if defined(__SSE2__)
struct Block {
  __m128i bytes;

  static Block load(const char* at) noexcept {
    return {_mm_loadu_si128(reinterpret_cast<const __m128i*>(at))};
  }
  static Block of_words(std::uint64_t first, std::uint64_t second) noexcept {
    return {_mm_set_epi64x(static_cast<std::int64_t>(second), static_cast<std::int64_t>(first))};
  }
  void store(char* at) const noexcept { _mm_storeu_si128(reinterpret_cast<__m128i*>(at), bytes); }
  static Block fill(std::uint8_t byte) noexcept { return {_mm_set1_epi8(static_cast<char>(byte))}; }
  Block is(std::uint8_t byte) const noexcept { return {_mm_cmpeq_epi8(bytes, fill(byte).bytes)}; }
  // SSE2 compares signed bytes only: shifts the range to the highest of them. REQUIRES: at most 255
  // bytes are in the range.
  Block within(std::uint8_t low, std::uint8_t high) const noexcept {
    const Block shifted{_mm_add_epi8(bytes, fill(static_cast<std::uint8_t>(0x7f - high)).bytes)};
    const auto below = static_cast<std::uint8_t>(0x7f - (high - low) - 1);
    return {_mm_cmpgt_epi8(shifted.bytes, fill(below).bytes)};
  }
  friend Block operator|(Block a, Block b) noexcept { return {_mm_or_si128(a.bytes, b.bytes)}; }
  friend Block operator&(Block a, Block b) noexcept { return {_mm_and_si128(a.bytes, b.bytes)}; }
  Block without(Block b) const noexcept { return {_mm_andnot_si128(b.bytes, bytes)}; }
  // The bytes that are 0xff: kMaskBits a byte, the first byte lowest.
  std::uint64_t mask() const noexcept {
    return static_cast<std::uint64_t>(_mm_movemask_epi8(bytes));
  }
  static constexpr std::size_t kMaskBits = 1;
};
#define TERCEL_SCAN_BLOCKS 1
#elif defined(__aarch64__)
struct Block {
  uint8x16_t bytes;

  static Block load(const char* at) noexcept {
    return {vld1q_u8(reinterpret_cast<const std::uint8_t*>(at))};
  }
  static Block of_words(std::uint64_t first, std::uint64_t second) noexcept {
    return {vcombine_u8(vcreate_u8(first), vcreate_u8(second))};
  }
  void store(char* at) const noexcept { vst1q_u8(reinterpret_cast<std::uint8_t*>(at), bytes); }
  static Block fill(std::uint8_t byte) noexcept { return {vdupq_n_u8(byte)}; }
  Block is(std::uint8_t byte) const noexcept { return {vceqq_u8(bytes, vdupq_n_u8(byte))}; }
  Block within(std::uint8_t low, std::uint8_t high) const noexcept {
    const uint8x16_t shifted = vsubq_u8(bytes, vdupq_n_u8(low));
    return {vcleq_u8(shifted, vdupq_n_u8(static_cast<std::uint8_t>(high - low)))};
  }
  friend Block operator|(Block a, Block b) noexcept { return {vorrq_u8(a.bytes, b.bytes)}; }
  friend Block operator&(Block a, Block b) noexcept { return {vandq_u8(a.bytes, b.bytes)}; }
  Block without(Block b) const noexcept { return {vbicq_u8(bytes, b.bytes)}; }
  // AArch64 has no movemask; narrowing by a shift is its idiom.
  std::uint64_t mask() const noexcept {
    const uint8x8_t narrow = vshrn_n_u16(vreinterpretq_u16_u8(bytes), 4);
    return vget_lane_u64(vreinterpret_u64_u8(narrow), 0);
  }
  static constexpr std::size_t kMaskBits = 4;
};
#define TERCEL_SCAN_BLOCKS 1
#endif

// The first byte of [at, end) that stops `Class`; `end` when there is none.
template <typename Class>
const char* find_scalar(const char* at, const char* end) noexcept {
  while (at != end && !Class::stops(static_cast<std::uint8_t>(*at))) ++at;
  return at;
}

#ifdef TERCEL_SCAN_BLOCKS
inline std::size_t first_of(std::uint64_t mask) noexcept {
  return static_cast<std::size_t>(__builtin_ctzll(mask)) / Block::kMaskBits;
}

template <typename Word>
std::uint64_t load_word(const char* at) noexcept {
  Word word{};
  std::memcpy(&word, at, sizeof word);
  return word;
}

// find() for 4 to 15 bytes: two words of them, which may overlap. What the words leave of the block
// is never looked at.
template <typename Class>
std::size_t find_in_two_words(const char* at, std::size_t size) noexcept {
  const std::size_t half = size >= 8 ? 8 : 4;
  const Block block =
      half == 8
          ? Block::of_words(load_word<std::uint64_t>(at),
                            load_word<std::uint64_t>(at + size - half))
          : Block::of_words(
                load_word<std::uint32_t>(at) | load_word<std::uint32_t>(at + size - half) << 32, 0);
  const std::uint64_t mask = Class::stops(block).mask();
  const std::size_t first = mask == 0 ? 16 : first_of(mask);
  return first < half ? first : std::min(first - half, half) + size - half;
}
#endif

// Inlined by force: a call for each name and value would cost as much as the scan.
template <typename Class>
[[gnu::always_inline]] inline const char* find(const char* at, const char* end) noexcept {
#ifdef TERCEL_SCAN_BLOCKS
  for (const char* const last = at + ((end - at) & ~15); at != last; at += 16) {
    const std::uint64_t mask = Class::stops(Block::load(at)).mask();
    if (mask != 0) return at + first_of(mask);
  }
  const auto size = static_cast<std::size_t>(end - at);
  if (size >= 4) return at + find_in_two_words<Class>(at, size);
#endif
  return find_scalar<Class>(at, end);
}

}  // namespace tercel::scan
