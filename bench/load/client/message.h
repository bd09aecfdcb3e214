// The messages that WebSockets send: their number in 20 digits, then a filling.
//
// Values. Tested by numbers_test.cc.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "tercel/base/parse_number.h"

namespace tercel::load {

inline constexpr std::size_t kMessageBytesMin = 20;  // Digits of the largest number.
inline constexpr std::size_t kMessageBytesMax = std::size_t{16} << 20;

inline std::string new_message(std::size_t bytes) {
  std::string message(bytes, '0');
  for (std::size_t i = kMessageBytesMin; i < bytes; ++i) {
    message[i] = static_cast<char>('a' + i % 26);
  }
  return message;
}

// REQUIRES: a message of new_message().
inline void set_number(std::string& message, std::uint64_t number) noexcept {
  for (std::size_t i = kMessageBytesMin; i-- > 0; number /= 10) {
    message[i] = static_cast<char>('0' + number % 10);
  }
}

// Nothing when it begins with no number.
inline std::optional<std::uint64_t> number_of(std::string_view message) noexcept {
  const Result<std::uint64_t> number = parse_decimal(message.substr(0, kMessageBytesMin));
  if (message.size() < kMessageBytesMin || !number) return {};
  return *number;
}

}  // namespace tercel::load
