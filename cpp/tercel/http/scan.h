// Finds the first byte of a class, 16 bytes a step: SSE2 on x86-64, NEON on AArch64, and a scalar
// form that is the definition of the others.
//
// Internal to tercel/http. A class says which bytes stop a scan, once for each engine; scan_test.cc
// compares the engines on every byte at every position. No byte outside of [at, end) is read.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

#if defined(__SSE2__)
#include <emmintrin.h>
#elif defined(__aarch64__)
#include <arm_neon.h>
#endif

namespace tercel::http::scan {

// One engine: 16 bytes, and the comparisons that the classes below are written in. Each returns
// a block whose bytes are 0xff where the answer is yes.
#if defined(__SSE2__)
struct Block {
  __m128i bytes;

  static Block load(const char* at) noexcept {
    return {_mm_loadu_si128(reinterpret_cast<const __m128i*>(at))};
  }
  void store(char* at) const noexcept { _mm_storeu_si128(reinterpret_cast<__m128i*>(at), bytes); }
  static Block fill(std::uint8_t byte) noexcept { return {_mm_set1_epi8(static_cast<char>(byte))}; }
  Block is(std::uint8_t byte) const noexcept { return {_mm_cmpeq_epi8(bytes, fill(byte).bytes)}; }
  // Unsigned.
  Block at_most(std::uint8_t byte) const noexcept {
    return {_mm_cmpeq_epi8(_mm_min_epu8(bytes, fill(byte).bytes), bytes)};
  }
  Block at_least(std::uint8_t byte) const noexcept {
    return {_mm_cmpeq_epi8(_mm_max_epu8(bytes, fill(byte).bytes), bytes)};
  }
  friend Block operator|(Block a, Block b) noexcept { return {_mm_or_si128(a.bytes, b.bytes)}; }
  friend Block operator&(Block a, Block b) noexcept { return {_mm_and_si128(a.bytes, b.bytes)}; }
  Block without(Block b) const noexcept { return {_mm_andnot_si128(b.bytes, bytes)}; }
  // Index of the first 0xff; 16 when there is none.
  std::size_t first() const noexcept {
    const auto mask = static_cast<unsigned>(_mm_movemask_epi8(bytes));
    return static_cast<std::size_t>(__builtin_ctz(mask | 0x10000u));
  }
};
#define TERCEL_SCAN_BLOCKS 1
#elif defined(__aarch64__)
struct Block {
  uint8x16_t bytes;

  static Block load(const char* at) noexcept {
    return {vld1q_u8(reinterpret_cast<const std::uint8_t*>(at))};
  }
  void store(char* at) const noexcept { vst1q_u8(reinterpret_cast<std::uint8_t*>(at), bytes); }
  static Block fill(std::uint8_t byte) noexcept { return {vdupq_n_u8(byte)}; }
  Block is(std::uint8_t byte) const noexcept { return {vceqq_u8(bytes, vdupq_n_u8(byte))}; }
  Block at_most(std::uint8_t byte) const noexcept { return {vcleq_u8(bytes, vdupq_n_u8(byte))}; }
  Block at_least(std::uint8_t byte) const noexcept { return {vcgeq_u8(bytes, vdupq_n_u8(byte))}; }
  friend Block operator|(Block a, Block b) noexcept { return {vorrq_u8(a.bytes, b.bytes)}; }
  friend Block operator&(Block a, Block b) noexcept { return {vandq_u8(a.bytes, b.bytes)}; }
  Block without(Block b) const noexcept { return {vbicq_u8(bytes, b.bytes)}; }
  // Four bits a byte: AArch64 has no movemask, narrowing by a shift is its idiom.
  std::size_t first() const noexcept {
    const uint8x8_t narrow = vshrn_n_u16(vreinterpretq_u16_u8(bytes), 4);
    const std::uint64_t mask = vget_lane_u64(vreinterpret_u64_u8(narrow), 0);
    return mask == 0 ? 16 : static_cast<std::size_t>(__builtin_ctzll(mask)) / 4;
  }
};
#define TERCEL_SCAN_BLOCKS 1
#endif

// What ends a field value: any control byte but HTAB. Source: RFC 9110 section 5.5.
struct ValueEnd {
  static constexpr bool stops(std::uint8_t c) noexcept {
    return (c < 0x20 && c != '\t') || c == 0x7f;
  }
#ifdef TERCEL_SCAN_BLOCKS
  static Block stops(Block b) noexcept {
    return b.at_most(0x1f).without(b.is('\t')) | b.is(0x7f);
  }
#endif
};

// What needs a look in a request target: its end, bytes that are none of a URI's, a query, an
// escape. Source: RFC 3986 section 2; RFC 9112 section 3.2 (no fragment).
struct TargetMark {
  static constexpr bool stops(std::uint8_t c) noexcept {
    return c <= 0x20 || c >= 0x7f || c == '#' || c == '%' || c == '?' || c == '\\';
  }
#ifdef TERCEL_SCAN_BLOCKS
  static Block stops(Block b) noexcept {
    return b.at_most(0x20) | b.at_least(0x7f) | b.is('#') | b.is('%') | b.is('?') | b.is('\\');
  }
#endif
};

// What is not a letter, a digit or '-': nearly always the colon behind a field name.
struct NameEnd {
  static constexpr bool stops(std::uint8_t c) noexcept {
    const std::uint8_t folded = c | 0x20;
    return (folded < 'a' || folded > 'z') && (c < '0' || c > '9') && c != '-';
  }
#ifdef TERCEL_SCAN_BLOCKS
  static Block stops(Block b) noexcept {
    const Block folded = b | Block::fill(0x20);
    const Block letter = folded.at_least('a') & folded.at_most('z');
    const Block digit = b.at_least('0') & b.at_most('9');
    return Block::fill(0xff).without(letter | digit | b.is('-'));
  }
#endif
};

// The first byte of [at, end) that stops `Class`; `end` when there is none.
template <typename Class>
const char* find_scalar(const char* at, const char* end) noexcept {
  while (at != end && !Class::stops(static_cast<std::uint8_t>(*at))) ++at;
  return at;
}

template <typename Class>
const char* find(const char* at, const char* end) noexcept {
#ifdef TERCEL_SCAN_BLOCKS
  while (end - at >= 16) {
    const std::size_t first = Class::stops(Block::load(at)).first();
    at += first;
    if (first != 16) return at;
  }
#endif
  return find_scalar<Class>(at, end);
}

inline void lower_scalar(char* at, std::size_t size) noexcept {
  for (std::size_t i = 0; i < size; ++i) {
    if (at[i] >= 'A' && at[i] <= 'Z') at[i] = static_cast<char>(at[i] | 0x20);
  }
}

// Turns the first `size` bytes to lower case. `end`: of the memory that may be touched; bytes
// behind the first `size` keep their values.
inline void lower(char* at, std::size_t size, const char* end) noexcept {
#ifdef TERCEL_SCAN_BLOCKS
  // 16 bytes of it from `16 - n` on select the first n bytes.
  alignas(32) static constexpr std::uint8_t kSelect[32] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
                                                           0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
                                                           0xff, 0xff, 0xff, 0xff};
  while (size != 0 && end - at >= 16) {
    const std::size_t step = size < 16 ? size : 16;
    const Block block = Block::load(at);
    const Block selected = Block::load(reinterpret_cast<const char*>(kSelect) + 16 - step);
    const Block upper = block.at_least('A') & block.at_most('Z') & selected;
    (block | (upper & Block::fill(0x20))).store(at);
    at += step;
    size -= step;
  }
#endif
  lower_scalar(at, size);
}

}  // namespace tercel::http::scan
