// Time as the event loop sees it.
#pragma once

#include <chrono>

namespace tercel {

// Monotonic time. Tests use ManualClock (tests/cpp/support/manual_clock.h).
class Clock {
 public:
  virtual ~Clock() = default;
  [[nodiscard]] virtual std::chrono::nanoseconds now() const noexcept = 0;
};

// CLOCK_MONOTONIC.
class SteadyClock final : public Clock {
 public:
  [[nodiscard]] std::chrono::nanoseconds now() const noexcept override {
    return std::chrono::steady_clock::now().time_since_epoch();
  }
};

}  // namespace tercel
