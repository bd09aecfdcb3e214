// Whether an endpoint of a backend answers: learnt from requests and checks, told by their time.
//
//   if (health.usable(now)) send(request);
//   ...
//   if (health.failed(now)) counts.add(Counts::rested);   // Or health.passed().
//
// Three failures in a row, none of them ten seconds behind the one before, make it rest: for a
// second, and twice as long each time that it fails again, a minute at most. After a rest it is
// tried by one request; the others go on as if it rested, until that one came to something, or for
// five seconds. Whatever succeeds ends all of it.
// No I/O, no clock, no lock: one for all loops of a process, of atomic numbers. Which of two
// threads is first does not matter here. While all goes well nothing is written. Thread: any.
// Tested by endpoint_health_test.cc.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>

#include "tercel/base/shared_const.h"
#include "tercel/proxy/retry_rule.h"

namespace tercel::gateway {

class EndpointHealth {
 public:
  using Time = std::chrono::nanoseconds;  // Of the loops' clock.
  static constexpr unsigned kFailures = 3;
  static constexpr Time kWindow = std::chrono::seconds{10};
  static constexpr Time kRestMin = std::chrono::seconds{1};
  static constexpr Time kRestMax = std::chrono::seconds{60};
  static constexpr Time kTrial = std::chrono::seconds{5};

  EndpointHealth() noexcept = default;
  EndpointHealth(const EndpointHealth&) = delete;
  EndpointHealth& operator=(const EndpointHealth&) = delete;

  // It has not answered since its last rest began.
  [[nodiscard]] bool rests() const noexcept {
    return rest_until_.load(std::memory_order_relaxed) != Time::rep{0};
  }
  [[nodiscard]] bool rests_at(Time now) const noexcept {
    return rest_until_.load(std::memory_order_relaxed) > now.count();
  }
  // It does not rest, or its rest is over and the caller is the one that tries it.
  [[nodiscard]] bool usable(Time now) noexcept;
  // When its last rest began.
  [[nodiscard]] Time rests_since() const noexcept {
    return Time{rest_since_.load(std::memory_order_relaxed)};
  }

  // True: it rests from now on, or again.
  [[nodiscard]] bool failed(Time now) noexcept;
  void passed() noexcept;
  // It was looked at, and is not there: it rests now, at least until it is looked at again.
  [[nodiscard]] bool check_failed(Time now, Time until) noexcept;
  // Whether the caller has to look at it; it has to be done every `interval`, by one loop.
  [[nodiscard]] bool claim_check(Time now, Time interval) noexcept;

  // --- for who looks on
  [[nodiscard]] std::uint64_t failures() const noexcept {
    return all_failures_.load(std::memory_order_relaxed);
  }
  [[nodiscard]] std::uint64_t rest_count() const noexcept {
    return all_rests_.load(std::memory_order_relaxed);
  }

  proxy::RetryBudget retries;

 private:
  void rest(Time now, Time until) noexcept;

  std::atomic<Time::rep> rest_until_{0};  // Or, while it is tried, until when others wait.
  std::atomic<Time::rep> rest_since_{0};
  std::atomic<Time::rep> last_failure_{0};
  std::atomic<Time::rep> next_check_{0};
  std::atomic<std::uint32_t> in_row_{0};  // Failures.
  std::atomic<std::uint32_t> rests_{0};   // Without a success between.
  std::atomic<bool> on_trial_{false};
  std::atomic<std::uint64_t> all_failures_{0};
  std::atomic<std::uint64_t> all_rests_{0};
};

// What the configurations that have an endpoint share of it. A value; never empty unless moved
// from.
class SharedHealth {
 public:
  // A new one. Throws std::bad_alloc.
  SharedHealth() : shared_{std::make_unique<EndpointHealth>()} {}
  EndpointHealth* operator->() const noexcept { return shared_->get(); }
  EndpointHealth& operator*() const noexcept { return **shared_; }

 private:
  SharedConst<std::unique_ptr<EndpointHealth>> shared_;
};

}  // namespace tercel::gateway
