// How long things took: a histogram with fixed bounds, in numbers that one thread writes and any
// thread or process reads.
//
//   histogram.add(end - begin);           // The loop,
//   Histogram::Numbers sum;
//   histogram.add_to(sum);                // and whoever wants to know.
//
// Zero bytes are an empty one, so it may lie in fresh memory that processes share. Two numbers that
// are read need not be of the same moment. Cost: a comparison for each bound below. Tested by
// histogram_test.cc.
#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>

namespace tercel {

class Histogram {
 public:
  // A bucket has what took at most so long; the one behind the last, what took longer.
  static constexpr std::array<std::chrono::microseconds, 13> kBounds{
      std::chrono::microseconds{1'000},     std::chrono::microseconds{2'500},
      std::chrono::microseconds{5'000},     std::chrono::microseconds{10'000},
      std::chrono::microseconds{25'000},    std::chrono::microseconds{50'000},
      std::chrono::microseconds{100'000},   std::chrono::microseconds{250'000},
      std::chrono::microseconds{500'000},   std::chrono::microseconds{1'000'000},
      std::chrono::microseconds{2'500'000}, std::chrono::microseconds{5'000'000},
      std::chrono::microseconds{10'000'000}};
  static constexpr std::size_t kBuckets = kBounds.size() + 1;

  // The sum of several.
  struct Numbers {
    std::array<std::uint64_t, kBuckets> counts{};  // Each of its own bucket.
    std::uint64_t microseconds = 0;                // Of all together.
  };

  // Thread: the one that writes. A time below zero counts as none.
  void add(std::chrono::nanoseconds time) noexcept {
    if (time < time.zero()) time = time.zero();
    std::size_t bucket = 0;
    while (bucket < kBounds.size() && time > kBounds[bucket]) ++bucket;
    increase(counts_[bucket], 1);
    increase(microseconds_,
             static_cast<std::uint64_t>(
                 std::chrono::duration_cast<std::chrono::microseconds>(time).count()));
  }
  void add_to(Numbers& sum) const noexcept {
    for (std::size_t i = 0; i < kBuckets; ++i) {
      sum.counts[i] += counts_[i].load(std::memory_order_relaxed);
    }
    sum.microseconds += microseconds_.load(std::memory_order_relaxed);
  }

 private:
  using Number = std::atomic<std::uint64_t>;
  static_assert(Number::is_always_lock_free);

  static void increase(Number& number, std::uint64_t more) noexcept {
    number.store(number.load(std::memory_order_relaxed) + more, std::memory_order_relaxed);
  }

  std::array<Number, kBuckets> counts_{};
  Number microseconds_{0};
};

}  // namespace tercel
