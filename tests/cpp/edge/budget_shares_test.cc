#include "tercel/edge/budget_shares.h"

#include <atomic>
#include <chrono>
#include <cstdint>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "support/allocations.h"
#include "tercel/edge/budget.h"

namespace tercel::edge {
namespace {

using namespace std::chrono_literals;  // NOLINT(google-build-using-namespace): only literals.
using std::chrono::nanoseconds;

constexpr nanoseconds kStart = 1h;
constexpr nanoseconds kUnknown = BudgetShares::kUnknown;
constexpr std::uint64_t kAlice = std::uint64_t{1} << 20;
constexpr std::uint64_t kLogs = std::uint64_t{2} << 20;
constexpr BudgetRules kSlow{.token = 1s, .burst = 3};
constexpr BudgetRules kFast{.token = 1ms, .burst = 1'000};

class BudgetSharesTest : public testing::Test {
 protected:
  nanoseconds take(nanoseconds now = kStart, std::uint64_t key = kAlice) {
    return shares_.take(key, now).wait;
  }
  // How many pass until one does not.
  int take_all(nanoseconds now = kStart) {
    int count = 0;
    while (take(now) == 0ns) ++count;
    return count;
  }
  // As whoever asks does, of a budget that has `there` requests.
  std::uint32_t ask(const BudgetRules& rules, std::uint32_t there, nanoseconds now = kStart) {
    const std::uint32_t wanted = shares_.wanted(kAlice, rules, now);
    const std::uint32_t given = std::min(wanted, there);
    shares_.grant(kAlice, {.count = given, .wait = given < wanted ? 5s : 0s}, now);
    return wanted;
  }

  BudgetShares shares_{64};
};

TEST_F(BudgetSharesTest, NothingPassesThatWasNotGranted) {
  for (int i = 0; i < 5; ++i) EXPECT_EQ(take(), kUnknown);
  EXPECT_EQ(ask(kSlow, 100), 5);
  EXPECT_EQ(take_all(), 5);
  EXPECT_EQ(take(), kUnknown);
  EXPECT_EQ(take(kStart, kLogs), kUnknown);
}

TEST_F(BudgetSharesTest, WhatIsUsedUpIsRefusedWithoutAQuestion) {
  for (int i = 0; i < 5; ++i) EXPECT_EQ(take(), kUnknown);
  EXPECT_EQ(ask(kSlow, 2), 5);
  EXPECT_EQ(take(), 0ns);
  EXPECT_EQ(take(), 0ns);
  EXPECT_EQ(take(), 5s);
  EXPECT_EQ(take(kStart + 999ms), 4001ms);
  EXPECT_EQ(take(kStart + BudgetShares::kRefusal), kUnknown);
}

// Where requests are few none is held ahead: each is asked for, and the sum is exact.
TEST_F(BudgetSharesTest, OfASlowBudgetNothingIsHeldAhead) {
  for (int i = 0; i < 20; ++i) {
    const nanoseconds now = kStart + i * 50ms;
    EXPECT_EQ(take(now), kUnknown);
    EXPECT_EQ(ask(kSlow, 100, now), 1);
    EXPECT_EQ(take(now), 0ns);
  }
}

TEST_F(BudgetSharesTest, WhoIsBusyHoldsAheadWhatPassesInATenthOfASecond) {
  nanoseconds now = kStart;
  int questions = 0;
  int passed = 0;
  for (; now < kStart + 2s; now += 2ms) {  // Half of the rate.
    auto taken = shares_.take(kAlice, now);
    if (taken.wait == kUnknown || taken.ahead) {
      ++questions;
      EXPECT_LE(ask(kFast, 1'000'000, now), 101);
    }
    if (taken.wait == kUnknown) taken = shares_.take(kAlice, now);
    passed += taken.wait == 0ns ? 1 : 0;
  }
  EXPECT_EQ(passed, 1'000);
  EXPECT_LT(questions, 50);
  EXPECT_GT(questions, 10);
  EXPECT_LE(take_all(now), 100);
}

TEST_F(BudgetSharesTest, OneAsksAhead) {
  for (int i = 0; i < 100; ++i) EXPECT_EQ(take(), kUnknown);
  ask(kFast, 1'000);
  EXPECT_EQ(take_all(), 100);
  EXPECT_GE(ask(kFast, 1'000, kStart + 100ms), 100);
  int asked = 0;
  for (int i = 0; i < 90; ++i) asked += shares_.take(kAlice, kStart + 100ms).ahead ? 1 : 0;
  EXPECT_EQ(asked, 1);
  // And again when there was no answer to it.
  EXPECT_TRUE(shares_.take(kAlice, kStart + 100ms + BudgetShares::kRefusal).wait == kUnknown);
}

TEST_F(BudgetSharesTest, WhatIsNotUsedIsGone) {
  EXPECT_EQ(take(), kUnknown);
  ask(kFast, 1'000);
  EXPECT_EQ(take(kStart + BudgetShares::kLifetime), kUnknown);
  ask(kSlow, 1'000, kStart + 10s);
  EXPECT_EQ(take(kStart + 11999ms), 0ns);
}

TEST_F(BudgetSharesTest, WhatIsGivenBackIsThereAgain) {
  EXPECT_EQ(take(), kUnknown);
  ask(kSlow, 1);
  EXPECT_EQ(take(), 0ns);
  shares_.give_back(kAlice, kStart);
  EXPECT_EQ(take(), 0ns);
  EXPECT_EQ(take(), kUnknown);
}

TEST_F(BudgetSharesTest, AHoldTakesRequestsOfSharesOrNone) {
  BudgetTable table{64};
  const BudgetRules by_bucket{.token = 1s, .burst = 100};
  const BudgetClaim claims[] = {{kAlice, &kSlow, 7}, {kLogs, &by_bucket, 8}};
  const auto enter = [&](SharedUse use) {
    BudgetHold hold;
    const nanoseconds wait = hold.enter(table, claims, kStart, use);
    return std::pair{wait, use.ask_count != 0 ? use.asks[0]->tag : 0};
  };
  const SharedUse use{.shares = &shares_};
  EXPECT_EQ(enter(use), (std::pair{kUnknown, 7U}));
  shares_.grant(kAlice, {.count = 1}, kStart);
  EXPECT_EQ(enter(use), (std::pair{kUnknown, 8U}));  // And alice's is given back.
  shares_.grant(kLogs, {.count = 5}, kStart);
  EXPECT_EQ(enter(use), (std::pair{nanoseconds{0}, 0U}));
  EXPECT_EQ(enter(use), (std::pair{kUnknown, 7U}));
  // Alone it limits for itself, and knows what passed.
  shares_.set_alone(true);
  EXPECT_EQ(enter(use).first, 0ns);
  EXPECT_EQ(enter(use).first, 0ns);
  EXPECT_EQ(enter(use).first, 1s);
  EXPECT_EQ(take_all(), 0);
}

TEST_F(BudgetSharesTest, BytesAreToldOfBudgetsThatAreFollowed) {
  BudgetTable table{64};
  const BudgetRules rules{.bandwidth = 1'000'000};
  const BudgetClaim claims[] = {{kAlice, &rules, 7}, {kLogs, &rules, 8}};
  const auto asks = [&](BudgetHold& hold, nanoseconds now) {
    SharedUse use{.shares = &shares_};
    EXPECT_EQ(hold.enter(table, claims, now, use), 0ns);
    std::vector<std::uint32_t> tags;
    for (std::size_t i = 0; i < use.ask_count; ++i) tags.push_back(use.asks[i]->tag);
    return tags;
  };
  BudgetHold one;
  BudgetHold other;
  EXPECT_EQ(asks(one, kStart), (std::vector{7U, 8U}));
  EXPECT_EQ(asks(other, kStart), std::vector<std::uint32_t>{});
  (void)one.reserve(300'000, kStart);
  (void)other.reserve(200'000, kStart);
  other.give_back(50'000);
  EXPECT_EQ(shares_.take_bytes(kAlice, kStart), 450'000);
  EXPECT_EQ(shares_.take_bytes(kLogs, kStart), 450'000);
  EXPECT_EQ(shares_.take_bytes(kAlice, kStart + 900ms), 0);
  // It is followed for a second from then on.
  other.leave();
  EXPECT_EQ(asks(other, kStart + 1500ms), std::vector{8U});
  shares_.leave(kAlice);
  EXPECT_TRUE(table.places().is_pinned(kAlice));
  one.leave();
  EXPECT_TRUE(table.places().is_pinned(kAlice));
  other.leave();
  EXPECT_FALSE(table.places().is_pinned(kAlice));
  EXPECT_EQ(asks(one, kStart + 1500ms), std::vector{7U});
  // Alone nothing is told.
  shares_.set_alone(true);
  EXPECT_EQ(asks(other, kStart + 10s), std::vector<std::uint32_t>{});
  (void)other.reserve(300'000, kStart);
  EXPECT_EQ(shares_.take_bytes(kAlice, kStart), 0);
}

// One question tells all that is to be known about a budget.
TEST_F(BudgetSharesTest, ABudgetIsAskedAboutOnce) {
  BudgetTable table{64};
  const BudgetRules rules{.token = 1ms, .burst = 1'000, .bandwidth = 1'000'000};
  const BudgetClaim claims[] = {{kAlice, &rules}};
  for (int i = 0; i < 100; ++i) (void)take();
  ask(rules, 1'000);
  (void)take_all();
  ask(rules, 1'000);
  for (int i = 0; i < 50; ++i) (void)take();
  SharedUse use{.shares = &shares_};
  BudgetHold hold;
  EXPECT_EQ(hold.enter(table, claims, kStart, use), 0ns);
  EXPECT_EQ(use.ask_count, 1U);
  EXPECT_TRUE(shares_.take(kAlice, kStart + BudgetShares::kRefusal).wait == kUnknown);
}

TEST_F(BudgetSharesTest, WhatOthersReservedHoldsUp) {
  BudgetTable table{64};
  const BudgetRules rules{.bandwidth = 1'000'000};
  const BudgetClaim claims[] = {{kAlice, &rules}};
  BudgetHold hold;
  EXPECT_EQ(hold.enter(table, claims, kStart), 0ns);
  table.hold_up(kAlice, kStart + 1500ms);
  EXPECT_EQ(hold.reserve(100'000, kStart), kStart + 600ms);
  table.hold_up(kAlice, kStart + 1s);  // That is known.
  EXPECT_EQ(hold.reserve(100'000, kStart), kStart + 700ms);
}

TEST_F(BudgetSharesTest, ManyThreadsTakeWhatIsThereOnce) {
  for (int i = 0; i < 10'000; ++i) (void)take();
  EXPECT_EQ(ask(kSlow, 10'000), 10'000);
  std::atomic<int> passed{0};
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) threads.emplace_back([&] { passed += take_all(); });
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(passed, 10'000);
}

TEST_F(BudgetSharesTest, TheLargestNumbersDoNotOverflow) {
  constexpr std::uint32_t kMost = BudgetShares::kCountMax;
  for (int i = 0; i < 2; ++i) shares_.grant(kAlice, {.count = kMost}, kStart);
  EXPECT_EQ(take(), 0ns);
  EXPECT_EQ(take(kStart + 499ms), 0ns);
  EXPECT_LE(shares_.wanted(kAlice, {.token = 1ns, .burst = kMost}, kStart + 499ms), kMost);
}

TEST_F(BudgetSharesTest, NothingIsAllocated) {
  const test::AllocationCount allocations;
  for (int i = 0; i < 10; ++i) (void)take();
  ask(kSlow, 5);
  (void)take_all();
  EXPECT_EQ(allocations.so_far(), 0U);
}

}  // namespace
}  // namespace tercel::edge
