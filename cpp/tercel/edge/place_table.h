// A table of fixed size, whose places belong to whom they are needed by, for many threads.
//
//   PlaceTable<TokenBucket> table(65536);
//   if (const auto pin = table.pin(hash); pin.place != nullptr) {
//     pin.place->state.take(...);      // Its own while it is pinned.
//     table.unpin(*pin.place);
//   }
//
// A key is the keyed hash of something: no peer can choose where it falls. It names a set of kWays
// places. When all of them belong to others, the one that will be full first is made anew: of the
// keys the table knows, the one that was least at its limit. A place that is pinned is never taken,
// so that what hangs on it, and the number of pins, is right until the last of them is gone. Keys
// differ by the bits that choose the set, and by the upper 44.
//
// A key has one place, whatever number of threads meet it at once: who finds that another thread
// has made one for it, too, gives its own up.
//
// Resource. Thread: any, without a lock: a pin and an unpin are each one atomic operation on one
// word, where no place has to be made. Cost: constant, nothing is allocated after construction.
// `State` is a value of atomic numbers with full_at() and fill(). Tested by place_table_test.cc.
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <memory>

namespace tercel::edge {

template <typename State>
class PlaceTable {
 public:
  // Keys that share a set. With half as many busy keys as places, one set in fifty is full.
  static constexpr std::size_t kWays = 8;
  static constexpr std::uint32_t kPinsMax = (1U << 20) - 1;

  class Place {
   public:
    State state;

   private:
    friend class PlaceTable;
    std::atomic<std::uint64_t> word_{0};  // The upper bits of the hash, and the number of pins.
  };

  enum class Outcome : std::uint8_t {
    kPinned,
    kTooMany,  // It has as many pins as it may.
    kNoPlace   // All places of its set are pinned for others.
  };
  struct Pin {
    Place* place;  // Null unless kPinned.
    Outcome outcome;
  };

  // `places` is rounded up to a power of two. Throws std::bad_alloc.
  explicit PlaceTable(std::size_t places)
      : set_count_{std::bit_ceil(std::max(places, kWays)) / kWays},
        sets_{std::make_unique<Set[]>(set_count_)} {}

  // REQUIRES: 0 < most <= kPinsMax.
  [[nodiscard]] Pin pin(std::uint64_t hash, std::uint32_t most = kPinsMax) noexcept {
    Set& set = sets_[hash & (set_count_ - 1)];
    const std::uint64_t tag = hash & kTagMask;
    for (;;) {
      Place* least = nullptr;
      std::uint64_t least_word = 0;
      for (Place& place : set) {
        std::uint64_t word = place.word_.load(std::memory_order_acquire);
        while ((word & kTagMask) == tag) {
          if ((word & kPinsMax) >= most) return {nullptr, Outcome::kTooMany};
          if (place.word_.compare_exchange_weak(word, word + 1, std::memory_order_acquire)) {
            return {&place, Outcome::kPinned};
          }
        }
        if ((word & kPinsMax) != 0) continue;
        if (least == nullptr || place.state.full_at() < least->state.full_at()) {
          least = &place;
          least_word = word;
        }
      }
      if (least == nullptr) return {nullptr, Outcome::kNoPlace};
      if (claim(set, *least, least_word, tag)) return {least, Outcome::kPinned};
    }
  }

  // REQUIRES: `place` is of a pin() of this table that was not undone yet.
  void unpin(Place& place) noexcept { place.word_.fetch_sub(1, std::memory_order_release); }

  [[nodiscard]] std::size_t places() const noexcept { return set_count_ * kWays; }

 private:
  using Set = std::array<Place, kWays>;
  static constexpr std::uint64_t kTagMask = ~std::uint64_t{kPinsMax};
  // Of a place that is being made: nobody finds it, and nobody takes it.
  static constexpr std::uint64_t kClaimed = ~std::uint64_t{0};

  // Makes a place that had `word` one of `tag`, pinned once. False: somebody was faster.
  [[nodiscard]] bool claim(Set& set, Place& place, std::uint64_t word, std::uint64_t tag) noexcept {
    if (!place.word_.compare_exchange_strong(word, kClaimed, std::memory_order_acquire)) {
      return false;
    }
    place.state.fill();
    // Sequentially consistent: of two threads that make a place for one key, one at least sees the
    // other's.
    place.word_.store(tag + 1, std::memory_order_seq_cst);
    for (const Place& other : set) {
      if (&other == &place) continue;
      if ((other.word_.load(std::memory_order_seq_cst) & kTagMask) != tag) continue;
      std::uint64_t mine = tag + 1;
      // Fails when a third one has found it, and counts on it.
      return !place.word_.compare_exchange_strong(mine, 0, std::memory_order_release);
    }
    return true;
  }

  const std::size_t set_count_;
  const std::unique_ptr<Set[]> sets_;
};

}  // namespace tercel::edge
