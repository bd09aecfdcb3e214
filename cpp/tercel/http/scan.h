// The bytes that stop a scan in HTTP's texts, and lower case, 16 bytes a step by base/scan.h.
//
// Internal to tercel/http. scan_test.cc compares the engines on every byte at every position.
#pragma once

#include <cstddef>
#include <cstdint>

#include "tercel/base/scan.h"

namespace tercel::http::scan {

using tercel::scan::find;
using tercel::scan::find_scalar;
#ifdef TERCEL_SCAN_BLOCKS
using tercel::scan::Block;
#endif

// What ends a field value: any control byte but HTAB. Source: RFC 9110 section 5.5.
struct ValueEnd {
  static constexpr bool stops(std::uint8_t c) noexcept {
    return (c < 0x20 && c != '\t') || c == 0x7f;
  }
#ifdef TERCEL_SCAN_BLOCKS
  static Block stops(Block b) noexcept {
    return b.within(0, 0x1f).without(b.is('\t')) | b.is(0x7f);
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
    return b.within(0, 0x20) | b.within(0x7f, 0xff) | b.is('#') | b.is('%') | b.is('?') |
           b.is('\\');
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
    const Block letter = folded.within('a', 'z');
    const Block digit = b.within('0', '9');
    return Block::fill(0xff).without(letter | digit | b.is('-'));
  }
#endif
};

// What is not plainly part of a host name or an IPv4 address.
struct HostEnd {
  static constexpr bool stops(std::uint8_t c) noexcept { return NameEnd::stops(c) && c != '.'; }
#ifdef TERCEL_SCAN_BLOCKS
  static Block stops(Block b) noexcept {
    return NameEnd::stops(b).without(b.is('.'));
  }
#endif
};

inline void lower_scalar(char* at, std::size_t size) noexcept {
  for (std::size_t i = 0; i < size; ++i) {
    if (at[i] >= 'A' && at[i] <= 'Z') at[i] = static_cast<char>(at[i] | 0x20);
  }
}

// Turns the first `size` bytes to lower case. `end`: of the memory that may be touched; bytes
// behind the first `size` keep their values.
[[gnu::always_inline]] inline void lower(char* at, std::size_t size, const char* end) noexcept {
#ifdef TERCEL_SCAN_BLOCKS
  // 16 bytes of it from `16 - n` on select the first n bytes.
  alignas(32) static constexpr std::uint8_t kSelect[32] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
                                                           0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
                                                           0xff, 0xff, 0xff, 0xff};
  const auto lower_block = [](char* block_at, Block selected) noexcept {
    const Block block = Block::load(block_at);
    (block | (block.within('A', 'Z') & selected & Block::fill(0x20))).store(block_at);
  };
  for (; size > 16; at += 16, size -= 16) lower_block(at, Block::fill(0xff));
  if (end - at >= 16) {
    lower_block(at, Block::load(reinterpret_cast<const char*>(kSelect) + 16 - size));
    return;
  }
#endif
  lower_scalar(at, size);
}

}  // namespace tercel::http::scan
