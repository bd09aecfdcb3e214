// What this process may use of budgets that several processes share: of requests, and of bytes.
//
//   BudgetShares shares;
//   const auto taken = shares.take(key, now);             // Zero to wait: it may go on.
//   if (taken.wait == BudgetShares::kUnknown) ...         // Ask who has the budget; come again.
//   ...
//   const auto count = shares.wanted(key, rules, now);    // Who asks: for how many.
//   shares.grant(key, {.count = given, .wait = wait}, now);
//
// The budget itself is elsewhere (src/tercel/s3/shared_limits.py). A process is granted requests of
// it ahead, and lets them pass without asking; one that finds none waits for the next grant, for
// which it is counted. What is granted ahead is what passed lately in two tenths of a second, but
// no more than the rate allows in kAhead, nor than a kPart of the burst, so that no more than that
// is held by a process which others could use; what nobody used within kLifetime, or twice the time
// of a request where that is longer, is gone. Nobody is asked for a second about a budget that is
// used up: requests are refused here.
//
// Bytes are reserved here (budget.h) and told afterwards: who has a budget adds up what all
// processes reserved, and holds each of them up for it. A budget whose bytes are told is followed,
// from its first request until nobody uses it.
//
// While whoever has the budgets cannot be asked, a process is alone(), and limits for itself.
//
// Resource: one for all loops of a process. Thread: any, without a lock. Cost of take(): three
// atomic operations on one place; nothing is allocated. Tested by budget_shares_test.cc.
#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>

#include "tercel/edge/budget_rules.h"
#include "tercel/edge/place_table.h"

namespace tercel::edge {

class BudgetShares {
 public:
  using Time = std::chrono::nanoseconds;

  static constexpr std::size_t kPlaces = 65'536;  // 5 MiB.
  static constexpr Time kAhead = std::chrono::milliseconds{100};
  static constexpr std::uint32_t kPart = 10;
  static constexpr Time kLifetime = std::chrono::milliseconds{500};
  // Of a budget that is used up. Then it is asked about again: its rules may be others now.
  static constexpr Time kRefusal = std::chrono::seconds{1};
  static constexpr std::uint32_t kCountMax = (1U << 24) - 1;
  // A time to wait that nobody knows yet.
  static constexpr Time kUnknown = Time::max();

  struct Taken {
    Time wait;   // Zero: it may go on.
    bool ahead;  // It is time to ask, and nobody else does.
  };
  struct Grant {
    std::uint32_t count;  // Requests that may pass.
    Time wait{0};         // Until there are more, where fewer were there than wanted.
  };

  // Throws std::bad_alloc.
  explicit BudgetShares(std::size_t places = kPlaces) : places_{places} {}

  // One request.
  [[nodiscard]] Taken take(std::uint64_t key, Time now) noexcept;
  // Of a request that was refused elsewhere, and did not count.
  void give_back(std::uint64_t key, Time now) noexcept;

  // How many to ask for, which counts as asked for then. 0: there are enough. REQUIRES: rules.token
  // > 0.
  [[nodiscard]] std::uint32_t wanted(std::uint64_t key, const BudgetRules& rules,
                                     Time now) noexcept;
  // What came of it.
  void grant(std::uint64_t key, const Grant& grant, Time now) noexcept;

  // --- bytes
  // A budget is used whose bytes nobody tells. It counts as followed from now on, for kRefusal.
  [[nodiscard]] bool follow(std::uint64_t key, Time now) noexcept;
  void add_bytes(std::uint64_t key, std::int64_t bytes) noexcept;
  // Those since the last call; it is followed for another kRefusal.
  [[nodiscard]] std::int64_t take_bytes(std::uint64_t key, Time now) noexcept;
  // It is not followed any more. Whoever says so looks afterwards whether it is used.
  void leave(std::uint64_t key) noexcept;

  void set_alone(bool alone) noexcept { alone_.store(alone, std::memory_order_relaxed); }
  [[nodiscard]] bool alone() const noexcept { return alone_.load(std::memory_order_relaxed); }

 private:
  class Share {
   public:
    [[nodiscard]] Taken take(Time now) noexcept;
    void add(std::uint32_t count, Time now) noexcept;
    [[nodiscard]] std::uint32_t left(Time now) const noexcept;
    [[nodiscard]] Time full_at() const noexcept;
    void fill() noexcept;

    std::atomic<Time::rep> used_up_until{0};
    std::atomic<Time::rep> refuses_until{0};
    std::atomic<Time::rep> asked_at{0};   // 0: nobody asks.
    std::atomic<Time::rep> wanted_at{0};  // When it was asked for last.
    std::atomic<Time::rep> followed_at{0};
    std::atomic<std::int64_t> bytes{0};  // That nobody was told.
    std::atomic<std::uint32_t> missed{0};
    std::atomic<std::uint32_t> used{0};
    std::atomic<std::uint32_t> slice{0};  // That is held at most.
    std::atomic<Time::rep> lifetime{0};   // Of what is granted, or kLifetime.

   private:
    // The end in milliseconds, and the number of requests in the lower 24 bits.
    std::atomic<std::uint64_t> credit_{0};
  };
  using Places = PlaceTable<Share>;

  Places places_;
  std::atomic<bool> alone_{false};
};

}  // namespace tercel::edge
