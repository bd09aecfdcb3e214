#include "tercel/http/h2_budget.h"

#include <gtest/gtest.h>

#include "tercel/http/pace.h"

namespace tercel::http {
namespace {

using namespace std::chrono_literals;

TEST(H2BudgetTest, ABurstAndThenARate) {
  H2Budget budget{10, 2};
  auto now = std::chrono::nanoseconds{5s};
  for (int i = 0; i < 10; ++i) EXPECT_TRUE(budget.spend(1, now)) << i;
  EXPECT_FALSE(budget.spend(1, now));
  now += 499ms;
  EXPECT_FALSE(budget.spend(1, now));
  now += 1ms;
  EXPECT_TRUE(budget.spend(1, now));
  EXPECT_FALSE(budget.spend(1, now));
  now += 1h;
  EXPECT_TRUE(budget.spend(10, now));
  EXPECT_FALSE(budget.spend(1, now));
}

TEST(H2BudgetTest, SmallStepsOfTimeAddUp) {
  H2Budget budget{1, 10};
  auto now = std::chrono::nanoseconds{1s};
  int spent = 0;
  for (int i = 0; i < 1000; ++i, now += 10ms) spent += budget.spend(1, now) ? 1 : 0;
  EXPECT_GE(spent, 95);
  EXPECT_LE(spent, 101);
}

TEST(H2BudgetTest, WhatIsNotThereIsNotSpentInPart) {
  H2Budget budget{10, 1};
  EXPECT_FALSE(budget.spend(11, 1s));
  EXPECT_EQ(budget.left(), 0U);
}

TEST(PaceClockTest, RunsOutUnlessProgressBuysTime) {
  constexpr Pace kPace{.grace = 10s, .bytes_per_second = 100};
  PaceClock clock;
  EXPECT_FALSE(clock.expired(1h));
  clock.start(kPace, 1s);
  clock.start(kPace, 5s);  // It runs already.
  EXPECT_FALSE(clock.expired(10s));
  EXPECT_TRUE(clock.expired(11s));
  clock.credit(kPace, 200, 9s);
  EXPECT_FALSE(clock.expired(12s));
  EXPECT_TRUE(clock.expired(13s));
  clock.credit(kPace, 1 << 30, 12s);  // Never more than the grace ahead.
  EXPECT_TRUE(clock.expired(22s));
  clock.excuse(kPace, 30s);
  EXPECT_FALSE(clock.expired(39s));
  clock.stop();
  EXPECT_FALSE(clock.expired(1h));
  clock.start({.grace = 0s, .bytes_per_second = 1}, 1s);  // No limit.
  EXPECT_FALSE(clock.expired(1h));
}

}  // namespace
}  // namespace tercel::http
