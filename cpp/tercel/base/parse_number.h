// The one way to turn text into a number. Strict: digits only, all of them, within the range.
//
// No sign, no space, no prefix, no separator, no locale. Leading zeros are digits. Size fields are
// where HTTP servers fall; every one of them is read here. Source: RFC 9110 section 8.6, RFC 9112
// section 7.1. Tested by parse_number_test.cc.
#pragma once

#include <cstdint>
#include <string_view>

#include "tercel/base/result.h"

namespace tercel {

// Fails with kNotANumber on an empty text, any other byte, or a value above `max`.
[[nodiscard]] Result<std::uint64_t> parse_decimal(std::string_view text,
                                                  std::uint64_t max = UINT64_MAX) noexcept;
// 0-9, a-f, A-F; no "0x".
[[nodiscard]] Result<std::uint64_t> parse_hex(std::string_view text,
                                              std::uint64_t max = UINT64_MAX) noexcept;

}  // namespace tercel
