// Matches a name with a pattern of `*` (any text) and `?` (one byte).
//
// No other byte is special. Cost: linear in the name for each `*`; nothing is allocated. Tested by
// buckets_test.cc.
#pragma once

#include <string_view>

namespace tercel::gateway {

[[nodiscard]] bool is_glob(std::string_view pattern) noexcept;
[[nodiscard]] bool matches(std::string_view pattern, std::string_view name) noexcept;
// Bytes of a pattern that are literal: of two that match, the one with more is meant.
[[nodiscard]] std::size_t literal_bytes(std::string_view pattern) noexcept;

}  // namespace tercel::gateway
