#include "tercel/edge/budget.h"

#include <array>
#include <chrono>
#include <optional>
#include <vector>

#include <gtest/gtest.h>

#include "support/allocations.h"

namespace tercel::edge {
namespace {

using namespace std::chrono_literals;  // NOLINT(google-build-using-namespace): only literals.
using std::chrono::nanoseconds;

constexpr nanoseconds kStart = 1h;
constexpr std::uint64_t kAlice = std::uint64_t{1} << 20;
constexpr std::uint64_t kLogs = std::uint64_t{2} << 20;

class BudgetTest : public testing::Test {
 protected:
  // Of a request that comes and is over at once.
  nanoseconds ask(const BudgetRules& rules, nanoseconds now = kStart, std::uint64_t key = kAlice) {
    BudgetHold hold;
    const BudgetClaim claims[] = {{key, &rules}};
    return hold.enter(table_, claims, now);
  }
  int ask_until_refused(const BudgetRules& rules, nanoseconds now, std::uint64_t key = kAlice) {
    int count = 0;
    while (ask(rules, now, key) == 0ns) ++count;
    return count;
  }

  BudgetTable table_{64};
};

TEST_F(BudgetTest, RequestsComeInBurstsAndAtARate) {
  const BudgetRules rules{.token = 100ms, .burst = 5};
  EXPECT_EQ(ask_until_refused(rules, kStart), 5);
  EXPECT_EQ(ask(rules, kStart + 20ms), 80ms);
  EXPECT_EQ(ask_until_refused(rules, kStart + 300ms), 3);
  EXPECT_EQ(ask_until_refused(rules, kStart + 1h), 5);
}

TEST_F(BudgetTest, EachKeyHasABudgetOfItsOwn) {
  const BudgetRules rules{.token = 1s, .burst = 2};
  EXPECT_EQ(ask_until_refused(rules, kStart, kAlice), 2);
  EXPECT_EQ(ask_until_refused(rules, kStart, kLogs), 2);
}

TEST_F(BudgetTest, SoManyAreUnderWayAtOnce) {
  const BudgetRules rules{.concurrent = 2};
  const BudgetClaim claims[] = {{kAlice, &rules}};
  BudgetHold first;
  std::optional<BudgetHold> second{std::in_place};
  BudgetHold third;
  EXPECT_EQ(first.enter(table_, claims, kStart), 0ns);
  EXPECT_EQ(second->enter(table_, claims, kStart), 0ns);
  EXPECT_EQ(third.enter(table_, claims, kStart), BudgetHold::kPlaceTime);
  second.reset();
  EXPECT_EQ(third.enter(table_, claims, kStart), 0ns);
  EXPECT_EQ(ask(rules), BudgetHold::kPlaceTime);
}

TEST_F(BudgetTest, WhoIsRefusedByOneHasUsedNothingOfTheOthers) {
  const BudgetRules of_alice{.token = 1s, .burst = 2, .concurrent = 1};
  const BudgetRules of_logs{.token = 10s, .burst = 1};
  EXPECT_EQ(ask(of_logs, kStart, kLogs), 0ns);
  const BudgetClaim claims[] = {{kAlice, &of_alice}, {kLogs, &of_logs}};
  BudgetHold hold;
  for (int i = 0; i < 5; ++i) EXPECT_EQ(hold.enter(table_, claims, kStart), 10s);
  EXPECT_EQ(ask_until_refused(of_alice, kStart), 2);
}

TEST_F(BudgetTest, OtherNumbersLeaveWhatWasUsed) {
  const BudgetRules before{.token = 1s, .burst = 4, .concurrent = 5};
  const BudgetRules after{.token = 1s, .burst = 2, .concurrent = 1};
  EXPECT_EQ(ask_until_refused(before, kStart), 4);
  EXPECT_EQ(ask(after, kStart), 3s);
  const BudgetClaim claims[] = {{kAlice, &before}};
  BudgetHold under_way;
  EXPECT_EQ(under_way.enter(table_, claims, kStart + 1h), 0ns);
  EXPECT_EQ(ask(after, kStart + 1h), BudgetHold::kPlaceTime);
}

TEST_F(BudgetTest, BytesGoAtTheirRateBehindThoseBefore) {
  const BudgetRules rules{.bandwidth = 1'000'000};
  const BudgetClaim claims[] = {{kAlice, &rules}};
  BudgetHold one;
  BudgetHold other;
  EXPECT_EQ(one.enter(table_, claims, kStart), 0ns);
  EXPECT_EQ(other.enter(table_, claims, kStart), 0ns);
  EXPECT_TRUE(one.limits_bytes());
  EXPECT_EQ(one.reserve(600'000, kStart), kStart);
  EXPECT_EQ(other.reserve(600'000, kStart), kStart + 200ms);
  EXPECT_EQ(one.reserve(100'000, kStart), kStart + 300ms);
  other.give_back(100'000);
  EXPECT_EQ(one.reserve(100'000, kStart), kStart + 300ms);
}

TEST_F(BudgetTest, TheSlowestBudgetSetsThePace) {
  const BudgetRules fast{.bandwidth = 10'000'000};
  const BudgetRules slow{.bandwidth = 100'000};
  const BudgetRules none{.concurrent = 9};
  const BudgetClaim claims[] = {{kAlice, &fast}, {kLogs, &slow}, {kLogs << 1, &none}};
  BudgetHold hold;
  EXPECT_EQ(hold.enter(table_, claims, kStart), 0ns);
  EXPECT_EQ(hold.reserve(300'000, kStart), kStart + 2s);
}

TEST_F(BudgetTest, WhoWouldWaitForLongIsToldToComeAgain) {
  const BudgetRules rules{.bandwidth = 100'000};
  const BudgetClaim claims[] = {{kAlice, &rules}};
  BudgetHold hold;
  EXPECT_EQ(hold.enter(table_, claims, kStart), 0ns);
  (void)hold.reserve(1'100'000, kStart);  // A second's worth at once, and ten to come.
  EXPECT_EQ(ask(rules, kStart), 0ns);
  (void)hold.reserve(100'000, kStart);
  EXPECT_EQ(ask(rules, kStart), 1s);
  EXPECT_EQ(ask(rules, kStart + 1s), 0ns);
}

TEST_F(BudgetTest, RulesWithoutNumbersLimitNothing) {
  EXPECT_FALSE(BudgetRules{}.limits());
  EXPECT_TRUE(BudgetRules{.token = 1ns}.limits());
  EXPECT_TRUE(BudgetRules{.concurrent = 1}.limits());
  EXPECT_TRUE(BudgetRules{.bandwidth = 65'536}.limits());
}

// Nobody is refused for what others do: who finds no place is not limited.
TEST_F(BudgetTest, WithoutAPlaceNobodyIsRefused) {
  BudgetTable small{BudgetTable::Places::kWays};
  const BudgetRules rules{.concurrent = 1, .bandwidth = 65'536};
  std::array<BudgetHold, BudgetTable::Places::kWays + 1> holds;
  for (std::size_t i = 0; i < holds.size(); ++i) {
    const BudgetClaim claims[] = {{(i + 1) << 20, &rules}};
    EXPECT_EQ(holds[i].enter(small, claims, kStart), 0ns);
    EXPECT_EQ(holds[i].limits_bytes(), i + 1 < holds.size());
  }
  EXPECT_EQ(holds.back().reserve(1'000'000, kStart), kStart);
}

TEST_F(BudgetTest, TheLargestNumbersDoNotOverflow) {
  const BudgetRules slow{.token = 1'000s, .burst = 1'000'000, .bandwidth = 65'536};
  EXPECT_EQ(ask_until_refused(slow, kStart), 1'000'000);
  EXPECT_EQ(slow.time_of(UINT64_MAX), 65536s - 15259ns);
  const BudgetRules fast{.bandwidth = std::uint64_t{1} << 40};
  EXPECT_EQ(fast.time_of(65'536), 59ns);
}

TEST_F(BudgetTest, NothingIsAllocatedForARequest) {
  const BudgetRules rules{.token = 1ms, .burst = 10, .concurrent = 5, .bandwidth = 1'000'000};
  const test::AllocationCount count;
  for (std::uint64_t i = 1; i <= 1000; ++i) {
    BudgetHold hold;
    const BudgetClaim claims[] = {{i << 20, &rules}, {i, &rules}};
    (void)hold.enter(table_, claims, kStart);
    (void)hold.reserve(1000, kStart);
  }
  EXPECT_EQ(count.so_far(), 0U);
}

}  // namespace
}  // namespace tercel::edge
