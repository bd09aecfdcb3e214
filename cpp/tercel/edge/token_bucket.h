// Tokens that grow with time, held as one number that many threads may change.
//
//   TokenBucket bucket;                                       // Full.
//   const auto wait = bucket.take(cost, depth, loop.now());   // Zero: they were there.
//
// The number is when the bucket will be full again. What is taken is told as the time in which it
// grows, and the depth of the bucket as the time in which all of it does: whoever changes how fast
// tokens grow changes no bucket. A bucket that is full says as much as none at all.
//
// A value of one word. Thread: any; no lock. `now` is of one clock; loops that read it at different
// times may differ by a turn of theirs. Source: ITU-T I.371, generic cell rate algorithm. Tested by
// token_bucket_test.cc.
#pragma once

#include <algorithm>
#include <atomic>
#include <chrono>

namespace tercel::edge {

class TokenBucket {
 public:
  using Time = std::chrono::nanoseconds;

  // Takes what costs `cost`, if it is there. Zero: it was; else the time until it will be, and
  // nothing is taken.
  [[nodiscard]] Time take(Time cost, Time depth, Time now) noexcept {
    Time::rep full_at = full_at_.load(std::memory_order_relaxed);
    for (;;) {
      const Time next = std::max(Time{full_at}, now) + cost;
      if (next - now > depth) return next - now - depth;
      if (full_at_.compare_exchange_weak(full_at, next.count(), std::memory_order_relaxed)) {
        return Time{0};
      }
    }
  }

  // Takes it in any case, behind all who did so before. Returns the time until it is there.
  Time reserve(Time cost, Time depth, Time now) noexcept {
    Time::rep full_at = full_at_.load(std::memory_order_relaxed);
    Time next;
    do {
      next = std::max(Time{full_at}, now) + cost;
    } while (!full_at_.compare_exchange_weak(full_at, next.count(), std::memory_order_relaxed));
    return std::max(next - now - depth, Time{0});
  }

  // Others have taken more of it: it is not full before then.
  void raise(Time until) noexcept {
    Time::rep full_at = full_at_.load(std::memory_order_relaxed);
    while (full_at < until.count() &&
           !full_at_.compare_exchange_weak(full_at, until.count(), std::memory_order_relaxed)) {
    }
  }

  // Of what was taken, and not used.
  void give_back(Time cost) noexcept {
    full_at_.fetch_sub(cost.count(), std::memory_order_relaxed);
  }

  // The time until something is there.
  [[nodiscard]] Time wait(Time depth, Time now) const noexcept {
    return std::max(full_at() - now - depth, Time{0});
  }
  [[nodiscard]] Time full_at() const noexcept {
    return Time{full_at_.load(std::memory_order_relaxed)};
  }
  void fill() noexcept { full_at_.store(0, std::memory_order_relaxed); }

 private:
  std::atomic<Time::rep> full_at_{0};
};

}  // namespace tercel::edge
