#include "tercel/edge/cors_policy.h"

#include <gtest/gtest.h>

namespace tercel::edge {
namespace {

using Fields = std::vector<std::pair<std::string, std::string>>;

Fields to_fields(std::span<const http::Field> fields) {
  Fields all;
  for (const http::Field& field : fields) all.emplace_back(field.name, field.value);
  return all;
}

Fields fields_of(const CorsOptions& options, std::string_view origin,
                 std::span<const http::Field> present = {}) {
  const CorsPolicy policy{options};
  CorsPolicy::Room into;
  return to_fields(policy.fields(policy.allow(origin), present, into));
}

Fields preflight(const CorsOptions& options, std::vector<http::Field> fields) {
  const CorsPolicy policy{options};
  http::Request request;
  request.method = "OPTIONS";
  request.fields = fields;
  EXPECT_TRUE(CorsPolicy::is_preflight(request));
  std::array<http::Field, CorsPolicy::kPreflightFieldsMax> into;
  return to_fields(policy.preflight_fields(request, into));
}

const std::pair<std::string, std::string> kVary{"vary", "origin"};
const std::pair<std::string, std::string> kPreflightVary{
    "vary", "origin, access-control-request-method, access-control-request-headers"};

TEST(CorsPolicyTest, AnOriginIsAllowedByteByByte) {
  const CorsPolicy policy{{.origins = {"https://a.example", "http://localhost:3000"}}};
  EXPECT_EQ(policy.allow("https://a.example"), "https://a.example");
  EXPECT_EQ(policy.allow("http://localhost:3000"), "http://localhost:3000");
  for (const char* other :
       {"", "null", "https://A.example", "http://a.example", "https://a.example:444",
        "https://a.example.evil", "https://xa.example", "https://a.example/", "https://a.exampl",
        "http://localhost", "http://localhost:30000"}) {
    EXPECT_EQ(policy.allow(other), "") << other;
  }
}

TEST(CorsPolicyTest, AStarStandsForEveryHostBelowAndForNothingElse) {
  const CorsPolicy policy{{.origins = {"https://*.example.com", "http://*.test:8080"}}};
  for (const char* below : {"https://a.example.com", "https://a.b.example.com",
                            "https://xn--bcher-kva.example.com", "http://x.test:8080"}) {
    EXPECT_EQ(policy.allow(below), below);
  }
  for (const char* other :
       {"https://example.com", "https://.example.com", "https://aexample.com",
        "http://a.example.com", "https://a.example.com:8443", "https://a.example.com.evil",
        "https://evil.test/.example.com", "https://evil.test:1.example.com",
        "https://evil.test#.example.com", "https://user@.example.com", "https://A.example.com",
        "https://..example.com", "http://x.test", "http://x.test:80801", "https://", "null"}) {
    EXPECT_EQ(policy.allow(other), "") << other;
  }
  const std::string longest =
      "https://" + std::string(CorsPolicy::kOriginBytesMax - 20, 'a') + ".example.com";
  ASSERT_EQ(longest.size(), CorsPolicy::kOriginBytesMax);
  EXPECT_EQ(policy.allow(longest), longest);
  EXPECT_EQ(policy.allow("https://a" + longest.substr(8)), "");
}

TEST(CorsPolicyTest, NullIsAllowedOnlyWhereItIsNamedAndAStarAllowsAll) {
  EXPECT_EQ(CorsPolicy{{.origins = {"null"}}}.allow("null"), "null");
  EXPECT_EQ(CorsPolicy{{.origins = {"null"}}}.allow("https://a"), "");
  EXPECT_EQ(CorsPolicy{{.origins = {"*"}}}.allow("https://a"), "*");
  EXPECT_EQ(CorsPolicy{{.origins = {"*"}}}.allow("null"), "*");
}

TEST(CorsPolicyTest, AnAnswerNamesTheOriginAndWhatThePageMayRead) {
  const CorsOptions options{
      .origins = {"https://a"}, .expose = {"X-Total", "ETag"}, .credentials = true};
  EXPECT_EQ(fields_of(options, "https://a"),
            (Fields{{"access-control-allow-origin", "https://a"},
                    {"access-control-allow-credentials", "true"},
                    {"access-control-expose-headers", "X-Total, ETag"},
                    kVary}));
  EXPECT_EQ(fields_of(options, "https://b"), Fields{kVary});
  EXPECT_EQ(fields_of({.origins = {"*"}}, "https://b"),
            (Fields{{"access-control-allow-origin", "*"}}));
}

TEST(CorsPolicyTest, AnAnswerThatNamesAnOriginItselfKeepsIt) {
  const http::Field own[] = {{"Access-Control-Allow-Origin", "*"}};
  EXPECT_EQ(fields_of({.origins = {"https://a"}, .credentials = true}, "https://a", own),
            Fields{kVary});
  EXPECT_EQ(fields_of({.origins = {"*"}}, "https://a", own), Fields{});
}

TEST(CorsPolicyTest, VaryIsNotSaidTwice) {
  const CorsOptions options{.origins = {"https://a"}};
  for (const http::Field& own :
       {http::Field{"Vary", "Origin"}, http::Field{"vary", "origin"}, http::Field{"vary", "*"}}) {
    EXPECT_EQ(fields_of(options, "https://b", {&own, 1}), Fields{}) << own.value;
  }
  const http::Field other{"vary", "accept"};
  EXPECT_EQ(fields_of(options, "https://b", {&other, 1}), Fields{kVary});
}

TEST(CorsPolicyTest, APreflightHearsWhatIsAllowed) {
  const CorsOptions options{.origins = {"https://a"},
                            .methods = {"GET", "PURGE"},
                            .headers = {"X-Key", "Content-Type"},
                            .max_age_seconds = 60};
  EXPECT_EQ(preflight(options, {{"origin", "https://a"},
                                {"access-control-request-method", "DELETE"},
                                {"access-control-request-headers", "x-other"},
                                {"access-control-request-private-network", "true"}}),
            (Fields{{"access-control-allow-origin", "https://a"},
                    {"access-control-allow-methods", "GET, PURGE"},
                    {"access-control-allow-headers", "X-Key, Content-Type"},
                    {"access-control-max-age", "60"},
                    kPreflightVary}));
  EXPECT_EQ(preflight(options, {{"origin", "https://b"}, {"access-control-request-method", "GET"}}),
            Fields{kPreflightVary});
}

TEST(CorsPolicyTest, AStarAllowsWhatIsAskedFor) {
  const CorsOptions options{.origins = {"https://*.b"},
                            .methods = {"*"},
                            .headers = {"*"},
                            .credentials = true,
                            .private_network = true};
  EXPECT_EQ(preflight(options, {{"origin", "https://a.b"},
                                {"access-control-request-method", "PURGE"},
                                {"access-control-request-headers", "authorization,x-a"},
                                {"access-control-request-private-network", "true"}}),
            (Fields{{"access-control-allow-origin", "https://a.b"},
                    {"access-control-allow-credentials", "true"},
                    {"access-control-allow-methods", "PURGE"},
                    {"access-control-allow-headers", "authorization,x-a"},
                    {"access-control-max-age", "600"},
                    {"access-control-allow-private-network", "true"},
                    kPreflightVary}));
  // Nothing was asked for.
  EXPECT_EQ(
      preflight(options, {{"origin", "https://a.b"}, {"access-control-request-method", "GET"}})
          .size(),
      5U);
}

// Browsers know no patterns: a name that one stands for is spelled out.
TEST(CorsPolicyTest, PatternsOfFieldsAreSpelledOut) {
  const CorsOptions options{.origins = {"https://a"},
                            .methods = {"GET"},
                            .headers = {"Content-Type", "x-amz-*"},
                            .expose = {"ETag", "X-Amz-*"}};
  const auto allowed = [&](std::string_view asked) {
    for (const auto& [name, value] :
         preflight(options, {{"origin", "https://a"},
                             {"access-control-request-method", "GET"},
                             {"access-control-request-headers", asked}})) {
      if (name == "access-control-allow-headers") return value;
    }
    return std::string{"none"};
  };
  EXPECT_EQ(allowed("x-amz-date,CONTENT-TYPE"), "x-amz-date,CONTENT-TYPE");
  EXPECT_EQ(allowed("x-amz-date, x-other"), "Content-Type");
  const http::Field present[] = {{"etag", "1"}, {"x-amz-id-2", "2"}, {"x-am", "3"}, {"x-amz-", ""}};
  EXPECT_EQ(fields_of(options, "https://a", present)[1].second, "ETag, x-amz-id-2, x-amz-");
  EXPECT_EQ(fields_of(options, "https://a")[1].second, "ETag");
  const CorsOptions only{.origins = {"https://a"}, .expose = {"x-amz-*"}};
  EXPECT_EQ(fields_of(only, "https://a", present)[1].second, "x-amz-id-2, x-amz-");
  EXPECT_EQ(fields_of(only, "https://a").size(), 2U);  // Nothing to expose.
}

TEST(CorsPolicyTest, NamesThatFindNoRoomAreLeftOut) {
  const CorsOptions options{.origins = {"https://a"}, .expose = {"x-*"}};
  const std::string long_name = "x-" + std::string(CorsPolicy::kExposeBytesMax - 9, 'a');
  const http::Field present[] = {{long_name, ""}, {"x-long", ""}, {"x-ab", ""}, {"x-b", ""}};
  EXPECT_EQ(fields_of(options, "https://a", present)[1].second, long_name + ", x-ab");
}

TEST(CorsPolicyTest, APreflightIsGrantedWhenAllOfItIsAllowed) {
  const CorsPolicy policy{{.origins = {"https://a"},
                           .methods = {"GET", "PUT"},
                           .headers = {"Content-Type", "x-amz-*"}}};
  const auto grants = [&policy](std::string_view origin, std::string_view method,
                                std::string_view headers) {
    const http::Field fields[] = {{"origin", origin},
                                  {"access-control-request-method", method},
                                  {"access-control-request-headers", headers}};
    http::Request request;
    request.fields = fields;
    return policy.grants(request);
  };
  EXPECT_TRUE(grants("https://a", "PUT", "content-type, X-Amz-Date"));
  EXPECT_TRUE(grants("https://a", "PUT", ""));
  EXPECT_TRUE(grants("https://a", "GET", " ,x-amz-acl\t, ,"));
  EXPECT_FALSE(grants("https://b", "PUT", ""));
  EXPECT_FALSE(grants("https://a", "put", ""));
  EXPECT_FALSE(grants("https://a", "DELETE", ""));
  EXPECT_FALSE(grants("https://a", "PUT", "content-type,authorization"));
  EXPECT_FALSE(grants("https://a", "PUT", "x-am"));
  const CorsPolicy all{{.origins = {"*"}, .methods = {"*"}, .headers = {"*"}}};
  EXPECT_TRUE(all.allows_method("PURGE"));
  EXPECT_FALSE(policy.allows_method("PURGE"));
}

TEST(CorsPolicyTest, OnlyAQuestionOfABrowserIsAPreflight) {
  http::Request request;
  request.method = "OPTIONS";
  const http::Field both[] = {{"origin", "https://a"}, {"access-control-request-method", "GET"}};
  request.fields = std::span{both}.first(1);
  EXPECT_FALSE(CorsPolicy::is_preflight(request));
  request.fields = std::span{both}.last(1);
  EXPECT_FALSE(CorsPolicy::is_preflight(request));
  request.fields = both;
  EXPECT_TRUE(CorsPolicy::is_preflight(request));
  request.method = "GET";
  EXPECT_FALSE(CorsPolicy::is_preflight(request));
}

TEST(CorsPolicyTest, GoodOptionsHaveNoProblem) {
  for (const char* origin :
       {"*", "null", "https://example.com", "http://localhost:3000", "https://*.example.com",
        "https://*.example.com:8443", "http://192.0.2.1:8080", "http://[::1]:3000", "http://[::1]",
        "chrome-extension://abcdef", "capacitor://localhost", "https://example.com:80",
        "http://host_name"}) {
    EXPECT_EQ(CorsPolicy::problem_of({.origins = {origin}}), std::nullopt) << origin;
  }
}

TEST(CorsPolicyTest, AnOriginThatNoBrowserSendsIsRefusedWithASentence) {
  const struct {
    const char* origin;
    const char* what;
  } wrong[] = {{"example.com", "has no scheme"},
               {"", "has no scheme"},
               {"://a", "has no scheme"},
               {"https://example.com/", "has a path"},
               {"https://example.com/a", "has a path"},
               {"https://Example.com", "lower case"},
               {"HTTPS://example.com", "lower case"},
               {"https://", "lower case"},
               {"https://b\xc3\xbc"
                "cher.de",
                "xn--"},
               {"https://*", "only as"},
               {"https://*.", "only as"},
               {"https://*.*.com", "only as"},
               {"https://a*.com", "only as"},
               {"*.example.com", "has no scheme"},
               {"https://a@b", "lower case"},
               {"http://[::1", "lower case"},
               {"http://[]", "lower case"},
               {"https://a:443", "names the port of its scheme"},
               {"http://a:80", "names the port of its scheme"},
               {"https://a:", "has no port"},
               {"https://a:0", "has no port"},
               {"https://a:08443", "has no port"},
               {"https://a:65536", "has no port"},
               {"https://a:x", "has no port"}};
  for (const auto& each : wrong) {
    const auto problem = CorsPolicy::problem_of({.origins = {each.origin}});
    ASSERT_TRUE(problem) << each.origin;
    EXPECT_NE(problem->find(each.what), std::string::npos) << *problem;
    EXPECT_TRUE(problem->ends_with('.')) << *problem;
  }
  EXPECT_TRUE(CorsPolicy::problem_of({.origins = {"https://" + std::string(300, 'a')}}));
}

TEST(CorsPolicyTest, OptionsThatDoNotGoTogetherAreRefused) {
  const std::vector<std::string> good{"https://a"};
  EXPECT_TRUE(CorsPolicy::problem_of({}));
  EXPECT_TRUE(CorsPolicy::problem_of({.origins = {"*", "https://a"}}));
  EXPECT_TRUE(CorsPolicy::problem_of({.origins = {"*"}, .credentials = true}));
  EXPECT_TRUE(CorsPolicy::problem_of({.origins = {"https://a", "null"}, .credentials = true}));
  EXPECT_TRUE(CorsPolicy::problem_of({.origins = good, .methods = {"GET,POST"}}));
  EXPECT_TRUE(CorsPolicy::problem_of({.origins = good, .headers = {"x y"}}));
  EXPECT_TRUE(CorsPolicy::problem_of({.origins = good, .expose = {""}}));
  EXPECT_TRUE(CorsPolicy::problem_of({.origins = good, .headers = {"x-*-y"}}));
  EXPECT_TRUE(CorsPolicy::problem_of({.origins = good, .expose = {"**"}}));
  EXPECT_FALSE(CorsPolicy::problem_of({.origins = good, .headers = {"x-*"}, .expose = {"x-*"}}));
  EXPECT_TRUE(CorsPolicy::problem_of({.origins = good, .expose = {"*"}, .credentials = true}));
  EXPECT_TRUE(CorsPolicy::problem_of({.origins = good, .max_age_seconds = 86'401}));
  EXPECT_FALSE(CorsPolicy::problem_of(
      {.origins = good, .methods = {"*"}, .headers = {"*"}, .credentials = true}));
}

}  // namespace
}  // namespace tercel::edge
