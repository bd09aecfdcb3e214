#include "tercel/api/credential_rule.h"

#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

namespace tercel::api {
namespace {

class CredentialRuleTest : public testing::Test {
 protected:
  bool is_met(const CredentialRule& rule, std::vector<http::Field> fields,
              std::string_view query = {}) {
    http::Request request;
    request.query = query;
    request.fields = fields;
    const Result<bool> met = rule.is_met(request, blocks_);
    return *met;
  }

  BlockPool blocks_;
};

TEST_F(CredentialRuleTest, LooksForTheSchemeOfAHeader) {
  const CredentialRule rule{
      {.any_of = {{.name = "authorization", .scheme = "bearer"}}, .detail = "None."}};
  EXPECT_FALSE(is_met(rule, {}));
  EXPECT_FALSE(is_met(rule, {{"x-authorization", "Bearer x"}}));
  EXPECT_FALSE(is_met(rule, {{"authorization", "Basic x"}}));
  EXPECT_FALSE(is_met(rule, {{"authorization", "Bearerx"}}));
  EXPECT_TRUE(is_met(rule, {{"authorization", "bEARER x"}}));
  EXPECT_TRUE(is_met(rule, {{"authorization", "Bearer"}}));
  // Who reads them refuses two.
  EXPECT_TRUE(is_met(rule, {{"authorization", "Basic x"}, {"authorization", "Basic x"}}));
}

TEST_F(CredentialRuleTest, LooksForANameInAQuery) {
  const CredentialRule rule{{.any_of = {{.in = In::kQuery, .name = "my key"}}, .detail = "None."}};
  EXPECT_FALSE(is_met(rule, {}));
  EXPECT_FALSE(is_met(rule, {{"my key", "x"}}, "key=x&my=key"));
  EXPECT_TRUE(is_met(rule, {}, "a=b&my+key=x"));
  EXPECT_TRUE(is_met(rule, {}, "my%20key"));
  std::string many;
  for (int i = 0; i < 1001; ++i) many += "a&";
  EXPECT_TRUE(is_met(rule, {}, many));  // Who reads it refuses it.
}

TEST_F(CredentialRuleTest, LooksForACookie) {
  const CredentialRule rule{{.any_of = {{.in = In::kCookie, .name = "key"}}, .detail = "None."}};
  EXPECT_FALSE(is_met(rule, {{"cookie", "Key=x; a=key"}}));
  EXPECT_TRUE(is_met(rule, {{"cookie", "a=b; key=x"}}));
}

TEST_F(CredentialRuleTest, OneOfSeveralIsEnough) {
  CredentialRule rule{
      {.any_of = {{.name = "x-key"}, {.in = In::kQuery, .name = "key"}}, .detail = "None."}};
  EXPECT_FALSE(is_met(rule, {{"x", "y"}}, "a=b"));
  EXPECT_TRUE(is_met(rule, {{"x-key", ""}}));
  EXPECT_TRUE(is_met(rule, {}, "key=1"));
  rule.set_enabled(false);
  EXPECT_TRUE(is_met(rule, {}));
}

}  // namespace
}  // namespace tercel::api
