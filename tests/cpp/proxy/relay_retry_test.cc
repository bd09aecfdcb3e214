// Requests that are tried again: what the origins get, what the client gets, and when.
#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

#include "proxy/relay_fixture.h"
#include "tercel/proxy/relay.h"

namespace tercel::proxy {
namespace {

using namespace std::chrono_literals;  // NOLINT(google-build-using-namespace): only literals.

class RelayRetryTest : public test::RewriterFixture {
 protected:
  Result<void> rewrite_request(const http::Request& from, Outgoing& to,
                               FieldDraft& draft) noexcept override {
    const auto done = RewriterFixture::rewrite_request(from, to, draft);
    to.head.target = draft.text({"/", std::to_string(to.attempt)});
    to.times = times_ ? &*times_ : nullptr;
    return done;
  }
  std::optional<std::chrono::nanoseconds> after_failure(
      const FailedAttempt& failed) noexcept override {
    failures_.push_back(failed);
    if (pauses_.empty()) return std::nullopt;
    const auto pause = pauses_.front();
    pauses_.erase(pauses_.begin());
    return pause;
  }

  std::optional<CallTimes> times_;
  std::vector<std::chrono::nanoseconds> pauses_;  // Of the attempts to come.
  std::vector<FailedAttempt> failures_;
};

constexpr std::string_view kGet = "GET / HTTP/1.1\r\nHost: h\r\n\r\n";
constexpr std::string_view kSlowDown = "HTTP/1.1 503 S\r\ncontent-length: 4\r\n\r\nslow";
constexpr std::string_view kDone = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok";

// A look at a connection is spared where a request is repeated when it turns out to be closed.
TEST_F(RelayRetryTest, ConnectionsAreLookedAtForWhatIsNotRepeated) {
  const auto wanted_for = [&](std::string_view request) {
    (void)ask(request);
    EXPECT_NE(answer(kDone), "");
    return origin_.wanted;
  };
  EXPECT_EQ(wanted_for(kGet), Freshness::kUnchecked);
  EXPECT_EQ(wanted_for("POST / HTTP/1.1\r\nHost: h\r\n\r\n"), Freshness::kAny);
  EXPECT_EQ(wanted_for("PUT / HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\n\r\nx"), Freshness::kAny);
  relays_.retries = false;
  EXPECT_EQ(wanted_for(kGet), Freshness::kAny);
}

TEST_F(RelayRetryTest, AnAnswerThatIsNotWantedReachesNobody) {
  pauses_ = {100ms, 100ms};
  EXPECT_EQ(ask(kGet), "GET /1 HTTP/1.1\r\nhost: o\r\n\r\n");
  EXPECT_EQ(answer(kSlowDown), "");
  EXPECT_EQ(origin_.received(), "") << "not before the pause";
  pass(100ms);
  EXPECT_EQ(origin_.received(), "GET /2 HTTP/1.1\r\nhost: o\r\n\r\n");
  EXPECT_EQ(answer(kSlowDown), "");
  pass(100ms);
  EXPECT_EQ(origin_.received(), "GET /3 HTTP/1.1\r\nhost: o\r\n\r\n");
  EXPECT_EQ(answer(kDone), kDone);
  EXPECT_EQ(log_, "ended 0 3");
  EXPECT_EQ(origin_.peers.size(), 1U) << "the connection was used again";
  ASSERT_EQ(failures_.size(), 2U);
  EXPECT_EQ(failures_[1].attempt, 2U);
  EXPECT_EQ(failures_[1].status, 503);
  EXPECT_TRUE(failures_[1].replayable);
}

TEST_F(RelayRetryTest, TheLastAnswerIsTheClients) {
  pauses_ = {0ns};
  (void)ask(kGet);
  EXPECT_EQ(answer(kSlowDown), "");
  pass(0ns);
  EXPECT_TRUE(answer(kSlowDown).starts_with("HTTP/1.1 503 "));
  EXPECT_EQ(log_, "ended 0 2");
}

TEST_F(RelayRetryTest, AnAnswerThatDoesNotEndCostsItsConnection) {
  pauses_ = {0ns};
  (void)ask(kGet);
  EXPECT_EQ(answer("HTTP/1.1 500 E\r\ncontent-length: 100\r\n\r\nslow"), "");
  pass(0ns);
  EXPECT_EQ(origin_.peers.size(), 2U);
  EXPECT_EQ(origin_.ended, 1);
  EXPECT_EQ(answer(kDone), kDone);
}

TEST_F(RelayRetryTest, OtherAnswersAreNoFailures) {
  pauses_ = {0ns};
  for (const std::string_view status : {"404", "501", "505", "499"}) {
    (void)ask(kGet);
    const std::string head = "HTTP/1.1 " + std::string{status} + " S\r\ncontent-length: 0\r\n\r\n";
    EXPECT_TRUE(answer(head).starts_with("HTTP/1.1 " + std::string{status}));
  }
  EXPECT_TRUE(failures_.empty());
}

TEST_F(RelayRetryTest, ABodyThatIsHeldIsNotTaken) {
  pauses_ = {0ns};
  (void)ask("PUT / HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n");
  EXPECT_EQ(answer(kSlowDown), "");
  pass(0ns);
  EXPECT_EQ(origin_.received(),
            "PUT /2 HTTP/1.1\r\nhost: o\r\ncontent-length: 2\r\nexpect: 100-continue\r\n\r\n");
  EXPECT_EQ(origin_.peers.size(), 2U) << "the first one still waits for a body";
  EXPECT_EQ(answer("HTTP/1.1 100 C\r\n\r\n"), "HTTP/1.1 100 Continue\r\n\r\n");
  EXPECT_EQ(ask("ab"), "ab");
  EXPECT_EQ(answer(kDone), kDone);
}

TEST_F(RelayRetryTest, ABodyThatWasTakenIsGone) {
  pauses_ = {0ns, 0ns};
  (void)ask("PUT / HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\na");
  EXPECT_TRUE(answer(kSlowDown).starts_with("HTTP/1.1 503 "));
  ASSERT_EQ(failures_.size(), 1U);
  EXPECT_FALSE(failures_[0].replayable);
}

TEST_F(RelayRetryTest, SoIsOneWithoutBytesWhoseEndWasTaken) {
  pauses_ = {0ns, 0ns};
  (void)ask("PUT / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n");
  EXPECT_TRUE(answer(kSlowDown).starts_with("HTTP/1.1 503 "));
  ASSERT_EQ(failures_.size(), 1U);
  EXPECT_FALSE(failures_[0].replayable);
}

TEST_F(RelayRetryTest, WhatBreaksInTheMiddleOfAnAnswerIsToldOnly) {
  pauses_ = {0ns};
  (void)ask(kGet);
  (void)answer("HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nab");
  (void)hang_up();
  EXPECT_TRUE(wire_.closed);
  ASSERT_EQ(failures_.size(), 1U);
  EXPECT_FALSE(failures_[0].replayable);
  EXPECT_EQ(origin_.peers.size(), 1U);
}

TEST_F(RelayRetryTest, AClientThatGoesInThePauseEndsIt) {
  pauses_ = {100ms};
  (void)ask(kGet);
  (void)answer(kSlowDown);
  close_client();
  pass(200ms);
  EXPECT_EQ(origin_.acquired, 1);
  EXPECT_EQ(log_, "ended 1 1");
}

TEST_F(RelayRetryTest, AConnectionThatIsRefusedIsAskedForAgain) {
  pauses_ = {0ns, 50ms};
  origin_.refuse = Errc::kUpstreamUnreachable;
  origin_.refuses = 2;
  (void)ask(kGet);
  pass(50ms);
  EXPECT_EQ(origin_.received(), "GET /3 HTTP/1.1\r\nhost: o\r\n\r\n");
  EXPECT_EQ(answer(kDone), kDone);
  EXPECT_EQ(failures_.size(), 2U);
}

TEST_F(RelayRetryTest, ARequestMayHaveTimesOfItsOwn) {
  times_.emplace().response_time = 2s;
  (void)ask(kGet);
  pass(1900ms);
  EXPECT_EQ(log_, "");
  pass(100ms);
  EXPECT_TRUE(wire_.take_sent().starts_with("HTTP/1.1 504 "));
  EXPECT_EQ(log_, "refused UpstreamTimeout ended 2 1");
}

// An origin that says for long that it works on it, as S3 does with white space.
TEST_F(RelayRetryTest, ProgressMovesTheLimit) {
  times_.emplace().body_time = 1s;
  (void)ask(kGet);
  (void)answer("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n");
  for (int i = 0; i < 10; ++i) {
    pass(900ms);
    EXPECT_EQ(answer("1\r\n \r\n"), "1\r\n \r\n");
  }
  pass(1s);
  EXPECT_TRUE(wire_.closed);
}

}  // namespace
}  // namespace tercel::proxy
