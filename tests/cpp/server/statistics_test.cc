#include "tercel/server/statistics.h"

#include <sys/wait.h>
#include <unistd.h>

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
  EXPECT_EQ(sum.statuses[0], 2U);
  EXPECT_EQ(sum.statuses[2], 1U);
  EXPECT_EQ(sum.statuses[4], 1U);
  EXPECT_EQ(sum.statuses[5], 1U);
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
    EXPECT_EQ((*statistics)->retired().statuses[5], round);
    EXPECT_EQ((*statistics)->retired().active, 0U);
  }
  Statistics::Numbers sum = (*statistics)->retired();
  sum += (*statistics)->retired();
  EXPECT_EQ(sum.requests, 4U);
}

TEST(StatisticsTest, HasAnEnd) {
  auto statistics = Statistics::create();
  ASSERT_TRUE(statistics);
  EXPECT_NE((*statistics)->slot(Statistics::kProcessesMax - 1, Statistics::kLoopsMax - 1), nullptr);
  EXPECT_EQ((*statistics)->slot(Statistics::kProcessesMax, 0), nullptr);
  EXPECT_EQ((*statistics)->slot(0, Statistics::kLoopsMax), nullptr);
  (*statistics)->retire(Statistics::kProcessesMax);
  EXPECT_EQ((*statistics)->of(Statistics::kProcessesMax).requests, 0U);
}

}  // namespace
}  // namespace tercel::server
