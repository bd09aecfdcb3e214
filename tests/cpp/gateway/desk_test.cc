#include "tercel/gateway/desk.h"

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "support/failing_syscalls.h"
#include "support/manual_clock.h"

namespace tercel::gateway {
namespace {

using namespace std::chrono_literals;  // NOLINT(google-build-using-namespace): only literals.

// Keeps what it is asked until the test answers.
class TestPolicy final : public Policy {
 public:
  void ask(std::unique_ptr<Inquiry> inquiry) noexcept override {
    asked.push_back(std::move(inquiry));
  }
  void answer(Answer answer) {
    std::unique_ptr<Inquiry> inquiry = std::move(asked.front());
    asked.erase(asked.begin());
    inquiry->answer = std::move(answer);
    reply(std::move(inquiry));
  }
  std::vector<std::unique_ptr<Inquiry>> asked;
};

template <typename Value>
struct TestWaiter final : AnswerCache<Value>::Waiter {
  void on_answer(const SharedConst<Value>& value) noexcept override { told.push_back(value); }
  std::vector<SharedConst<Value>> told;
};

Answer allow(Scope scope, std::chrono::nanoseconds holds) {
  return {Decision{Verdict::kYes, scope, ""}, holds, holds};
}

class DeskTest : public testing::Test {
 protected:
  DeskTest() : loop_{*net::Loop::create(clock_, syscalls_)} { open(); }
  void open(std::size_t entries_max = 100) {
    desk_.reset();
    auto created = Desk::create(*loop_, policy_, changes_, counts_, entries_max);
    ASSERT_TRUE(created);
    desk_ = *std::move(created);
  }
  void turn() {
    EXPECT_TRUE(loop_->wait(0ns));
    loop_->dispatch();
  }
  Desk::State decide(const DecisionFacts& facts) {
    return desk_->decision(facts, "AK", decisions_).state;
  }

