#include "tercel/gateway/endpoint_health.h"

#include <algorithm>

namespace tercel::gateway {

namespace {

constexpr auto kRelaxed = std::memory_order_relaxed;
constexpr std::uint32_t kDoublingsMax = 16;  // More than enough for kRestMax.

}  // namespace

bool EndpointHealth::usable(Time now) noexcept {
  Time::rep until = rest_until_.load(kRelaxed);
  if (until == 0) return true;
  if (now.count() < until) return false;
  if (!rest_until_.compare_exchange_strong(until, (now + kTrial).count(), kRelaxed)) return false;
  on_trial_.store(true, kRelaxed);
  return true;
}

void EndpointHealth::rest(Time now, Time until) noexcept {
  rests_.fetch_add(1, kRelaxed);
  all_rests_.fetch_add(1, kRelaxed);
  rest_since_.store(now.count(), kRelaxed);
  rest_until_.store(until.count(), kRelaxed);
}

bool EndpointHealth::failed(Time now) noexcept {
  all_failures_.fetch_add(1, kRelaxed);
  if (rests()) {
    // What others began before it rested says nothing new.
    if (!on_trial_.exchange(false, kRelaxed)) return false;
  } else {
    const Time::rep last = last_failure_.exchange(now.count(), kRelaxed);
    if (now - Time{last} > kWindow) in_row_.store(0, kRelaxed);
    if (in_row_.fetch_add(1, kRelaxed) + 1 < kFailures) return false;
  }
  const std::uint32_t doublings = std::min(rests_.load(kRelaxed), kDoublingsMax);
  rest(now, now + std::min<Time>(kRestMin * (1 << doublings), kRestMax));
  return true;
}

void EndpointHealth::passed() noexcept {
  retries.earn();
  if (in_row_.load(kRelaxed) == 0 && !rests()) return;
  in_row_.store(0, kRelaxed);
  rests_.store(0, kRelaxed);
  on_trial_.store(false, kRelaxed);
  rest_until_.store(0, kRelaxed);
}

bool EndpointHealth::check_failed(Time now, Time until) noexcept {
  all_failures_.fetch_add(1, kRelaxed);
  on_trial_.store(false, kRelaxed);
  const bool rested = rests();
  if (rested) {
    rest_until_.store(std::max(rest_until_.load(kRelaxed), until.count()), kRelaxed);
  } else {
    rest(now, until);
  }
  return !rested;
}

bool EndpointHealth::claim_check(Time now, Time interval) noexcept {
  Time::rep due = next_check_.load(kRelaxed);
  return now.count() >= due &&
         next_check_.compare_exchange_strong(due, (now + interval).count(), kRelaxed);
}

}  // namespace tercel::gateway
