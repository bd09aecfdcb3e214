#include "tercel/gateway/known_redirects.h"

#include <string>

#include <gtest/gtest.h>

namespace tercel::gateway {
namespace {

using namespace std::chrono_literals;  // NOLINT(google-build-using-namespace): only literals.
using For = KnownRedirects::For;

Backend at(std::string host) {
  Backend backend;
  backend.host = std::move(host);
  return backend;
}

class KnownRedirectsTest : public testing::Test {
 protected:
  std::string where(const std::string& bucket, std::chrono::nanoseconds now) {
    const auto found = known_.find(config_, bucket, now);
    return found ? found->host : "nowhere";
  }
  SharedConst<Config> config_{Config{}};
  KnownRedirects known_;
};

TEST_F(KnownRedirectsTest, IsKnownForItsBucketAndItsTime) {
  EXPECT_TRUE(known_.empty());
  known_.add(config_, "a", at("x"), For::kNow, 0s);
  known_.add(config_, "b", at("y"), For::kGood, 0s);
  EXPECT_EQ(where("a", 59s), "x");
  EXPECT_EQ(where("a", 60s), "nowhere");
  EXPECT_EQ(where("b", 599s), "y");
  EXPECT_EQ(where("c", 1s), "nowhere");
  EXPECT_EQ(where("b", 600s), "nowhere");
  EXPECT_TRUE(known_.empty());
}

TEST_F(KnownRedirectsTest, WhatIsSaidLastCounts) {
  known_.add(config_, "a", at("x"), For::kNow, 0s);
  known_.add(config_, "a", at("y"), For::kNow, 1s);
  EXPECT_EQ(where("a", 60s), "y");
}

TEST_F(KnownRedirectsTest, WhatFailedIsForgotten) {
  const auto first = known_.add(config_, "a", at("x"), For::kGood, 0s);
  const auto second = known_.add(config_, "a", at("y"), For::kGood, 0s);
  known_.forget(*first);
  EXPECT_EQ(where("a", 1s), "y") << "it was replaced already";
  known_.forget(*second);
  EXPECT_EQ(where("a", 1s), "nowhere");
}

TEST_F(KnownRedirectsTest, CountsForOneConfigurationOnly) {
  known_.add(config_, "a", at("x"), For::kGood, 0s);
  const SharedConst<Config> before = config_;
  config_ = SharedConst{Config{}};
  EXPECT_EQ(where("a", 1s), "nowhere");
  known_.add(config_, "b", at("y"), For::kGood, 1s);
  EXPECT_FALSE(known_.find(before, "a", 1s));
  EXPECT_EQ(where("b", 2s), "y");
}

TEST_F(KnownRedirectsTest, TheOneThatEndsFirstMakesRoom) {
  known_.add(config_, "first", at("x"), For::kGood, 0s);
  known_.add(config_, "short", at("x"), For::kNow, 1s);
  for (std::size_t i = 2; i <= KnownRedirects::kBucketsMax; ++i) {
    known_.add(config_, std::to_string(i), at("x"), For::kGood, 1s);
  }
  EXPECT_EQ(where("short", 2s), "nowhere");
  EXPECT_EQ(where("first", 2s), "x");
  known_.add(config_, "one more", at("x"), For::kGood, 1s);
  EXPECT_EQ(where("first", 2s), "nowhere");
  EXPECT_EQ(where("one more", 2s), "x");
}

}  // namespace
}  // namespace tercel::gateway
