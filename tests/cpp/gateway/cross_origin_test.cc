#include "tercel/gateway/cross_origin.h"

#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

namespace tercel::gateway {
namespace {

using edge::CorsPolicy;
using Fields = std::vector<std::pair<std::string, std::string>>;

const std::pair<std::string, std::string> kVary{"vary", "origin"};

const std::vector<CorsPolicy> kRules{
    CorsPolicy{{.origins = {"https://app.example"}, .methods = {"GET", "PUT"}, .headers = {"*"}}},
    CorsPolicy{{.origins = {"https://*.example"}, .methods = {"GET"}, .expose = {"ETag"}}},
};

Fields answer(std::string_view method, std::string_view origin,
              std::span<const CorsPolicy> rules = kRules) {
  CrossOrigin cors;
  {
    const std::string gone{origin};  // The request goes before its answer.
    const http::Field field{"origin", gone};
    http::Request request;
    request.method = method;
    if (!origin.empty()) request.fields = {&field, 1};
    EXPECT_TRUE(cors.read(request, rules));
    EXPECT_EQ(cors.has_rules(), !rules.empty());
  }
  CorsPolicy::Room room;
  Fields all;
  for (const http::Field& one : cors.fields({}, room)) all.emplace_back(one.name, one.value);
  return all;
}

TEST(CrossOriginTest, TheFirstRuleCountsWhoseOriginAndMethodFit) {
  EXPECT_EQ(answer("PUT", "https://app.example"),
            (Fields{{"access-control-allow-origin", "https://app.example"}, kVary}));
  EXPECT_EQ(answer("GET", "https://a-long-name-of-a-host.example"),
            (Fields{{"access-control-allow-origin", "https://a-long-name-of-a-host.example"},
                    {"access-control-expose-headers", "ETag"},
                    kVary}));
  EXPECT_EQ(answer("PUT", "https://other.example"), Fields{kVary});
  EXPECT_EQ(answer("GET", "https://example"), Fields{kVary});
}

TEST(CrossOriginTest, WhereThereAreRulesEveryAnswerVaries) {
  const CorsPolicy any[] = {CorsPolicy{{.origins = {"*"}}}};
  EXPECT_EQ(answer("GET", "", any), Fields{kVary});
  EXPECT_EQ(answer("GET", ""), Fields{kVary});
  EXPECT_EQ(answer("GET", "https://a", any), (Fields{{"access-control-allow-origin", "*"}, kVary}));
  EXPECT_EQ(answer("GET", "https://a", {}), Fields{});
  EXPECT_EQ(answer("GET", "", {}), Fields{});
}

TEST(CrossOriginTest, APreflightIsGrantedByTheFirstRuleThatGrantsAllOfIt) {
  const auto granted = [](std::string_view origin, std::string_view method,
                          std::string_view headers) {
    const http::Field fields[] = {{"origin", origin},
                                  {"access-control-request-method", method},
                                  {"access-control-request-headers", headers}};
    http::Request request;
    request.method = "OPTIONS";
    request.fields = fields;
    const CorsPolicy* const rule = CrossOrigin::granted(request, kRules);
    return rule != nullptr ? rule - kRules.data() : -1;
  };
  EXPECT_EQ(granted("https://app.example", "GET", "x-amz-date"), 0);
  EXPECT_EQ(granted("https://b.example", "GET", ""), 1);
  EXPECT_EQ(granted("https://b.example", "GET", "x-amz-date"), -1);
  EXPECT_EQ(granted("https://b.example", "PUT", ""), -1);
}

}  // namespace
}  // namespace tercel::gateway
