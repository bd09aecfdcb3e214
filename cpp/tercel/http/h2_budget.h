// What a peer may do often, but not without end: a token bucket.
//
// A value: `burst` uses at once, then `per_second`. Tested by h2_budget_test.cc.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>

namespace tercel::http {

class H2Budget {
 public:
  constexpr H2Budget(std::uint32_t burst, std::uint32_t per_second) noexcept
      : burst_{burst}, per_second_{per_second}, left_{burst} {}

  // Uses `cost` up. False: there is not so much left.
  [[nodiscard]] bool spend(std::uint32_t cost, std::chrono::nanoseconds now) noexcept {
    refill(now);
    if (cost > left_) {
      left_ = 0;
      return false;
    }
    left_ -= cost;
    return true;
  }
  [[nodiscard]] std::uint32_t left() const noexcept { return left_; }

 private:
  // Whole tokens only; what is left of a second counts the next time.
  void refill(std::chrono::nanoseconds now) noexcept {
    using std::chrono::nanoseconds;
    constexpr std::int64_t kSecond = 1'000'000'000;
    if (left_ == burst_ || now <= filled_) {
      filled_ = now;
      return;
    }
    const std::int64_t elapsed = std::min<std::int64_t>((now - filled_).count(), 3600 * kSecond);
    const std::int64_t tokens = elapsed / (kSecond / per_second_);
    if (tokens == 0) return;
    left_ = static_cast<std::uint32_t>(std::min<std::int64_t>(burst_, left_ + tokens));
    filled_ += nanoseconds{tokens * (kSecond / per_second_)};
  }

  std::uint32_t burst_;
  std::uint32_t per_second_;
  std::uint32_t left_;
  std::chrono::nanoseconds filled_{0};
};

}  // namespace tercel::http
