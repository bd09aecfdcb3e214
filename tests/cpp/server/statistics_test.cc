#include "tercel/server/statistics.h"

#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <set>
#include <thread>

#include <gtest/gtest.h>

namespace tercel::server {
namespace {

using http::Outcome;

TEST(StatisticsTest, CountsByStatusAndOutcome) {
  http::Counters counters;
  counters.count({.status = 200, .body_bytes = 7});
  counters.count({.status = 404});
  counters.count({.status = 0, .outcome = Outcome::kAborted});
  counters.count({.status = 599, .outcome = Outcome::kPeerGone});
  counters.count({.status = 600});  // No class of statuses.
  Statistics::Numbers sum;
  sum.add(counters);
  EXPECT_EQ(sum.requests, 5U);
  EXPECT_EQ(sum.status(0), 2U);
  EXPECT_EQ(sum.status(2), 1U);
  EXPECT_EQ(sum.status(4), 1U);
  EXPECT_EQ(sum.status(5), 1U);
  EXPECT_EQ(sum.aborted, 1U);
  EXPECT_EQ(sum.peer_gone, 1U);
  EXPECT_EQ(sum.body_bytes, 7U);
}

TEST(StatisticsTest, AChildCountsForItsParent) {
  auto statistics = Statistics::create();
  ASSERT_TRUE(statistics);
  const pid_t child = ::fork();
  if (child == 0) {
    (*statistics)->slot(3, 0)->count({.status = 200});
    (*statistics)->slot(3, 63)->count({.status = 200});
    (*statistics)->slot(3, 63)->connections.store(5);
    ::_exit(0);
  }
  ASSERT_GT(child, 0);
  int status = 1;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  ASSERT_EQ(status, 0);
  EXPECT_EQ((*statistics)->of(3).requests, 2U);
  EXPECT_EQ((*statistics)->of(3).connections, 5U);
  EXPECT_EQ((*statistics)->of(2).requests, 0U);
  EXPECT_EQ((*statistics)->of(4).requests, 0U);
}

TEST(StatisticsTest, WhatAProcessCountedStaysWhenItsPlaceIsFree) {
  auto statistics = Statistics::create();
  ASSERT_TRUE(statistics);
  for (std::uint64_t round = 1; round <= 2; ++round) {
    http::Counters& counters = *(*statistics)->slot(0, 1);
    counters.count({.status = 503});
    counters.active.store(9);
    (*statistics)->retire(0);
    EXPECT_EQ((*statistics)->of(0).requests, 0U);
    EXPECT_EQ((*statistics)->of(0).active, 0U);
    EXPECT_EQ((*statistics)->retired().requests, round);
    EXPECT_EQ((*statistics)->retired().status(5), round);
    EXPECT_EQ((*statistics)->retired().active, 0U);
  }
  Statistics::Numbers sum = (*statistics)->retired();
  sum += (*statistics)->retired();
  EXPECT_EQ(sum.requests, 4U);
}

// Whoever adds all up must not see less than before, whatever comes and goes.
TEST(StatisticsTest, TheNextProcessGoesOnCountingWhereTheLastOneLeft) {
  auto statistics = Statistics::create();
  ASSERT_TRUE(statistics);
  for (std::uint64_t round = 1; round <= 5; ++round) {
    const std::size_t place = round % 2;
    http::Counters& counters = *(*statistics)->slot(place, 0);
    EXPECT_EQ(&counters, (*statistics)->slot(place, 0));
    EXPECT_EQ((*statistics)->of(place).requests, 0U);
    auto* const room = static_cast<std::uint64_t*>((*statistics)->room(place, 0));
    constexpr std::size_t kBehindGauges = Statistics::kRoomGaugesBytes / sizeof *room;
    EXPECT_EQ(room[0], 0U);
    EXPECT_EQ(room[kBehindGauges], round - 1);
    room[0] = 7;
    ++room[kBehindGauges];
    counters.count({.status = 200, .request_bytes = 3});
    counters.durations.add(std::chrono::milliseconds{1});
    counters.waiting.store(4);
    EXPECT_EQ((*statistics)->of(place).requests, 1U);
    EXPECT_EQ((*statistics)->of(place).durations.counts[0], 1U);
    EXPECT_EQ((*statistics)->total().requests, round);
    EXPECT_EQ((*statistics)->total().waiting, 4U);
    (*statistics)->retire(place);
    EXPECT_EQ((*statistics)->total().requests, round);
    EXPECT_EQ((*statistics)->total().request_bytes, 3 * round);
    EXPECT_EQ((*statistics)->total().waiting, 0U);
  }
  int rooms = 0;
  (*statistics)->for_each_room([&rooms](const void*) { ++rooms; });
  EXPECT_EQ(rooms, 1);
}

TEST(StatisticsTest, NoTwoLoopsHaveTheSameSlot) {
  auto statistics = Statistics::create();
  ASSERT_TRUE(statistics);
  std::set<void*> all;
  for (std::size_t process = 0; process < 40; ++process) {
    for (std::size_t loop = 0; loop < 5; ++loop) {
      EXPECT_TRUE(all.insert((*statistics)->slot(process, loop)).second);
      EXPECT_TRUE(all.insert((*statistics)->room(process, loop)).second);
    }
  }
}

// A supervisor reads while its workers begin.
TEST(StatisticsTest, WhoBeginsWhereOthersCountedHasCountedNothing) {
  const auto statistics = *Statistics::create();
  constexpr std::size_t kRounds = 5'000;
  statistics->slot(1, 0)->requests.store(5, std::memory_order_relaxed);
  std::atomic<std::size_t> begun{0};
  std::atomic<std::size_t> claimed{0};
  std::thread worker{[&] {
    for (std::size_t round = 1; round <= kRounds; ++round) {
      while (begun.load(std::memory_order_acquire) < round) std::this_thread::yield();
      EXPECT_NE(statistics->slot(1, 0), nullptr);
      claimed.store(round, std::memory_order_release);
    }
  }};
  std::uint64_t wrong = 0;
  std::uint64_t lost = 0;
  for (std::size_t round = 1; round <= kRounds; ++round) {
    statistics->retire(1);
    begun.store(round, std::memory_order_release);
    while (claimed.load(std::memory_order_acquire) < round) {
      wrong += statistics->of(1).requests != 0 ? 1 : 0;
      lost += statistics->retired().requests != 5 ? 1 : 0;
    }
  }
  worker.join();
  EXPECT_EQ(wrong, 0U);
  EXPECT_EQ(lost, 0U);
}

TEST(StatisticsTest, HasAnEnd) {
  auto statistics = Statistics::create();
  ASSERT_TRUE(statistics);
  for (std::size_t i = 0; i < Statistics::kSlotsMax; ++i) {
    ASSERT_NE((*statistics)->slot(i / 64, i % 64), nullptr);
  }
  EXPECT_EQ((*statistics)->slot(5000, 0), nullptr);
  EXPECT_EQ((*statistics)->room(5000, 0), nullptr);
  EXPECT_EQ((*statistics)->slot(0, std::size_t{1} << 16), nullptr);
  EXPECT_EQ((*statistics)->slot(SIZE_MAX, 0), nullptr);
  (*statistics)->retire(5000);
  EXPECT_EQ((*statistics)->of(5000).requests, 0U);
  (*statistics)->retire(3);
  EXPECT_NE((*statistics)->slot(5000, 0), nullptr);
}

}  // namespace
}  // namespace tercel::server
