// Keys of caches that are made of several texts: with its size before each, none runs into the
// next. Tested by decision_key_test.cc.
#pragma once

#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

namespace tercel::gateway {

inline void append_piece(std::string& into, std::string_view text) {
  const auto size = static_cast<std::uint32_t>(text.size());
  into.append(reinterpret_cast<const char*>(&size), sizeof size);
  into.append(text);
}

// Takes the first piece off. REQUIRES: append_piece() made `from`.
[[nodiscard]] inline std::string_view take_piece(std::string_view& from) noexcept {
  std::uint32_t size = 0;
  std::memcpy(&size, from.data(), sizeof size);
  const std::string_view piece = from.substr(sizeof size, size);
  from.remove_prefix(sizeof size + size);
  return piece;
}

// Takes the first piece off. Whether it is `wanted`, or nothing is wanted.
[[nodiscard]] inline bool matches_piece(std::string_view& from, std::string_view wanted) noexcept {
  const std::string_view piece = take_piece(from);
  return wanted.empty() || piece == wanted;
}

}  // namespace tercel::gateway
