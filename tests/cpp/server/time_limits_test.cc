#include "tercel/server/time_limits.h"

#include <chrono>

#include <gtest/gtest.h>

namespace tercel::server {
namespace {

using http::Phase;
using std::chrono::milliseconds;
using std::chrono::nanoseconds;
using std::chrono::seconds;

constexpr nanoseconds kNone{0};
constexpr nanoseconds kNow = seconds{1'000};

constexpr Timeouts kTimes{.head = {.grace = seconds{5}, .bytes_per_second = 100},
                          .body = {.grace = seconds{30}, .bytes_per_second = 100},
                          .write = {.grace = seconds{20}, .bytes_per_second = 100},
                          .keep_alive = seconds{75},
                          .queue = seconds{7},
                          .half_close = seconds{1},
                          .linger = seconds{2},
                          .drain_idle = seconds{1}};

TimeLimits fresh() {
  return {kTimes, kNone, kNow};
}

TimeLimits in(Phase phase) {
  TimeLimits limits = fresh();
  (void)limits.enter(Phase::kHead, kTimes, kNow);
  (void)limits.enter(phase, kTimes, kNow);
  return limits;
}

TEST(TimeLimitsTest, ANewConnectionIsIdleAndHasItsAge) {
  const TimeLimits limits{kTimes, kNow + seconds{60}, kNow};
  EXPECT_EQ(limits.phase(), Phase::kIdle);
  EXPECT_EQ(limits.phase_due(), kNow + seconds{75});
  EXPECT_EQ(limits.age_due(), kNow + seconds{60});
}

TEST(TimeLimitsTest, EachPhaseHasItsLimit) {
  EXPECT_EQ(in(Phase::kHead).phase_due(), kNow + seconds{5});
  EXPECT_EQ(in(Phase::kBody).phase_due(), kNow + seconds{30});
  EXPECT_EQ(in(Phase::kQueued).phase_due(), kNow + seconds{7});
  EXPECT_EQ(in(Phase::kHandler).phase_due(), kNone);
  EXPECT_EQ(in(Phase::kClosing).phase_due(), kNone);
}

TEST(TimeLimitsTest, NoLimitMeansNone) {
  Timeouts none = kTimes;
  none.head.grace = none.body.grace = none.write.grace = none.keep_alive = none.queue = kNone;
  TimeLimits limits{none, kNone, kNow};
  EXPECT_EQ(limits.phase_due(), kNone);
  for (const Phase phase : {Phase::kHead, Phase::kQueued, Phase::kHandler, Phase::kBody}) {
    EXPECT_TRUE(limits.enter(phase, none, kNow));
    limits.received(1, none, kNow);
    EXPECT_EQ(limits.phase_due(), kNone);
  }
  WriteLimit write;
  write.progressed(none.write, 1, /*more=*/true, kNow);
  EXPECT_EQ(write.due(), kNone);
}

TEST(TimeLimitsTest, EnteringThePhaseItIsInChangesNothing) {
  TimeLimits limits = in(Phase::kHead);
  EXPECT_FALSE(limits.enter(Phase::kHead, kTimes, kNow + seconds{3}));
  EXPECT_EQ(limits.phase_due(), kNow + seconds{5});
}

TEST(TimeLimitsTest, AHeadBuysTimeByItsBytesAndNeverMoreThanTheGrace) {
  TimeLimits limits = in(Phase::kHead);
  limits.received(100, kTimes, kNow + seconds{3});
  EXPECT_EQ(limits.phase_due(), kNow + seconds{6});
  limits.received(1'000'000, kTimes, kNow + seconds{4});
  EXPECT_EQ(limits.phase_due(), kNow + seconds{9});
}

TEST(TimeLimitsTest, TheWaitForABodyIsOneHoweverOftenTheHandlerRuns) {
  TimeLimits limits = in(Phase::kBody);
  nanoseconds now = kNow;
  for (int i = 0; i < 3; ++i) {
    now += seconds{9};
    (void)limits.enter(Phase::kHandler, kTimes, now);
    now += seconds{60};  // What the handler takes is not the peer's fault.
    (void)limits.enter(Phase::kBody, kTimes, now);
  }
  EXPECT_EQ(limits.phase_due(), now + seconds{3});
}

TEST(TimeLimitsTest, BytesOfABodyBuyTimeForTheNextWait) {
  TimeLimits limits = in(Phase::kBody);
  const nanoseconds now = kNow + seconds{29};
  (void)limits.enter(Phase::kHandler, kTimes, now);
  limits.received(400, kTimes, now);
  (void)limits.enter(Phase::kBody, kTimes, now);
  EXPECT_EQ(limits.phase_due(), now + seconds{5});
}

TEST(TimeLimitsTest, TheNextRequestHasTheWholeTimeForItsBody) {
  TimeLimits limits = in(Phase::kBody);
  const nanoseconds now = kNow + seconds{29};
  for (const Phase phase : {Phase::kHandler, Phase::kIdle, Phase::kHead, Phase::kHandler}) {
    (void)limits.enter(phase, kTimes, now);
  }
  (void)limits.enter(Phase::kBody, kTimes, now);
  EXPECT_EQ(limits.phase_due(), now + seconds{30});
}

TEST(TimeLimitsTest, ADrainShortensIdleTimeNowAndLater) {
  TimeLimits idle = fresh();
  idle.drain(kTimes, kNow);
  EXPECT_EQ(idle.phase_due(), kNow + seconds{1});
  TimeLimits busy = in(Phase::kHandler);
  busy.drain(kTimes, kNow);
  EXPECT_EQ(busy.phase_due(), kNone);
  (void)busy.enter(Phase::kIdle, kTimes, kNow);
  EXPECT_EQ(busy.phase_due(), kNow + seconds{1});
}

TEST(TimeLimitsTest, AHandlerIsToldOnceOfAPeerThatFinished) {
  TimeLimits limits = in(Phase::kHandler);
  limits.input_finished(kTimes, kNow);
  EXPECT_EQ(limits.phase_due(), kNow + seconds{1});
  limits.told_of_input();
  EXPECT_EQ(limits.phase_due(), kNone);
  (void)limits.enter(Phase::kBody, kTimes, kNow);
  (void)limits.enter(Phase::kHandler, kTimes, kNow);
  EXPECT_EQ(limits.phase_due(), kNone);
}

TEST(TimeLimitsTest, APeerThatFinishedBeforeTheHandlerRanIsNoticedInItsTime) {
  TimeLimits limits = in(Phase::kHead);
  limits.input_finished(kTimes, kNow);
  EXPECT_EQ(limits.phase_due(), kNow + seconds{5});
  (void)limits.enter(Phase::kHandler, kTimes, kNow);
  EXPECT_EQ(limits.phase_due(), kNow + seconds{1});
}

TEST(TimeLimitsTest, OurEndIsFollowedByAWaitForThePeers) {
  TimeLimits limits = in(Phase::kClosing);
  limits.linger(kTimes, kNow);
  EXPECT_EQ(limits.phase_due(), kNow + seconds{2});
}

TEST(WriteLimitTest, RunsWhileSomethingWaitsAndProgressBuysTime) {
  WriteLimit limit;
  limit.progressed(kTimes.write, 0, /*more=*/true, kNow);
  EXPECT_EQ(limit.due(), kNow + seconds{20});
  limit.progressed(kTimes.write, 0, true, kNow + seconds{15});
  EXPECT_EQ(limit.due(), kNow + seconds{20});
  limit.progressed(kTimes.write, 500, true, kNow + seconds{15});
  EXPECT_EQ(limit.due(), kNow + seconds{25});
  limit.progressed(kTimes.write, 1, /*more=*/false, kNow + seconds{16});
  EXPECT_EQ(limit.due(), kNone);
}

TEST(WriteLimitTest, ADebtIsNotForgotten) {
  WriteLimit limit;
  limit.progressed(kTimes.write, 0, true, kNow);
  limit.progressed(kTimes.write, 100, true, kNow + seconds{30});
  EXPECT_EQ(limit.due(), kNow + seconds{21});
}

TEST(TimeLimitsTest, TheEarlierOfTwoLimitsIsTheOneThatExists) {
  EXPECT_EQ(earlier(kNone, kNow), kNow);
  EXPECT_EQ(earlier(kNow, kNone), kNow);
  EXPECT_EQ(earlier(kNow, kNow + milliseconds{1}), kNow);
  EXPECT_EQ(earlier(kNone, kNone), kNone);
}

}  // namespace
}  // namespace tercel::server
