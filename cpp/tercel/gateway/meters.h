// What a gateway measures: one set for each loop, added up for who asks.
//
// Only its loop writes to a set; others read it at any time. A set may lie in memory that processes
// share, which begins as zeros, and go on from what another process counted there before.
// Source: docs/guide/metrics.md. Tested by meters_test.cc.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <mutex>
#include <new>

#include "tercel/base/histogram.h"
#include "tercel/gateway/counts.h"
#include "tercel/s3/operation.h"

namespace tercel::gateway {

struct Meters {
  using Number = std::atomic<std::uint64_t>;
  static constexpr std::size_t kOperations = static_cast<std::size_t>(s3::Operation::kUnknown) + 1;
  static constexpr std::size_t kStatuses = 6;  // By the first digit; 0: there was none.

  // Now: first, as whoever shares memory has it.
  Number connections{0};       // To backends.
  Number idle_connections{0};  // Of those, the ones that no request has.
  // So far.
  Counts counts;
  std::array<std::array<Number, kStatuses>, kOperations> operations{};
  Histogram upstream;  // From the first attempt to the head of the answer, or to the failure.

  // A request is over. Thread: the one that writes.
  void count(s3::Operation operation, std::uint16_t status) noexcept {
    const std::size_t digit = status / 100;
    Number& number = operations[static_cast<std::size_t>(operation)][digit < kStatuses ? digit : 0];
    number.store(number.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
  }
};

// The sets of all loops of a process, those that are gone among them. Thread: any.
class AllMeters {
 public:
  // In `room`, which is zeros or was such a set before, of another process; null: in memory of its
  // own. Lives as long as this, and the room. Throws std::bad_alloc.
  [[nodiscard]] Meters& open(void* room = nullptr) {
    const std::scoped_lock lock{mutex_};
    Meters& meters =
        room != nullptr ? *std::launder(static_cast<Meters*>(room)) : own_.emplace_back();
    Set& set = sets_.emplace_back(Set{&meters, {}});
    for (int i = 0; i < Counts::kNames; ++i) {
      set.before[static_cast<std::size_t>(i)] = meters.counts.get(static_cast<Counts::Name>(i));
    }
    return meters;
  }
  // What this process counted.
  [[nodiscard]] std::uint64_t sum(Counts::Name name) const noexcept {
    const std::scoped_lock lock{mutex_};
    std::uint64_t sum = 0;
    for (const Set& set : sets_) sum += set.meters->counts.get(name) - set.before[name];
    return sum;
  }
  // Calls `see` with each set.
  template <typename See>
  void for_each(See see) const {
    const std::scoped_lock lock{mutex_};
    for (const Set& set : sets_) see(*set.meters);
  }

 private:
  struct Set {
    const Meters* meters;
    std::array<std::uint64_t, Counts::kNames> before;  // Of other processes.
  };
  mutable std::mutex mutex_;
  std::deque<Meters> own_;  // An element stays where it is.
  std::deque<Set> sets_;
};

}  // namespace tercel::gateway
