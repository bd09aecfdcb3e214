// The numbers of a budget (budget.h): requests, requests at the same time, and bytes.
//
// A value. Tested by budget_test.cc.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>

namespace tercel::edge {

// What is 0 is not limited.
struct BudgetRules {
  std::chrono::nanoseconds token{0};  // The time in which one more request may come.
  std::uint32_t burst = 1;            // Requests that may come at once after a pause.
  std::uint32_t concurrent = 0;       // Requests under way. At most kConcurrentMax.
  std::uint64_t bandwidth = 0;        // Bytes a second. At least kBandwidthMin.

  static constexpr std::uint32_t kConcurrentMax = (1U << 20) - 1;
  static constexpr std::uint64_t kBandwidthMin = 65'536;
  // After a pause as many bytes may go at once as in this time.
  static constexpr std::chrono::nanoseconds kBytesDepth = std::chrono::seconds{1};

  [[nodiscard]] bool limits() const noexcept {
    return token.count() != 0 || concurrent != 0 || bandwidth != 0;
  }
  // REQUIRES: bandwidth > 0.
  [[nodiscard]] std::chrono::nanoseconds time_of(std::uint64_t bytes) const noexcept {
    constexpr std::uint64_t kBytesMax = UINT32_MAX;  // No part of a body is larger.
    constexpr std::uint64_t kSecond = 1'000'000'000;
    return std::chrono::nanoseconds{
        static_cast<std::int64_t>(std::min(bytes, kBytesMax) * kSecond / bandwidth)};
  }
};

}  // namespace tercel::edge
