#include "tercel/base/histogram.h"

#include <chrono>

#include <gtest/gtest.h>

namespace tercel {
namespace {

using namespace std::chrono_literals;

TEST(HistogramTest, ABoundBelongsToTheBucketBelowIt) {
  Histogram histogram;
  for (const auto bound : Histogram::kBounds) {
    histogram.add(bound);
    histogram.add(bound + 1ns);
  }
  Histogram::Numbers numbers;
  histogram.add_to(numbers);
  EXPECT_EQ(numbers.counts.front(), 1U);
  EXPECT_EQ(numbers.counts.back(), 1U);
  for (std::size_t i = 1; i + 1 < Histogram::kBuckets; ++i) EXPECT_EQ(numbers.counts[i], 2U) << i;
}

TEST(HistogramTest, SumsAreOfAll) {
  Histogram one;
  Histogram other;
  one.add(0ns);
  one.add(-5ms);  // A clock that went back.
  one.add(1500us);
  other.add(1h);
  Histogram::Numbers numbers;
  one.add_to(numbers);
  other.add_to(numbers);
  EXPECT_EQ(numbers.counts[0], 2U);
  EXPECT_EQ(numbers.counts[1], 1U);
  EXPECT_EQ(numbers.counts.back(), 1U);
  EXPECT_EQ(numbers.microseconds, 3'600'001'500U);
}

TEST(HistogramTest, BoundsRise) {
  for (std::size_t i = 1; i < Histogram::kBounds.size(); ++i) {
    EXPECT_LT(Histogram::kBounds[i - 1], Histogram::kBounds[i]);
  }
}

}  // namespace
}  // namespace tercel
