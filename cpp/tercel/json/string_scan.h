// Reads the strings of a JSON text: where one ends, and what its escapes stand for.
//
// Internal to tercel/json. Source: RFC 8259 section 7. Tested by string_scan_test.cc.
#pragma once

#include <cstddef>
#include <cstdint>

#include "tercel/base/scan.h"
#include "tercel/json/fault.h"

namespace tercel::json {

// What ends a run of plain bytes in a string.
struct StringMark {
  static constexpr bool stops(std::uint8_t c) noexcept { return c == '"' || c == '\\'; }
#ifdef TERCEL_SCAN_BLOCKS
  static scan::Block stops(scan::Block b) noexcept {
    return b.is('"') | b.is('\\');
  }
#endif
};

// A string whose escapes were replaced.
struct Unescaped {
  char* out_end = nullptr;   // Behind the last byte written.
  const char* at = nullptr;  // The closing quote, or the escape that is none.
  FaultKind fault = FaultKind::kNone;
};

// Copies the string whose first byte is at `at`, up to its closing quote, with its escapes replaced
// by what they stand for. Writes no more than it reads. REQUIRES: the closing quote is before
// `end`; room at `out` for the bytes of the string.
[[nodiscard]] Unescaped unescape(const char* at, const char* end, char* out) noexcept;

}  // namespace tercel::json
