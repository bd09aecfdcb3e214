#include "tercel/gateway/attempts.h"

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

#include <gtest/gtest.h>

namespace tercel::gateway {
namespace {

using namespace std::chrono_literals;  // NOLINT(google-build-using-namespace): only literals.
using proxy::FailedAttempt;
using proxy::Progress;

class AttemptsTest : public testing::Test {
 protected:
  AttemptsTest() { set(3); }
  void set(int count) {
    backend_ = {};
    backend_.host = "a";
    for (int i = 1; i < count; ++i) {
      Endpoint other;
      other.host = std::string(1, static_cast<char>('a' + i));
      backend_.others.push_back(other);
    }
  }
  std::string next(Attempts& attempts, std::size_t turn = 0) {
    return attempts.next(backend_, now_, turn).host;
  }
  std::string first(std::size_t turn = 0) {
    Attempts attempts;
    return next(attempts, turn);
  }
  static FailedAttempt unreachable() {
    return {.error = Errc::kUpstreamUnreachable, .replayable = true, .method = "PUT"};
  }
  static FailedAttempt answered(std::uint16_t status, std::string_view method = "GET") {
    return {
        .status = status, .progress = Progress::kAnswered, .replayable = true, .method = method};
  }
  auto after(Attempts& attempts, const FailedAttempt& failed) {
    return attempts.after(failed, now_, counts_);
  }
  void rest(std::size_t index) {
    for (unsigned i = 0; i < EndpointHealth::kFailures; ++i) {
      static_cast<void>(backend_.endpoint(index).health->failed(now_));
    }
  }