  test::ManualClock clock_;
  test::FailingSyscalls syscalls_;
  std::unique_ptr<net::Loop> loop_;
  TestPolicy policy_;
  Changes changes_;
  Counts counts_;
  TestWaiter<FrontKey> keys_;
  TestWaiter<Decision> decisions_;
  std::unique_ptr<Desk> desk_;
};

TEST_F(DeskTest, OneQuestionForAllWhoWaitAndNoneWhileItHolds) {
  TestWaiter<FrontKey> other;
  EXPECT_EQ(desk_->key("AK", keys_).state, Desk::State::kWaits);
  EXPECT_EQ(desk_->key("AK", other).state, Desk::State::kWaits);
  ASSERT_EQ(policy_.asked.size(), 1);
  EXPECT_EQ(policy_.asked[0]->question.access_key, "AK");
  policy_.answer({FrontKey{Verdict::kYes, SecretText{"secret"}, {}, "alice"}, 10s, 10s});
  EXPECT_TRUE(keys_.told.empty());
  turn();
  ASSERT_EQ(keys_.told.size(), 1);
  ASSERT_EQ(other.told.size(), 1);
  EXPECT_EQ(keys_.told[0]->secret.view(), "secret");
  const auto known = desk_->key("AK", keys_);
  ASSERT_EQ(known.state, Desk::State::kKnown);
  EXPECT_EQ(known.value->identity, "alice");
  EXPECT_TRUE(policy_.asked.empty());
  EXPECT_EQ(counts_.get(Counts::policy_asked), 1U);
  EXPECT_EQ(counts_.get(Counts::policy_known), 1U);
}

TEST_F(DeskTest, EachSecretHasAVersionOfItsOwn) {
  std::vector<std::uint64_t> versions;
  for (int i = 0; i < 2; ++i) {
    (void)desk_->key("AK", keys_);
    policy_.answer({FrontKey{Verdict::kYes, SecretText{"secret"}}, 0s, 0s});
    turn();
    versions.push_back(keys_.told.back()->version);
  }
  EXPECT_NE(versions[0], versions[1]);
}

TEST_F(DeskTest, ADecisionHoldsForWhatItsScopeSays) {
  const DecisionFacts one{
      .identity = "a", .bucket = "b", .operation = "GetObject", .key = "x/1", .place = "x/1"};
  DecisionFacts two = one;
  two.key = two.place = "x/2";
  EXPECT_EQ(decide(one), Desk::State::kWaits);
  policy_.answer(allow(Scope::kRequest, 10s));
  turn();
  EXPECT_EQ(decide(one), Desk::State::kKnown);
  EXPECT_EQ(decide(two), Desk::State::kWaits);
  policy_.answer(allow(Scope::kPrefix, 10s));
  turn();
  EXPECT_EQ(decisions_.told.size(), 2);
  EXPECT_EQ(decide(two), Desk::State::kKnown);
  two.key = two.place = "x/3";
  EXPECT_EQ(decide(two), Desk::State::kKnown);
  two.operation = "PutObject";
  EXPECT_EQ(decide(two), Desk::State::kWaits);
}

TEST_F(DeskTest, ANarrowRefusalCountsBeforeAWidePermission) {
  DecisionFacts secret{.identity = "a", .bucket = "b", .operation = "GetObject", .key = "s"};
  (void)decide(secret);
  policy_.answer({Decision{Verdict::kNo, Scope::kRequest, ""}, 10s, 10s});
  turn();
  DecisionFacts other = secret;
  other.key = "o";
  (void)decide(other);
  policy_.answer(allow(Scope::kBucket, 10s));
  turn();
  EXPECT_EQ(desk_->decision(secret, "AK", decisions_).value->verdict, Verdict::kNo);
  EXPECT_EQ(desk_->decision(other, "AK", decisions_).value->verdict, Verdict::kYes);
}

TEST_F(DeskTest, AnAnswerOfAnotherKindIsAFailure) {
  (void)desk_->key("AK", keys_);
  policy_.answer(allow(Scope::kRequest, 10s));
  turn();
  ASSERT_EQ(keys_.told.size(), 1);
  EXPECT_EQ(keys_.told[0]->verdict, Verdict::kFailed);
}

TEST_F(DeskTest, CredentialsAreOfABucketAndAnIdentity) {
  TestWaiter<Credentials> alice, bob, rule;
  (void)desk_->credentials("b", "alice", "", alice);
  (void)desk_->credentials("b", "bob", "", bob);
  (void)desk_->credentials("", "", "b", rule);
  EXPECT_EQ(policy_.asked.size(), 3);
}

TEST_F(DeskTest, WhatIsForgottenIsAskedAgain) {
  const DecisionFacts facts{.identity = "alice", .bucket = "b"};
  (void)decide(facts);
  policy_.answer(allow(Scope::kBucket, 10s));
  (void)desk_->key("AK", keys_);
  policy_.answer({FrontKey{Verdict::kYes, SecretText{"s"}}, 10s, 10s});
  turn();
  changes_.add({"", "bob", ""});
  EXPECT_EQ(decide(facts), Desk::State::kKnown);
  changes_.add({"", "alice", ""});
  EXPECT_EQ(decide(facts), Desk::State::kWaits);
  EXPECT_EQ(desk_->key("AK", keys_).state, Desk::State::kKnown);
  changes_.add({"AK", "", ""});
  EXPECT_EQ(desk_->key("AK", keys_).state, Desk::State::kWaits);
}

TEST_F(DeskTest, AnAnswerUnderWayIsNotBelievedAfterItWasToBeForgotten) {
  (void)desk_->key("AK", keys_);
  policy_.answer({FrontKey{Verdict::kYes, SecretText{"old"}}, 10s, 10s});
  changes_.add({"AK", "", ""});
  turn();
  ASSERT_EQ(keys_.told.size(), 1);
  EXPECT_FALSE(keys_.told[0]);
  EXPECT_EQ(desk_->key("AK", keys_).state, Desk::State::kWaits);
}

// A wide scope does not carry it past what it was forgotten by.
TEST_F(DeskTest, NorIsAWideDecisionUnderWay) {
  const DecisionFacts facts{.identity = "alice", .bucket = "b", .key = "k"};
  (void)decide(facts);
  policy_.answer(allow(Scope::kBucket, 10s));
  changes_.add({"", "alice", ""});
  turn();
  EXPECT_EQ(decide(facts), Desk::State::kWaits);
}

TEST_F(DeskTest, ALoopThatMissedMoreThanAreKeptForgetsAll) {
  (void)desk_->key("AK", keys_);
  policy_.answer({FrontKey{Verdict::kYes, SecretText{"old"}}, 10s, 10s});
  turn();
  for (std::size_t i = 0; i < Changes::kKept; ++i) changes_.add({"other", "", ""});
  EXPECT_EQ(desk_->key("AK", keys_).state, Desk::State::kKnown);
  for (std::size_t i = 0; i <= Changes::kKept; ++i) changes_.add({"other", "", ""});
  EXPECT_EQ(desk_->key("AK", keys_).state, Desk::State::kWaits);
}

TEST_F(DeskTest, MoreQuestionsThanPlacesAreRefused) {
  open(1);
  TestWaiter<FrontKey> other;
  EXPECT_EQ(desk_->key("A", keys_).state, Desk::State::kWaits);
  EXPECT_EQ(desk_->key("B", other).state, Desk::State::kRefused);
}

// Strangers can ask about nobody at will.
TEST_F(DeskTest, WhatIsAllowedToNobodyGivesWayToWhatIsAllowedToOthers) {
  open(4);
  const auto ask = [this](std::string_view identity, std::string_view key) {
    const auto state = decide({.identity = identity, .bucket = "b", .operation = "o", .key = key});
    if (state != Desk::State::kWaits) return false;
    policy_.answer(allow(Scope::kRequest, 10s));
    turn();
    return true;
  };
  EXPECT_TRUE(ask("alice", "k"));
  for (const char* const key : {"1", "2", "3", "4", "5", "6", "7", "8"}) EXPECT_TRUE(ask("", key));
  EXPECT_FALSE(ask("alice", "k"));
}

TEST_F(DeskTest, WhoWaitForABudgetAreToldTogetherAndAskAgain) {
  const std::string text = "alice";
  const edge::BudgetRules rules{.token = 1s, .burst = 5};
  TestWaiter<Granted> one;
  TestWaiter<Granted> other;
  for (unsigned round = 1; round <= 2; ++round) {
    EXPECT_EQ(desk_->budget({text, 7, rules}, &one), Desk::State::kWaits);
    EXPECT_EQ(desk_->budget({text, 7, rules}, &other), Desk::State::kWaits);
    ASSERT_EQ(policy_.asked.size(), 1U);
    const Question& question = policy_.asked[0]->question;
    EXPECT_EQ(question.budget, "alice");
    EXPECT_EQ(question.budget_key, 7U);
    EXPECT_EQ(question.rules.token, 1s);
    EXPECT_EQ(question.rules.burst, 5U);
    policy_.answer({});
    turn();
    EXPECT_EQ(one.told.size(), round);
    EXPECT_EQ(other.told.size(), round);
  }
  EXPECT_TRUE(one.told[0]);
  // Nobody waits for what is asked ahead.
  EXPECT_EQ(desk_->budget({text, 7, rules}, nullptr), Desk::State::kWaits);
  policy_.answer({});
  turn();
  EXPECT_EQ(one.told.size(), 2U);
  EXPECT_EQ(counts_.get(Counts::limits_asked), 3U);
  EXPECT_EQ(counts_.get(Counts::policy_asked), 0U);
}

TEST_F(DeskTest, AnswersOfOtherGatewaysAreCounted) {
  (void)decide({.identity = "a", .bucket = "b"});
  Answer answer = allow(Scope::kRequest, 10s);
  answer.shared = true;
  policy_.answer(std::move(answer));
  turn();
  EXPECT_EQ(counts_.get(Counts::policy_asked), 1U);
  EXPECT_EQ(counts_.get(Counts::policy_shared), 1U);
}

TEST_F(DeskTest, AReplyToADeskThatIsGoneIsDropped) {
  TestWaiter<FrontKey> other;
  (void)desk_->key("A", keys_);
  (void)desk_->key("B", other);
  policy_.answer({FrontKey{}, 1s, 1s});  // In the mailbox of the desk when it goes.
  desk_.reset();
  policy_.answer({FrontKey{}, 1s, 1s});
  EXPECT_TRUE(policy_.asked.empty());
}

TEST_F(DeskTest, BucketsAreForgottenByTheirName) {
  TestWaiter<ResolvedBucket> waiter;
  TestWaiter<ResolvedBucket> other;
  const auto ask = [&](std::string_view bucket) {
    return desk_->bucket(bucket, bucket == "a" ? waiter : other).state;
  };
  for (const std::string_view bucket : {"a", "b"}) {
    EXPECT_EQ(ask(bucket), Desk::State::kWaits);
    EXPECT_EQ(policy_.asked.front()->question.bucket, bucket);
    policy_.answer({ResolvedBucket{Verdict::kYes, SharedConst<Backend>{Backend{}}}, 10s, 10s});
    turn();
  }
  EXPECT_EQ(waiter.told.size() + other.told.size(), 2U);
  changes_.add({"", "", "a"});
  EXPECT_EQ(ask("b"), Desk::State::kKnown);
  EXPECT_EQ(ask("a"), Desk::State::kWaits);
  changes_.add({"AK", "alice", ""});
  EXPECT_EQ(ask("b"), Desk::State::kKnown);
  changes_.add({"", "", ""});
  EXPECT_EQ(ask("b"), Desk::State::kWaits);
}

}  // namespace
}  // namespace tercel::gateway
