#include "tercel/edge/rate_rule.h"

#include <gtest/gtest.h>

namespace tercel::edge {
namespace {

using namespace std::chrono_literals;  // NOLINT(google-build-using-namespace): only literals.

constexpr Address kAnn{.ip = {192, 0, 2, 1}, .port = 1, .kind = AddressKind::kIpv4};
constexpr Address kBob{.ip = {192, 0, 2, 2}, .port = 1, .kind = AddressKind::kIpv4};

class RateRuleTest : public testing::Test {
 protected:
  std::chrono::nanoseconds ask(const Address* client, std::string_view key = {}) {
    const http::Field fields[] = {{"host", "a"}, {"x-key", key}};
    http::Request request;
    request.client = client;
    request.fields = std::span{fields}.first(key.empty() ? 1 : 2);
    return rule->take(request, now);
  }
  std::unique_ptr<RateRule> rule;
  std::chrono::nanoseconds now = 1000s;
};

TEST_F(RateRuleTest, ARateMayBeOfAMinute) {
  rule = std::make_unique<RateRule>(RateRuleOptions{.limit = {.requests = 2, .per = 60s}});
  EXPECT_EQ(ask(&kAnn), 0s);
  EXPECT_EQ(ask(&kAnn), 0s);
  EXPECT_EQ(ask(&kAnn), 30s);
  now += 29s;
  EXPECT_EQ(ask(&kAnn), 1s);
  now += 1s;
  EXPECT_EQ(ask(&kAnn), 0s);
}

TEST_F(RateRuleTest, EachClientHasItsOwnAndWhoHasNoAddressNone) {
  rule = std::make_unique<RateRule>(RateRuleOptions{.limit = {.requests = 1}});
  EXPECT_EQ(ask(&kAnn, "ignored"), 0s);
  EXPECT_EQ(ask(&kAnn, "another"), 1s);
  EXPECT_EQ(ask(&kBob), 0s);
  const Address unknown{.kind = AddressKind::kUnix};
  for (int i = 0; i < 3; ++i) EXPECT_EQ(ask(&unknown), 0s);
  for (int i = 0; i < 3; ++i) EXPECT_EQ(ask(nullptr), 0s);
}

TEST_F(RateRuleTest, EachValueOfTheHeaderHasItsOwnWhoeverSendsIt) {
  rule = std::make_unique<RateRule>(RateRuleOptions{.limit = {.requests = 1}, .header = "x-key"});
  EXPECT_EQ(ask(&kAnn, "one"), 0s);
  EXPECT_EQ(ask(&kBob, "one"), 1s);
  EXPECT_EQ(ask(&kAnn, "two"), 0s);
  EXPECT_EQ(ask(nullptr, "two"), 1s);
}

// Else to leave it out would be the way around the limit.
TEST_F(RateRuleTest, WithoutTheHeaderTheClientIsCounted) {
  rule = std::make_unique<RateRule>(RateRuleOptions{.limit = {.requests = 1}, .header = "x-key"});
  EXPECT_EQ(ask(&kAnn), 0s);
  EXPECT_EQ(ask(&kAnn), 1s);
  EXPECT_EQ(ask(&kBob), 0s);
}

}  // namespace
}  // namespace tercel::edge
