#include "tercel/edge/place_table.h"

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <set>
#include <thread>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "tercel/edge/token_bucket.h"

namespace tercel::edge {
namespace {

using namespace std::chrono_literals;  // NOLINT(google-build-using-namespace): only literals.

using Table = PlaceTable<TokenBucket>;

// Keys of one set, in a table of any size up to 2^20 sets.
constexpr std::uint64_t key(std::uint64_t i) {
  return i << 20;
}

TEST(PlaceTableTest, AKeyHasOnePlace) {
  Table table(64);
  const auto one = table.pin(key(1));
  const auto again = table.pin(key(1));
  const auto other = table.pin(key(2));
  ASSERT_NE(one.place, nullptr);
  EXPECT_EQ(one.place, again.place);
  EXPECT_NE(one.place, other.place);
}

TEST(PlaceTableTest, APlaceHasAsManyPinsAsItMay) {
  Table table(64);
  const auto one = table.pin(key(1), 2);
  EXPECT_NE(table.pin(key(1), 2).place, nullptr);
  const auto refused = table.pin(key(1), 2);
  EXPECT_EQ(refused.place, nullptr);
  EXPECT_EQ(refused.outcome, Table::Outcome::kTooMany);
  EXPECT_NE(table.pin(key(1), 3).place, nullptr);  // Another limit for the same place.
  table.unpin(*one.place);
  table.unpin(*one.place);
  EXPECT_NE(table.pin(key(1), 2).place, nullptr);
}

TEST(PlaceTableTest, WhatIsPinnedIsNotTaken) {
  Table table(Table::kWays);
  std::vector<Table::Place*> pinned;
  for (std::uint64_t i = 1; i <= Table::kWays; ++i) {
    pinned.push_back(table.pin(key(i)).place);
    ASSERT_NE(pinned.back(), nullptr);
  }
  const auto none = table.pin(key(100));
  EXPECT_EQ(none.place, nullptr);
  EXPECT_EQ(none.outcome, Table::Outcome::kNoPlace);
  table.unpin(*pinned[3]);
  EXPECT_EQ(table.pin(key(100)).place, pinned[3]);
  EXPECT_EQ(table.pin(key(4)).place, nullptr);
  EXPECT_EQ(table.pin(key(5)).place, pinned[4]);
}

TEST(PlaceTableTest, OfThoseThatAreFreeTheFullestIsMadeNew) {
  Table table(Table::kWays);
  for (std::uint64_t i = 1; i <= Table::kWays; ++i) {
    const auto pin = table.pin(key(i));
    (void)pin.place->state.reserve(i == 5 ? 1s : 10s, 1s, 1h);
    table.unpin(*pin.place);
  }
  const auto fresh = table.pin(key(100));
  EXPECT_EQ(fresh.place->state.full_at(), 0ns);
  for (std::uint64_t i = 1; i <= Table::kWays; ++i) {
    if (i == 5) continue;
    const auto pin = table.pin(key(i));
    ASSERT_NE(pin.place, nullptr);
    EXPECT_EQ(pin.place->state.full_at(), 1h + 10s) << i;
  }
}

TEST(PlaceTableTest, AKeyOfZerosIsOneLikeOthers) {
  Table table(Table::kWays);
  const auto zero = table.pin(0, 1);
  ASSERT_NE(zero.place, nullptr);
  EXPECT_EQ(table.pin(0, 1).outcome, Table::Outcome::kTooMany);
  (void)zero.place->state.reserve(1s, 1s, 1h);
  table.unpin(*zero.place);
  EXPECT_EQ(table.pin(0).place->state.full_at(), 1h + 1s);
}

// While a place is made, another thread makes one for the same key.
struct Interrupted {
  std::chrono::nanoseconds full_at() const { return 0ns; }
  void fill() {
    if (meanwhile) std::exchange(meanwhile, {})();
  }
  static inline std::function<void()> meanwhile;
};

TEST(PlaceTableTest, WhoFindsAPlaceMadeMeanwhileGivesItsOwnUp) {
  PlaceTable<Interrupted> table(64);
  PlaceTable<Interrupted>::Place* other = nullptr;
  Interrupted::meanwhile = [&] { other = table.pin(key(1), 2).place; };
  PlaceTable<Interrupted>::Place* const place = table.pin(key(1), 2).place;
  ASSERT_NE(place, nullptr);
  EXPECT_EQ(place, other);
  EXPECT_EQ(table.pin(key(1), 2).outcome, PlaceTable<Interrupted>::Outcome::kTooMany);
}

// Threads that meet keys for the first time at the same instant: each key has one place all the
// same, and never more pins than it may.
TEST(PlaceTableTest, ThreadsThatMeetAKeyAtOnceShareItsPlace) {
  constexpr int kThreads = 2;
  constexpr int kRounds = 5000;
  constexpr std::uint32_t kMost = 1;
  Table table(Table::kWays);
  std::atomic<int> arrived{0};
  std::atomic<int> left{0};
  std::array<std::array<std::atomic<Table::Place*>, kThreads>, kRounds> got{};
  const auto meet = [](std::atomic<int>& count, int round) {
    ++count;
    for (int i = 0; count < kThreads * (round + 1); ++i) {
      if (i % 4096 == 4095) std::this_thread::yield();
    }
  };
  std::vector<std::thread> threads;
  for (std::size_t t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, t] {
      for (int round = 0; round < kRounds; ++round) {
        meet(arrived, round);
        Table::Place* const place = table.pin(key(1 + static_cast<unsigned>(round)), kMost).place;
        got[static_cast<std::size_t>(round)][t] = place;
        meet(left, round);
        if (place != nullptr) table.unpin(*place);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (const auto& round : got) {
    std::set<Table::Place*> places;
    int pinned = 0;
    for (const auto& place : round) {
      if (place == nullptr) continue;
      places.insert(place);
      ++pinned;
    }
    EXPECT_EQ(places.size(), 1U);
    EXPECT_EQ(pinned, static_cast<int>(kMost));
  }
}

TEST(PlaceTableTest, ThreadsTakeNoMoreThanThereIs) {
  constexpr int kThreads = 4;
  Table table(64);
  std::atomic<int> taken{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 5000; ++i) {
        const auto pin = table.pin(key(7));
        ASSERT_NE(pin.place, nullptr);
        if (pin.place->state.take(1ms, 1s, 1h) == 0ns) ++taken;
        table.unpin(*pin.place);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(taken, 1000);
}

}  // namespace
}  // namespace tercel::edge
