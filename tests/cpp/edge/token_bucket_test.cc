#include "tercel/edge/token_bucket.h"

#include <chrono>

#include <gtest/gtest.h>

namespace tercel::edge {
namespace {

using namespace std::chrono_literals;  // NOLINT(google-build-using-namespace): only literals.

constexpr std::chrono::nanoseconds kStart = 1h;

TEST(TokenBucketTest, AFullBucketHoldsItsDepthAndNoMore) {
  TokenBucket bucket;
  EXPECT_EQ(bucket.take(600ms, 1s, kStart), 0ns);
  EXPECT_EQ(bucket.take(600ms, 1s, kStart), 200ms);
  EXPECT_EQ(bucket.take(400ms, 1s, kStart), 0ns);
  EXPECT_EQ(bucket.take(1ns, 1s, kStart), 1ns);
}

TEST(TokenBucketTest, WhatIsRefusedTakesNothing) {
  TokenBucket bucket;
  EXPECT_EQ(bucket.take(1s, 1s, kStart), 0ns);
  for (int i = 0; i < 100; ++i) EXPECT_EQ(bucket.take(1s, 1s, kStart), 1s);
  EXPECT_EQ(bucket.take(1s, 1s, kStart + 1s), 0ns);
}

TEST(TokenBucketTest, WhoReservesWaitsBehindThoseBefore) {
  TokenBucket bucket;
  EXPECT_EQ(bucket.reserve(500ms, 1s, kStart), 0ns);
  EXPECT_EQ(bucket.reserve(500ms, 1s, kStart), 0ns);
  EXPECT_EQ(bucket.reserve(500ms, 1s, kStart), 500ms);
  EXPECT_EQ(bucket.reserve(500ms, 1s, kStart), 1s);
  EXPECT_EQ(bucket.wait(1s, kStart), 1s);
  EXPECT_EQ(bucket.wait(1s, kStart + 5s), 0ns);
}

TEST(TokenBucketTest, WhatIsGivenBackIsThereAgain) {
  TokenBucket bucket;
  EXPECT_EQ(bucket.take(1s, 1s, kStart), 0ns);
  bucket.give_back(1s);
  EXPECT_EQ(bucket.take(1s, 1s, kStart), 0ns);
  EXPECT_EQ(bucket.take(1s, 1s, kStart), 1s);
}

TEST(TokenBucketTest, APauseFillsItUpToItsDepth) {
  TokenBucket bucket;
  (void)bucket.reserve(1s, 1s, kStart);
  EXPECT_EQ(bucket.reserve(1s, 1s, kStart + 1h), 0ns);
  EXPECT_EQ(bucket.reserve(1s, 1s, kStart + 1h), 1s);
}

TEST(TokenBucketTest, AFilledBucketOwesNothing) {
  TokenBucket bucket;
  (void)bucket.reserve(10s, 1s, kStart);
  bucket.fill();
  EXPECT_EQ(bucket.take(1s, 1s, kStart), 0ns);
}

}  // namespace
}  // namespace tercel::edge
