// A clock that stands still until the test moves it.
#pragma once

#include <chrono>

#include "tercel/base/clock.h"

namespace tercel::test {

class ManualClock final : public Clock {
 public:
  [[nodiscard]] std::chrono::nanoseconds now() const noexcept override { return now_; }
  void advance(std::chrono::nanoseconds by) noexcept { now_ += by; }

 private:
  // Not zero: code that takes 0 for "never" would not be noticed.
  std::chrono::nanoseconds now_{std::chrono::hours{1}};
};

}  // namespace tercel::test
