#include "tercel/server/time_limits.h"

#include <algorithm>

namespace tercel::server {
namespace {

using std::chrono::milliseconds;
using std::chrono::nanoseconds;

// When a limit that starts now is over.
nanoseconds started(nanoseconds limit, nanoseconds now) noexcept {
  return limit == nanoseconds{0} ? limit : now + limit;
}

// Below zero is a debt: an event that comes just before the timer does not wipe it out.
std::int32_t to_ms(nanoseconds time) noexcept {
  const auto count = std::chrono::duration_cast<milliseconds>(time).count();
  return static_cast<std::int32_t>(std::clamp<std::int64_t>(count, INT32_MIN, INT32_MAX));
}

}  // namespace

void WriteLimit::progressed(const Pace& pace, std::uint64_t bytes, bool more,
                            nanoseconds now) noexcept {
  if (!more) {
    due_ = nanoseconds{0};
  } else if (due_ == nanoseconds{0}) {
    due_ = started(pace.grace, now);
  } else {
    due_ = now + pace.credited(due_ - now, bytes);
  }
}

TimeLimits::TimeLimits(const Timeouts& times, nanoseconds age_due, nanoseconds now) noexcept
    : phase_due_{started(times.keep_alive, now)}, age_due_{std::chrono::floor<Moment>(age_due)} {}

bool TimeLimits::enter(http::Phase phase, const Timeouts& times, nanoseconds now) noexcept {
  using http::Phase;
  if (phase == phase_) return false;
  if (phase_ == Phase::kBody) {
    body_left_ms_ = to_ms(phase_due_ - now);
  } else if (phase_ != Phase::kHandler) {
    body_left_ms_ = to_ms(times.body.grace);
  }
  phase_ = phase;
  phase_due_ = limit_from(times, now);
  return true;
}

void TimeLimits::received(std::size_t bytes, const Timeouts& times, nanoseconds now) noexcept {
  if (phase_ == http::Phase::kHead && phase_due_ != nanoseconds{0}) {
    phase_due_ = now + times.head.credited(phase_due_ - now, bytes);
  } else if (phase_ == http::Phase::kHandler) {
    body_left_ms_ = to_ms(times.body.credited(milliseconds{body_left_ms_}, bytes));
  }
}

void TimeLimits::drain(const Timeouts& times, nanoseconds now) noexcept {
  draining_ = true;
  if (phase_ == http::Phase::kIdle) phase_due_ = limit_from(times, now);
}

void TimeLimits::input_finished(const Timeouts& times, nanoseconds now) noexcept {
  half_closed_ = true;
  if (phase_ == http::Phase::kHandler) phase_due_ = limit_from(times, now);
}

void TimeLimits::told_of_input() noexcept {
  half_closed_ = false;
  phase_due_ = nanoseconds{0};
}

void TimeLimits::linger(const Timeouts& times, nanoseconds now) noexcept {
  lingers_ = true;
  phase_ = http::Phase::kClosing;
  phase_due_ = limit_from(times, now);
}

// When the phase that begins now, or its reason, has lasted too long.
nanoseconds TimeLimits::limit_from(const Timeouts& times, nanoseconds now) const noexcept {
  switch (phase_) {
    case http::Phase::kHandshake:
      return started(times.handshake, now);
    case http::Phase::kIdle:
      return started(draining_ ? earlier(times.drain_idle, times.keep_alive) : times.keep_alive,
                     now);
    case http::Phase::kHead:
      return started(times.head.grace, now);
    case http::Phase::kBody:
      return times.body.grace == nanoseconds{0} ? nanoseconds{0}
                                                : now + milliseconds{body_left_ms_};
    case http::Phase::kQueued:
      return started(times.queue, now);
    case http::Phase::kHandler:
      return half_closed_ ? now + times.half_close : nanoseconds{0};
    case http::Phase::kTunnel:
      return nanoseconds{0};
    case http::Phase::kClosing:
      return lingers_ ? now + times.linger : nanoseconds{0};
  }
  return nanoseconds{0};
}

}  // namespace tercel::server
