// How long one connection may take: for what its session waits for, and in all.
//
// A value without a clock and without the limits themselves: both are given to each call, so that
// it is small where there are ten thousand of it. Zero is "no limit" throughout. What happens when
// a limit is over is the connection's affair. Tested by time_limits_test.cc.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <ratio>

#include "tercel/http/wire.h"
#include "tercel/server/options.h"

namespace tercel::server {

// The earlier of two limits.
[[nodiscard]] constexpr std::chrono::nanoseconds earlier(std::chrono::nanoseconds a,
                                                         std::chrono::nanoseconds b) noexcept {
  if (a.count() == 0) return b;
  if (b.count() == 0) return a;
  return a < b ? a : b;
}

// The time that a peer has to read what waits for it.
class WriteLimit {
 public:
  // The peer took `bytes`; `more`: something still waits.
  void progressed(const Pace& pace, std::uint64_t bytes, bool more,
                  std::chrono::nanoseconds now) noexcept;
  [[nodiscard]] std::chrono::nanoseconds due() const noexcept { return due_; }

 private:
  std::chrono::nanoseconds due_{0};
};

class TimeLimits {
 public:
  using nanoseconds = std::chrono::nanoseconds;

  TimeLimits(const Timeouts& times, nanoseconds age_due, nanoseconds now) noexcept;

  [[nodiscard]] http::Phase phase() const noexcept { return phase_; }
  // When the phase has lasted too long.
  [[nodiscard]] nanoseconds phase_due() const noexcept { return phase_due_; }
  // When the connection has lived long enough.
  [[nodiscard]] nanoseconds age_due() const noexcept { return age_due_; }

  // The session waits for something else. Waiting for a body counts as one wait, however often the
  // handler runs in between. False: it is the phase already, and nothing changed.
  bool enter(http::Phase phase, const Timeouts& times, nanoseconds now) noexcept;
  // Progress of a head or a body buys time.
  void received(std::size_t bytes, const Timeouts& times, nanoseconds now) noexcept;
  // Whoever stays idle from now on stays so for a moment only.
  void drain(const Timeouts& times, nanoseconds now) noexcept;
  // The peer finished its direction. The handler is to be told, when some time went by.
  void input_finished(const Timeouts& times, nanoseconds now) noexcept;
  // It was told.
  void told_of_input() noexcept;
  // We finished ours, and wait for the peer's end.
  void linger(const Timeouts& times, nanoseconds now) noexcept;
  // The end by age has begun.
  void end_age() noexcept { age_due_ = Moment{0}; }

 private:
  // Tenths of a second on the loop's clock: 13 years in four bytes.
  using Moment = std::chrono::duration<std::uint32_t, std::deci>;

  [[nodiscard]] nanoseconds limit_from(const Timeouts& times, nanoseconds now) const noexcept;

  nanoseconds phase_due_;
  Moment age_due_;
  std::int32_t body_left_ms_ = 0;  // What is left of the time to wait for this request's body.
  http::Phase phase_ = http::Phase::kIdle;
  bool draining_ : 1 = false;
  bool half_closed_ : 1 = false;  // The peer's direction is over, and the handler not told yet.
  bool lingers_ : 1 = false;
};

}  // namespace tercel::server
