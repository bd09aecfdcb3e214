#include "tercel/proxy/retry_rule.h"

#include <array>
#include <optional>
#include <string_view>

#include <gtest/gtest.h>

namespace tercel::proxy {
namespace {

using namespace std::chrono_literals;  // NOLINT(google-build-using-namespace): only literals.
using Pause = std::optional<std::chrono::nanoseconds>;

constexpr Pause kAtOnce = 0ns;
constexpr Pause kNone = std::nullopt;

class RetryRuleTest : public testing::Test {
 protected:
  static FailedAttempt answered(std::uint16_t status, std::string_view method = "GET") {
    return {
        .status = status, .progress = Progress::kAnswered, .replayable = true, .method = method};
  }
  static FailedAttempt broke(Errc error, Progress progress, std::string_view method = "GET") {
    return {.error = error, .progress = progress, .replayable = true, .method = method};
  }
  Pause after(const FailedAttempt& failed, unsigned others = 0) {
    return rule_.after(failed, {options_, budget_, others, chance_});
  }
  // The first of a request's failures.
  Pause first(const FailedAttempt& failed, unsigned others = 0) {
    rule_ = {};
    return after(failed, others);
  }

  RetryOptions options_;
  RetryBudget budget_;
  RetryRule rule_;
  std::uint32_t chance_ = 0;
};

TEST_F(RetryRuleTest, WhichStatusIsRepeatedForWhichMethod) {
  for (unsigned status = 400; status < 600; ++status) {
    const bool transient = status == 500 || status == 502 || status == 503 || status == 504;
    EXPECT_EQ(is_transient(status), transient) << status;
    for (const std::string_view method : {"GET", "HEAD", "PUT", "POST", "DELETE", "get"}) {
      const bool safe = method == "GET" || method == "HEAD";
      const bool repeated = first(answered(static_cast<std::uint16_t>(status), method)).has_value();
      EXPECT_EQ(repeated, status == 503 || (transient && safe)) << status << ' ' << method;
      for (int i = 0; i < RetryBudget::kRequestsForOne; ++i) budget_.earn();
    }
  }
}

TEST_F(RetryRuleTest, AnOriginThatWaitedTooLongForARequestGotNone) {
  FailedAttempt failed = answered(kWaitedTooLong, "POST");
  EXPECT_EQ(first(failed), kNone);
  failed.reused = true;
  EXPECT_EQ(first(failed), kAtOnce);
  EXPECT_TRUE(nothing_was_lost(failed));
  failed.replayable = false;
  EXPECT_EQ(first(failed), kNone);
  failed = answered(404);
  failed.reused = true;
  EXPECT_EQ(first(failed), kNone);
}

TEST_F(RetryRuleTest, NothingIsRepeatedOnceTheBodyWasTaken) {
  FailedAttempt failed = answered(503, "PUT");
  failed.has_body = true;
  EXPECT_NE(first(failed), kNone);
  failed.replayable = false;
  EXPECT_EQ(first(failed, 5), kNone);
  failed = broke(Errc::kUpstreamUnreachable, Progress::kUnsent);
  failed.replayable = false;
  EXPECT_EQ(first(failed, 5), kNone);
}

TEST_F(RetryRuleTest, AConnectionThatBrokeIsRepeatedForGetAndHead) {
  for (const Progress progress : {Progress::kUnsent, Progress::kHeadSent, Progress::kAnswered}) {
    for (const Errc error :
         {Errc::kUpstreamFailed, Errc::kUpstreamReset, Errc::kUpstreamTruncated}) {
      EXPECT_NE(first(broke(error, progress, "GET")), kNone);
      EXPECT_NE(first(broke(error, progress, "HEAD")), kNone);
      EXPECT_EQ(first(broke(error, progress, "PUT")), kNone);
      for (int i = 0; i < 2 * RetryBudget::kRequestsForOne; ++i) budget_.earn();
    }
  }
  EXPECT_EQ(first(broke(Errc::kUpstreamMalformed, Progress::kAnswered)), kNone);
  EXPECT_EQ(first(broke(Errc::kUpstreamTimeout, Progress::kHeadSent)), kNone);
  EXPECT_EQ(first(broke(Errc::kNoMemory, Progress::kUnsent)), kNone);
}

TEST_F(RetryRuleTest, AConnectionThatWasClosedWhileIdleCostsNothing) {
  options_.retries = 0;
  FailedAttempt failed = broke(Errc::kUpstreamFailed, Progress::kHeadSent, "PUT");
  failed.reused = true;
  failed.has_body = true;
  EXPECT_EQ(after(failed), kAtOnce);
  failed.method = "POST";
  failed.has_body = false;
  EXPECT_EQ(after(failed), kNone) << "it may have been carried out";
  failed.progress = Progress::kUnsent;
  EXPECT_EQ(after(failed), kAtOnce);
  failed.progress = Progress::kAnswered;
  EXPECT_EQ(after(failed), kNone);
}

TEST_F(RetryRuleTest, AnotherOriginIsAskedAtOnceWhereOneIsNotReached) {
  options_.retries = 0;
  for (const Errc error : {Errc::kUpstreamUnreachable, Errc::kUpstreamUnknown,
                           Errc::kUpstreamUntrusted, Errc::kUpstreamTimeout}) {
    FailedAttempt failed = broke(error, Progress::kUnsent, "POST");
    EXPECT_EQ(after(failed, 1), kAtOnce);
    failed.attempt = 2;
    EXPECT_EQ(after(failed, 1), kAtOnce);
    EXPECT_EQ(after(failed, 0), kNone);
  }
  EXPECT_EQ(after(broke(Errc::kUpstreamBusy, Progress::kUnsent), 1), kNone) << "it is our limit";
  // Without another one, once: the connection may have been somebody else's that failed.
  FailedAttempt failed = broke(Errc::kUpstreamUnreachable, Progress::kUnsent, "POST");
  EXPECT_EQ(after(failed), kAtOnce);
  failed.attempt = 2;
  EXPECT_EQ(after(failed), kNone);
}

TEST_F(RetryRuleTest, PausesDoubleAndHaveChanceInThem) {
  options_ = {.retries = 7, .pause_min = 100ms, .pause_max = 1s};
  for (const auto whole : {100ms, 200ms, 400ms, 800ms, 1000ms, 1000ms, 1000ms}) {
    RetryRule other = rule_;
    RetryBudget fresh;
    chance_ = 0;
    EXPECT_EQ(after(answered(500)), Pause{whole / 2});
    const Pause most = other.after(answered(500), {options_, fresh, 0, UINT32_MAX});
    EXPECT_GT(most, Pause{whole - 1ms});
    EXPECT_LT(most, Pause{whole});
  }
  EXPECT_EQ(after(answered(500)), kNone) << "seven are enough";
}

TEST_F(RetryRuleTest, AnotherOriginIsAskedWithoutAPauseButCounts) {
  EXPECT_EQ(after(answered(502), 2), kAtOnce);
  EXPECT_EQ(after(answered(502), 1), kAtOnce);
  EXPECT_EQ(after(answered(502), 1), kNone);
}

TEST_F(RetryRuleTest, OneInTenRequestsIsRepeatedAtMost) {
  const auto granted = [this] { return first(answered(503)).has_value(); };
  for (int i = 0; i < RetryBudget::kRetriesMax; ++i) EXPECT_TRUE(granted()) << i;
  EXPECT_FALSE(granted());
  for (int i = 1; i < RetryBudget::kRequestsForOne; ++i) budget_.earn();
  EXPECT_FALSE(granted());
  budget_.earn();
  EXPECT_TRUE(granted());
  EXPECT_FALSE(granted());
  for (int i = 0; i < 10'000; ++i) budget_.earn();
  int count = 0;
  while (count < 1000 && granted()) ++count;
  EXPECT_EQ(count, RetryBudget::kRetriesMax);
}

}  // namespace
}  // namespace tercel::proxy