  Backend backend_;
  Counts counts_;
  std::chrono::nanoseconds now_ = 1000s;
};

TEST_F(AttemptsTest, TheFirstThatDoesNotRestIsAsked) {
  EXPECT_EQ(first(1), "a");
  rest(0);
  EXPECT_EQ(first(), "b");
  rest(1);
  EXPECT_EQ(first(), "c");
  now_ += EndpointHealth::kRestMin;
  EXPECT_EQ(first(), "a") << "one tries it";
  EXPECT_EQ(first(), "b") << "and another one the next";
  EXPECT_EQ(first(), "c");
}

TEST_F(AttemptsTest, TheyMayBeAskedInTurn) {
  backend_.takes_turns = true;
  EXPECT_EQ(first(0) + first(1) + first(2) + first(3), "abca");
  rest(1);
  EXPECT_EQ(first(0) + first(1) + first(2) + first(3), "acca");
}

TEST_F(AttemptsTest, WhenAllRestItIsTheOneThatRestsLongest) {
  rest(1);
  now_ += 100ms;
  rest(0);
  now_ += 100ms;
  rest(2);
  EXPECT_EQ(first(), "b");
}

TEST_F(AttemptsTest, ARequestGoesOnToTheNextAndToEachOnce) {
  Attempts attempts;
  EXPECT_EQ(next(attempts), "a");
  EXPECT_EQ(after(attempts, unreachable()), 0ns);
  EXPECT_EQ(next(attempts), "b");
  EXPECT_EQ(after(attempts, unreachable()), 0ns);
  EXPECT_EQ(next(attempts), "c");
  FailedAttempt third = unreachable();
  third.attempt = 3;
  EXPECT_EQ(after(attempts, third), std::nullopt);
  EXPECT_EQ(counts_.get(Counts::failed_over), 2U);
  EXPECT_EQ(counts_.get(Counts::retried), 0U);
}

TEST_F(AttemptsTest, OneThatRestsIsNotWorthAnAttemptAtOnce) {
  set(2);
  rest(1);
  Attempts attempts;
  EXPECT_EQ(next(attempts), "a");
  FailedAttempt failed = unreachable();
  failed.error = Errc::kUpstreamTimeout;
  EXPECT_EQ(after(attempts, failed), std::nullopt) << "it has taken long enough";
  // A repetition goes there nevertheless: this one has just failed.
  EXPECT_GT(after(attempts, answered(500)), 0ns);
  EXPECT_EQ(next(attempts), "b");
  EXPECT_EQ(counts_.get(Counts::retried), 1U);
}

TEST_F(AttemptsTest, WhenAllRestEachIsAskedOnceWhereThatTakesNoTime) {
  for (const std::size_t index : {2, 0, 1}) {
    rest(index);
    now_ += 1ms;
  }
  Attempts attempts;
  for (const std::string_view name : {"c", "a"}) {
    EXPECT_EQ(next(attempts), name);
    EXPECT_EQ(after(attempts, unreachable()), 0ns);
  }
  EXPECT_EQ(next(attempts), "b");
  FailedAttempt last = unreachable();
  last.attempt = 3;
  EXPECT_EQ(after(attempts, last), std::nullopt);
}

TEST_F(AttemptsTest, AStatusGoesOnWithoutAPauseAndIsCounted) {
  set(2);
  Attempts attempts;
  EXPECT_EQ(next(attempts), "a");
  EXPECT_EQ(after(attempts, answered(500, "PUT")), std::nullopt) << "it may have been done";
  EXPECT_EQ(after(attempts, answered(503)), 0ns);
  EXPECT_EQ(next(attempts), "b");
  EXPECT_GT(after(attempts, answered(503)), 0ns) << "back where it failed, after a pause";
  EXPECT_EQ(next(attempts), "a");
  EXPECT_EQ(after(attempts, answered(503)), std::nullopt);
}

TEST_F(AttemptsTest, WhatIsNotTheEndpointsFaultIsNotHeldAgainstIt) {
  FailedAttempt stale{.error = Errc::kUpstreamReset,
                      .progress = Progress::kHeadSent,
                      .reused = true,
                      .replayable = true,
                      .method = "GET"};
  FailedAttempt busy{.error = Errc::kUpstreamBusy, .replayable = true, .method = "GET"};
  FailedAttempt clients{.error = Errc::kTruncated, .replayable = true, .method = "GET"};
  for (int i = 0; i < 10; ++i) {
    Attempts attempts;
    EXPECT_EQ(next(attempts), "a");
    EXPECT_EQ(after(attempts, stale), 0ns);
    EXPECT_EQ(next(attempts), "a") << "the same once more, on a new connection";
    static_cast<void>(after(attempts, busy));
    static_cast<void>(after(attempts, clients));
  }
  EXPECT_EQ(backend_.health->failures(), 0U);
}

TEST_F(AttemptsTest, AnAnswerInTheMiddleOfWhichItBrokeIsItsFault) {
  for (unsigned i = 0; i < EndpointHealth::kFailures; ++i) {
    Attempts attempts;
    EXPECT_EQ(next(attempts), "a");
    EXPECT_EQ(after(attempts, {.error = Errc::kUpstreamTruncated, .progress = Progress::kAnswered}),
              std::nullopt);
  }
  EXPECT_EQ(first(), "b");
  EXPECT_EQ(counts_.get(Counts::rested), 1U);
}

TEST_F(AttemptsTest, SuccessEndsARest) {
  set(2);
  rest(0);
  rest(1);
  Attempts attempts;
  EXPECT_EQ(next(attempts), "a");
  attempts.passed();
  EXPECT_FALSE(backend_.health->rests());
  EXPECT_TRUE(backend_.endpoint(1).health->rests());
}

// Of a backend that a redirect names, each request has a health of its own.
TEST_F(AttemptsTest, ARequestThatIsSentOnRepeatsOnTheBudgetOfWhoSentIt) {
  set(1);
  while (backend_.health->retries.spend()) continue;
  Attempts attempts;
  EXPECT_EQ(next(attempts), "a");
  attempts.passed();
  const Backend elsewhere;
  static_cast<void>(attempts.next(elsewhere, now_, 0));
  EXPECT_EQ(after(attempts, answered(503)), std::nullopt);
  for (int i = 0; i < proxy::RetryBudget::kRequestsForOne; ++i) backend_.health->retries.earn();
  EXPECT_GT(after(attempts, answered(503)), 0ns);
  EXPECT_EQ(after(attempts, answered(503)), std::nullopt);
}

TEST_F(AttemptsTest, BackendsWithAnEndpointInCommonAreInOnePlace) {
  Backend other;
  other.host = "c";
  EXPECT_TRUE(same_place(backend_, other));
  EXPECT_TRUE(same_place(other, backend_));
  other.port = 1;
  EXPECT_FALSE(same_place(backend_, other));
  other.port = 443;
  other.secure = false;
  EXPECT_FALSE(same_place(other, backend_));
}

}  // namespace
}  // namespace tercel::gateway
