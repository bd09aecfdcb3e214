#include "tercel/gateway/limits.h"

#include <array>
#include <chrono>
#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "tercel/gateway/lease.h"

namespace tercel::gateway {
namespace {

using namespace std::chrono_literals;  // NOLINT(google-build-using-namespace): only literals.
using proxy::Way;
using std::chrono::nanoseconds;

constexpr nanoseconds kStart = 1h;

edge::BudgetRules requests(std::uint32_t count) {
  return {.token = 1s, .burst = count};
}

class LimitsTest : public testing::Test {
 protected:
  void add(Limit limit) { EXPECT_EQ(config_.limits.add(std::move(limit)), std::nullopt); }
  // How many of `most` requests come through at once.
  int passed(std::string_view identity, std::string_view bucket, int most = 100) {
    int count = 0;
    for (; count < most; ++count) {
      Lease lease;
      if (lease.enter(config_, {identity}, bucket, kStart) != 0ns) break;
    }
    return count;
  }

  edge::BudgetTable table_;
  Config config_ = [this] {
    Config config;
    config.budgets = &table_;
    return config;
  }();
};

TEST_F(LimitsTest, AnIdentityHasItsBudgetWhateverTheBucket) {
  add({.per = LimitPer::kIdentity, .rules = requests(3)});
  EXPECT_EQ(passed("alice", "logs", 2), 2);
  EXPECT_EQ(passed("alice", "tmp"), 1);
  EXPECT_EQ(passed("bob", "logs"), 3);
  EXPECT_EQ(passed("carol", ""), 3);
}

TEST_F(LimitsTest, ABucketHasItsBudgetWhoeverAsks) {
  add({.per = LimitPer::kBucket, .rules = requests(3)});
  EXPECT_EQ(passed("alice", "logs", 2), 2);
  EXPECT_EQ(passed("bob", "logs"), 1);
  EXPECT_EQ(passed("bob", "tmp"), 3);
  EXPECT_EQ(passed("bob", ""), 100);
}

TEST_F(LimitsTest, APairHasItsBudget) {
  add({.per = LimitPer::kPair, .rules = requests(3)});
  EXPECT_EQ(passed("alice", "logs"), 3);
  EXPECT_EQ(passed("alice", "tmp"), 3);
  EXPECT_EQ(passed("bob", "logs"), 3);
  EXPECT_EQ(passed("logs", "alice"), 3);  // Which is which counts.
  EXPECT_EQ(passed("bob", ""), 100);
}

// Nobody in particular is everybody: one stranger is not to use up the budget of all.
TEST_F(LimitsTest, WhoHasNoIdentityIsCountedByItsAddress) {
  add({.identities = {"", "alice"}, .rules = requests(2)});
  const auto ask = [this](std::string_view identity, std::optional<ClientId> client) {
    Lease lease;
    return lease.enter(config_, {identity, client}, "logs", kStart) == 0ns;
  };
  EXPECT_TRUE(ask("", ClientId{1}) && ask("", ClientId{1}) && !ask("", ClientId{1}));
  EXPECT_TRUE(ask("", ClientId{2}) && ask("", ClientId{2}) && !ask("", ClientId{2}));
  EXPECT_TRUE(ask("", {}) && ask("", {}) && !ask("", {}));
  EXPECT_TRUE(ask("alice", ClientId{1}) && ask("alice", ClientId{2}) && !ask("alice", {}));
}

TEST_F(LimitsTest, AllShareOneBudget) {
  add({.per = LimitPer::kAll, .buckets = {"tmp-*"}, .rules = requests(3)});
  EXPECT_EQ(passed("alice", "tmp-1", 2), 2);
  EXPECT_EQ(passed("bob", "tmp-2"), 1);
  EXPECT_EQ(passed("bob", "logs"), 100);
}

TEST_F(LimitsTest, OfOneKindTheFirstThatFitsCounts) {
  add({.identities = {"admin", "root"}});
  add({.identities = {"batch-*"}, .rules = requests(7)});
  add({.rules = requests(2)});
  EXPECT_EQ(passed("admin", "logs"), 100);
  EXPECT_EQ(passed("root", "logs"), 100);
  EXPECT_EQ(passed("batch-1", "logs"), 7);
  EXPECT_EQ(passed("alice", "logs"), 2);
}

TEST_F(LimitsTest, OfSeveralKindsEachCounts) {
  add({.per = LimitPer::kIdentity, .rules = requests(5)});
  add({.per = LimitPer::kBucket, .buckets = {"logs"}, .rules = requests(3)});
  EXPECT_EQ(passed("alice", "logs"), 3);
  EXPECT_EQ(passed("alice", "tmp"), 2);  // The refused one cost nothing.
}

TEST_F(LimitsTest, ABudgetIsThatOfThePatternsWhateverTheNumbers) {
  add({.identities = {"alice"}, .rules = requests(5)});
  EXPECT_EQ(passed("alice", "logs", 4), 4);
  config_.limits = {};
  add({.per = LimitPer::kBucket, .rules = requests(50)});  // Its place in the list is another one.
  add({.identities = {"alice"}, .rules = requests(6)});
  EXPECT_EQ(passed("alice", "logs"), 2);
  config_.limits = {};
  add({.identities = {"alic?"}, .rules = requests(6)});
  EXPECT_EQ(passed("alice", "logs"), 6);
}

TEST_F(LimitsTest, PatternsOfOneListAreNotThoseOfTheOther) {
  add({.identities = {"a", "b"}, .buckets = {"c"}, .rules = requests(1)});
  add({.identities = {"a"}, .buckets = {"b", "c"}, .rules = requests(1)});
  add({.identities = {"ab"}, .buckets = {"c"}, .rules = requests(1)});
}

TEST_F(LimitsTest, OneThatWouldNeverCountIsRefused) {
  add({.identities = {"alice"}, .rules = requests(1)});
  EXPECT_TRUE(config_.limits.add({.identities = {"alice"}, .rules = requests(2)}));
  add({.per = LimitPer::kPair, .identities = {"alice"}});
}

// What tells a budget from others is the same in every process, whatever hash its table has.
TEST_F(LimitsTest, ABudgetIsDescribedForOtherProcesses) {
  add({.per = LimitPer::kIdentity, .identities = {"", "*"}, .rules = requests(1)});
  add({.per = LimitPer::kBucket, .rules = requests(1)});
  add({.per = LimitPer::kPair, .rules = requests(1)});
  add({.per = LimitPer::kAll, .rules = requests(1)});
  const auto all = [this](const Caller& caller, std::string_view bucket) {
    std::array<edge::BudgetClaim, Limits::kClaimsMax> room;
    const KeyedHash hash = KeyedHash::random();
    std::vector<std::string> texts;
    for (const edge::BudgetClaim& claim : config_.limits.claims(hash, caller, bucket, room)) {
      texts.push_back(config_.limits.describe(claim, caller, bucket));
    }
    return texts;
  };
  const auto alice = all({"alice"}, "logs");
  EXPECT_EQ(alice, all({"alice", ClientId{1}}, "logs"));
  const auto bob = all({"bob"}, "logs");
  const auto tmp = all({"alice"}, "tmp");
  const auto one = all({"", ClientId{1}}, "logs");
  const auto two = all({"", ClientId{2}}, "logs");
  const auto named = all({"1"}, "logs");
  ASSERT_EQ(alice.size(), 4U);
  EXPECT_EQ((std::set<std::string>{alice[0], bob[0], one[0], two[0], named[0]}.size()), 5U);
  EXPECT_EQ(alice[0], tmp[0]);
  EXPECT_EQ((std::set<std::string>{alice[1], bob[1], one[1]}.size()), 1U);
  EXPECT_NE(alice[1], tmp[1]);
  EXPECT_EQ((std::set<std::string>{alice[2], bob[2], tmp[2], one[2], two[2]}.size()), 5U);
  EXPECT_EQ((std::set<std::string>{alice[3], bob[3], tmp[3], one[3]}.size()), 1U);
  EXPECT_EQ((std::set<std::string>{alice.begin(), alice.end()}.size()), 4U);
}

TEST_F(LimitsTest, TheirNumberIsLimited) {
  for (std::size_t i = 0; i < Limits::kLimitsMax; ++i) {
    add({.identities = {std::to_string(i)}, .rules = requests(1)});
  }
  EXPECT_TRUE(config_.limits.add({.rules = requests(1)}));
  Limits other;
  EXPECT_TRUE(other.add({.identities = std::vector<std::string>(Limits::kPatternsMax + 1, "*")}));
}

// --- leases

TEST_F(LimitsTest, ALeaseThatIsInAsksNoMore) {
  add({.rules = requests(1)});
  Lease lease;
  EXPECT_EQ(lease.enter(config_, {"alice"}, "logs", kStart), 0ns);
  EXPECT_EQ(lease.enter(config_, {"alice"}, "logs", kStart), 0ns);
  Lease other;
  EXPECT_EQ(other.enter(config_, {"alice"}, "logs", kStart), 1s);
  EXPECT_EQ(other.enter(config_, {"alice"}, "logs", kStart + 1s), 0ns);
}

TEST_F(LimitsTest, APlaceIsFreeWhenItsLeaseIsOver) {
  add({.rules = {.concurrent = 1}});
  std::optional<Lease> lease{std::in_place};
  EXPECT_EQ(lease->enter(config_, {"alice"}, "logs", kStart), 0ns);
  EXPECT_EQ(passed("alice", "logs"), 0);
  lease.reset();
  EXPECT_EQ(passed("alice", "logs"), 100);
}

TEST_F(LimitsTest, OnlyALimitOfBytesHoldsBodiesUp) {
  add({.identities = {"alice"}, .rules = {.concurrent = 5}});
  add({.identities = {"bob"}, .rules = {.bandwidth = 65'536}});
  Lease alice;
  EXPECT_EQ(alice.enter(config_, {"alice"}, "logs", kStart), 0ns);
  EXPECT_EQ(alice.throttle(), nullptr);
  Lease bob;
  EXPECT_EQ(bob.throttle(), nullptr);
  EXPECT_EQ(bob.enter(config_, {"bob"}, "logs", kStart), 0ns);
  EXPECT_NE(bob.throttle(), nullptr);
}

class ThrottleTest : public LimitsTest {
 protected:
  static constexpr std::uint64_t kRate = 655'360;  // Ten reservations a second.
  static constexpr std::uint64_t kPart = Lease::kReservedMax;

  ThrottleTest() { add({.rules = {.bandwidth = kRate}}); }
  proxy::Throttle& throttle(Lease& lease) {
    EXPECT_EQ(lease.enter(config_, {"alice"}, "logs", kStart), 0ns);
    return *lease.throttle();
  }
};

TEST_F(ThrottleTest, ABodyGoesAtTheRateBehindASecondsWorth) {
  Lease lease;
  proxy::Throttle& one = throttle(lease);
  for (int i = 0; i < 10; ++i) {
    EXPECT_EQ(one.wait(Way::kDown, {}, kStart), 0ns) << i;
    one.passed(Way::kDown, kPart, kStart);
  }
  EXPECT_EQ(one.wait(Way::kDown, {}, kStart), 100ms);
  EXPECT_EQ(one.wait(Way::kDown, {}, kStart + 60ms), 40ms);  // Asked again: it is the same part.
  EXPECT_EQ(one.wait(Way::kDown, {}, kStart + 100ms), 0ns);
  one.passed(Way::kDown, kPart / 2, kStart + 100ms);
  EXPECT_EQ(one.wait(Way::kDown, {}, kStart + 100ms), 0ns);
  one.passed(Way::kDown, kPart / 2, kStart + 100ms);
  EXPECT_EQ(one.wait(Way::kDown, {}, kStart + 100ms), 100ms);
}

TEST_F(ThrottleTest, BothWaysShareTheRate) {
  Lease lease;
  proxy::Throttle& one = throttle(lease);
  EXPECT_EQ(one.wait(Way::kUp, {}, kStart), 0ns);
  one.passed(Way::kUp, 10 * kPart, kStart);  // More than was reserved: paid for afterwards.
  EXPECT_EQ(one.wait(Way::kDown, {}, kStart), 100ms);
}

TEST_F(ThrottleTest, TransfersHaveTheirTurns) {
  Lease first;
  Lease second;
  proxy::Throttle& one = throttle(first);
  proxy::Throttle& other = throttle(second);
  (void)one.wait(Way::kDown, {}, kStart);
  one.passed(Way::kDown, 10 * kPart, kStart);
  EXPECT_EQ(one.wait(Way::kDown, {}, kStart), 100ms);
  EXPECT_EQ(other.wait(Way::kDown, {}, kStart), 200ms);
  EXPECT_EQ(one.wait(Way::kDown, {}, kStart + 100ms), 0ns);
  one.passed(Way::kDown, kPart, kStart + 100ms);
  EXPECT_EQ(one.wait(Way::kDown, {}, kStart + 100ms), 200ms);
  EXPECT_EQ(other.wait(Way::kDown, {}, kStart + 200ms), 0ns);
}

TEST_F(ThrottleTest, ASmallBodyReservesNoMoreThanItHas) {
  Lease first;
  proxy::Throttle& one = throttle(first);
  EXPECT_EQ(one.wait(Way::kUp, 10 * kPart, kStart), 0ns);
  one.passed(Way::kUp, 10 * kPart, kStart);
  EXPECT_EQ(one.wait(Way::kUp, 10 * kPart, kStart), 0ns);  // Its end, which has no bytes.
  EXPECT_EQ(one.wait(Way::kDown, 0, kStart), 0ns);
  Lease second;
  EXPECT_EQ(throttle(second).wait(Way::kDown, kPart / 2, kStart), 50ms);
  Lease third;
  EXPECT_EQ(throttle(third).wait(Way::kDown, kPart / 2, kStart), 100ms);
}

TEST_F(ThrottleTest, WhatIsNotUsedIsGivenBack) {
  Lease first;
  proxy::Throttle& one = throttle(first);
  (void)one.wait(Way::kUp, {}, kStart);
  one.passed(Way::kUp, 10 * kPart, kStart);
  {
    Lease second;
    EXPECT_EQ(throttle(second).wait(Way::kDown, {}, kStart), 100ms);
  }
  Lease third;
  EXPECT_EQ(throttle(third).wait(Way::kDown, {}, kStart), 100ms);
}

}  // namespace
}  // namespace tercel::gateway
