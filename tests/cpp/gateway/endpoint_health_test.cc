#include "tercel/gateway/endpoint_health.h"

#include <gtest/gtest.h>

namespace tercel::gateway {
namespace {

using namespace std::chrono_literals;  // NOLINT(google-build-using-namespace): only literals.

class EndpointHealthTest : public testing::Test {
 protected:
  // Whether it rests by that.
  bool fail(int times = 1) {
    bool rests = false;
    for (int i = 0; i < times; ++i) rests |= health_.failed(now_);
    return rests;
  }

  EndpointHealth health_;
  EndpointHealth::Time now_ = 1000s;
};

TEST_F(EndpointHealthTest, RestsAfterThreeFailuresInARow) {
  EXPECT_FALSE(fail(2));
  EXPECT_TRUE(health_.usable(now_));
  health_.passed();
  EXPECT_FALSE(fail(2));
  EXPECT_TRUE(fail());
  EXPECT_TRUE(health_.rests());
  EXPECT_FALSE(health_.usable(now_));
  EXPECT_EQ(health_.rests_since(), now_);
  EXPECT_EQ(health_.failures(), 5U);
  EXPECT_EQ(health_.rest_count(), 1U);
}

TEST_F(EndpointHealthTest, FailuresThatAreFarApartAreNotInARow) {
  for (int i = 0; i < 10; ++i) {
    EXPECT_FALSE(fail());
    now_ += EndpointHealth::kWindow + 1ms;
  }
  EXPECT_FALSE(fail());
  now_ += EndpointHealth::kWindow;
  EXPECT_FALSE(fail());
  now_ += EndpointHealth::kWindow;
  EXPECT_TRUE(fail());
}

TEST_F(EndpointHealthTest, OneTriesItAfterTheRest) {
  fail(3);
  now_ += EndpointHealth::kRestMin - 1ms;
  EXPECT_FALSE(health_.usable(now_));
  now_ += 1ms;
  EXPECT_TRUE(health_.usable(now_));
  EXPECT_FALSE(health_.usable(now_)) << "another one tries it already";
  now_ += EndpointHealth::kTrial;
  EXPECT_TRUE(health_.usable(now_)) << "of whom nothing was heard";
  health_.passed();
  EXPECT_FALSE(health_.rests());
  EXPECT_TRUE(health_.usable(now_));
  EXPECT_TRUE(health_.usable(now_));
}

TEST_F(EndpointHealthTest, RestsGrowAndAreBounded) {
  fail(3);
  for (const auto rest : {1s, 2s, 4s, 8s, 16s, 32s, 60s, 60s, 60s}) {
    EXPECT_FALSE(health_.usable(now_ + rest - 1ms)) << rest.count();
    now_ += rest;
    EXPECT_TRUE(health_.usable(now_)) << rest.count();
    EXPECT_TRUE(fail()) << rest.count();
  }
  health_.passed();
  EXPECT_TRUE(fail(3));
  EXPECT_TRUE(health_.usable(now_ + EndpointHealth::kRestMin)) << "from the beginning";
}

TEST_F(EndpointHealthTest, WhatOthersBeganBeforeDoesNotMakeARestLonger) {
  EXPECT_TRUE(fail(3));
  EXPECT_FALSE(fail(100));
  now_ += EndpointHealth::kRestMin;
  EXPECT_TRUE(health_.usable(now_));
  EXPECT_TRUE(fail());
  EXPECT_FALSE(fail(100));
  EXPECT_EQ(health_.rest_count(), 2U);
  now_ += 2 * EndpointHealth::kRestMin;
  EXPECT_TRUE(health_.usable(now_));
}

TEST_F(EndpointHealthTest, ACheckCountsAtOnceAndUntilTheNextOne) {
  EXPECT_TRUE(health_.check_failed(now_, now_ + 20s));
  EXPECT_FALSE(health_.usable(now_ + 19s));
  now_ += 10s;
  EXPECT_FALSE(health_.check_failed(now_, now_ + 20s)) << "it rested before";
  EXPECT_FALSE(health_.usable(now_ + 19s));
  health_.passed();
  EXPECT_TRUE(health_.usable(now_));
  EXPECT_EQ(health_.rest_count(), 1U);
}

TEST_F(EndpointHealthTest, OneLoopChecksInEachInterval) {
  EXPECT_TRUE(health_.claim_check(now_, 10s));
  EXPECT_FALSE(health_.claim_check(now_, 10s));
  EXPECT_FALSE(health_.claim_check(now_ + 9s, 10s));
  EXPECT_TRUE(health_.claim_check(now_ + 10s, 10s));
}

TEST_F(EndpointHealthTest, CopiesShareWhatIsLearnt) {
  const SharedHealth one;
  const SharedHealth other = one;
  EXPECT_FALSE(one->failed(now_) || one->failed(now_));
  EXPECT_TRUE(other->failed(now_));
  EXPECT_TRUE(one->rests());
  EXPECT_FALSE(SharedHealth {} -> rests());
}

}  // namespace
}  // namespace tercel::gateway
