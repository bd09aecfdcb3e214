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
// A key has one place, whatever number of threads meet it at once. A place that is being made is
// announced, and found by nobody until its maker has looked at all others of the set: one that is
// made, or in the making before it, is the key's; for one in the making behind it, it waits. So of
// two makers, one at least has seen the other, and the one behind gives way, or was first.
//
// Resource. Thread: any, without a lock: a pin and an unpin are each one atomic operation on one
// word. Where a place has to be made, who meets its key waits for the few instructions that it
// takes. Cost: constant, nothing is allocated after construction.
// `State` is a value of atomic numbers with full_at() and fill(). Tested by place_table_test.cc.
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <thread>

namespace tercel::edge {

template <typename State>
class PlaceTable {
 public:
  // Keys that share a set. With half as many busy keys as places, one set in fifty is full.
  static constexpr std::size_t kWays = 8;
  static constexpr std::uint32_t kPinsMax = (1U << 20) - 2;

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
    for (;;) {
      if (const auto pinned = try_pin(set, hash & kTagMask, most)) return *pinned;
    }
  }

  // Whether a key has pins.
  [[nodiscard]] bool is_pinned(std::uint64_t hash) const noexcept {
    const Set& set = sets_[hash & (set_count_ - 1)];
    return std::ranges::any_of(set, [tag = hash & kTagMask](const Place& place) {
      const std::uint64_t word = place.word_.load(std::memory_order_seq_cst);
      return (word & kTagMask) == tag && (word & kPinsMask) != 0;  // Or is about to be.
    });
  }

  // REQUIRES: `place` is of a pin() of this table that was not undone yet.
  void unpin(Place& place) noexcept { place.word_.fetch_sub(1, std::memory_order_release); }

  [[nodiscard]] std::size_t places() const noexcept { return set_count_ * kWays; }

 private:
  using Set = std::array<Place, kWays>;
  static constexpr std::uint64_t kPinsMask = (1U << 20) - 1;
  static constexpr std::uint64_t kTagMask = ~kPinsMask;
  // In the place of a number of pins: it is announced.
  static constexpr std::uint64_t kMaking = kPinsMask;
  static_assert(kPinsMax < kMaking);
  // Of a place that is not announced yet: nobody finds it, and nobody takes it.
  static constexpr std::uint64_t kClaimed = ~std::uint64_t{0};

  // What pin() meets in a place.
  enum class Met : std::uint8_t { kPinned, kTooMany, kInMaking, kOther };

  // Pins a place of `tag`; in `word` is what an other one had.
  [[nodiscard]] static Met meet(Place& place, std::uint64_t tag, std::uint32_t most,
                                std::uint64_t& word) noexcept {
    word = place.word_.load(std::memory_order_acquire);
    while ((word & kTagMask) == tag) {
      if ((word & kPinsMask) == kMaking) return Met::kInMaking;
      if ((word & kPinsMask) >= most) return Met::kTooMany;
      if (place.word_.compare_exchange_weak(word, word + 1, std::memory_order_acquire)) {
        return Met::kPinned;
      }
    }
    return Met::kOther;
  }

  // Nothing: others are at it, and it is to be tried again.
  [[nodiscard]] static std::optional<Pin> try_pin(Set& set, std::uint64_t tag,
                                                  std::uint32_t most) noexcept {
    Place* least = nullptr;
    std::uint64_t least_word = 0;
    for (Place& place : set) {
      std::uint64_t word = 0;
      switch (meet(place, tag, most, word)) {
        case Met::kPinned:
          return Pin{&place, Outcome::kPinned};
        case Met::kTooMany:
          return Pin{nullptr, Outcome::kTooMany};
        case Met::kInMaking:
          std::this_thread::yield();
          return std::nullopt;
        case Met::kOther:
          break;
      }
      if ((word & kPinsMask) != 0) continue;
      if (least == nullptr || place.state.full_at() < least->state.full_at()) {
        least = &place;
        least_word = word;
      }
    }
    if (least == nullptr) return Pin{nullptr, Outcome::kNoPlace};
    if (!claim(set, *least, least_word, tag)) return std::nullopt;
    return Pin{least, Outcome::kPinned};
  }

  // Makes a place that had `word` one of `tag`, pinned once. False: somebody was faster.
  [[nodiscard]] static bool claim(Set& set, Place& place, std::uint64_t word,
                                  std::uint64_t tag) noexcept {
    if (!place.word_.compare_exchange_strong(word, kClaimed, std::memory_order_acquire)) {
      return false;
    }
    place.state.fill();
    // Sequentially consistent, as what is_first() reads.
    place.word_.store(tag | kMaking, std::memory_order_seq_cst);
    const bool first = is_first(set, place, tag);
    place.word_.store(first ? tag + 1 : 0, std::memory_order_seq_cst);
    return first;
  }

  // Whether an announced place is the one of its tag. Waits for those behind it only, so nobody
  // waits for each other.
  [[nodiscard]] static bool is_first(const Set& set, const Place& place,
                                     std::uint64_t tag) noexcept {
    bool before = true;
    for (const Place& other : set) {
      if (&other == &place) {
        before = false;
        continue;
      }
      for (;;) {
        const std::uint64_t word = other.word_.load(std::memory_order_seq_cst);
        if ((word & kTagMask) != tag) break;
        if (before || (word & kPinsMask) != kMaking) return false;
        std::this_thread::yield();
      }
    }
    return true;
  }

  const std::size_t set_count_;
  const std::unique_ptr<Set[]> sets_;
};

}  // namespace tercel::edge
