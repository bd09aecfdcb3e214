// Limits and pages of other origins, on the way of a request through the handler.
#include <string>
#include <string_view>
#include <utility>

#include <gtest/gtest.h>

#include "gateway/handler_fixture.h"
#include "tercel/gateway/limits.h"

namespace tercel::gateway {
namespace {

using namespace std::chrono_literals;  // NOLINT(google-build-using-namespace): only literals.
using s3::signed_request;
using s3::TestRequest;

constexpr std::string_view kKnown = "key AKIAIOSFODNN7EXAMPLE;";

class HandlerLimitsTest : public HandlerFixture {
 protected:
  void limit(const edge::BudgetRules& rules, LimitPer per = LimitPer::kIdentity,
             std::string prefix = "") {
    Config config;
    Backend all = backend();
    all.prefix = std::move(prefix);
    EXPECT_FALSE(config.buckets.add("*", all));
    EXPECT_FALSE(config.limits.add({.per = per, .rules = rules}));
    config.budgets = &gateway_->budgets();
    gateway_->config.replace(SharedConst{std::move(config)});
  }
  // With other processes.
  void limit_together(const edge::BudgetRules& rules) {
    Config config;
    EXPECT_FALSE(config.buckets.add("*", backend()));
    EXPECT_FALSE(config.limits.add({.rules = rules}));
    config.budgets = &gateway_->budgets();
    config.shares = &gateway_->shares();
    gateway_->config.replace(SharedConst{std::move(config)});
  }
  std::string get(const std::string& path = "/logs/a") {
    return send(signed_request({.path = path}));
  }
};

TEST_F(HandlerLimitsTest, AboveALimitNobodyIsAskedAndTheAnswerSaysWhenToCome) {
  serve({{"*", backend()}});
  limit({.token = 5s, .burst = 1});
  (void)get();
  (void)reply_key();
  EXPECT_TRUE(has(reply({Decision{Verdict::kNo, Scope::kRequest, ""}, kLong, kLong}), " 403 "));
  policy_.log.clear();
  const std::string got = get("/logs/b");
  EXPECT_TRUE(got.starts_with("HTTP/1.1 503 ")) << got;
  EXPECT_TRUE(has(got, "<Code>SlowDown</Code>"));
  EXPECT_TRUE(has(got, "retry-after: 5\r\n"));
  EXPECT_EQ(policy_.log, "");
  EXPECT_EQ(gateway_->meters.sum(Counts::limited), 1U);
  pass(5s);
  EXPECT_EQ(get("/logs/b"), "");
  EXPECT_EQ(policy_.log, "may alice GetObject logs/b;");
  (void)reply_yes();
}

TEST_F(HandlerLimitsTest, ARequestThatIsNotVerifiedUsesUpNothing) {
  serve({{"*", backend()}});
  limit({.token = 5s, .burst = 1});
  TestRequest forged = signed_request({.path = "/logs/a"});
  forged.path = "/logs/b";
  (void)send(forged);
  EXPECT_TRUE(has(reply_key(), "SignatureDoesNotMatch"));
  for (int i = 0; i < 5; ++i) EXPECT_TRUE(has(send(forged), "SignatureDoesNotMatch"));
  policy_.log.clear();
  EXPECT_EQ(get(), "");
  EXPECT_EQ(policy_.log, "may alice GetObject logs/a;");
  (void)reply_yes();
}

// One that waits for its answers is counted once, however often it is read.
TEST_F(HandlerLimitsTest, ARequestThatWaitsIsCountedOnce) {
  serve({{"*", backend()}});
  limit({.token = 5s, .burst = 1, .concurrent = 1});
  TestRequest copy{.method = "PUT", .path = "/logs/b"};
  copy.header("x-amz-copy-source") = "logs/a";
  (void)send(signed_request(copy));
  (void)reply_key();
  (void)reply_yes();
  EXPECT_EQ(reply_yes(), "");
  EXPECT_TRUE(is_signed_by(at_backend(), "BACK", "back-secret"));
}

TEST_F(HandlerLimitsTest, ARequestWaitsForWhatIsGrantedOfASharedBudget) {
  serve({{"*", backend()}});
  limit_together({.token = 5s, .burst = 1, .concurrent = 1});
  (void)get();
  policy_.log.clear();
  EXPECT_EQ(reply_key(), "");
  EXPECT_EQ(policy_.log, "budget;");
  const std::uint64_t key = policy_.asked.front()->question.budget_key;
  const edge::BudgetRules rules = policy_.asked.front()->question.rules;
  EXPECT_EQ(gateway_->shares().wanted(key, rules, loop_->now()), 1U);
  gateway_->shares().grant(key, {.count = 1}, loop_->now());
  policy_.log.clear();
  EXPECT_EQ(reply({}), "");
  EXPECT_EQ(policy_.log, "may alice GetObject logs/a;");
  EXPECT_TRUE(has(reply({Decision{Verdict::kNo, Scope::kRequest, ""}, kLong, kLong}), " 403 "));
  // The next one is asked for, and is not there.
  EXPECT_EQ(get("/logs/b"), "");
  EXPECT_EQ(gateway_->shares().wanted(key, rules, loop_->now()), 1U);
  gateway_->shares().grant(key, {.count = 0, .wait = 5s}, loop_->now());
  EXPECT_TRUE(has(reply({}), "retry-after: 5\r\n"));
  policy_.log.clear();
  EXPECT_TRUE(has(get("/logs/b"), "<Code>SlowDown</Code>"));
  EXPECT_EQ(policy_.log, "");
  EXPECT_EQ(gateway_->meters.sum(Counts::limited), 2U);
  EXPECT_EQ(gateway_->meters.sum(Counts::limits_asked), 2U);
}

// Nobody waits for ever where others take what was granted.
TEST_F(HandlerLimitsTest, ARequestThatIsNeverGrantedAnythingIsRefused) {
  serve({{"*", backend()}});
  limit_together({.token = 5s, .burst = 1});
  (void)get();
  std::string got = reply_key();
  int questions = 0;
  for (; got.empty() && questions < 100; ++questions) got = reply({});
  EXPECT_TRUE(has(got, "<Code>SlowDown</Code>")) << got;
  EXPECT_EQ(questions, 16);
}

TEST_F(HandlerLimitsTest, AloneAProcessAsksNobodyAboutLimits) {
  serve({{"*", backend()}});
  limit_together({.token = 5s, .burst = 1});
  gateway_->shares().set_alone(true);
  (void)get();
  policy_.log.clear();
  (void)reply_key();
  EXPECT_EQ(policy_.log, "may alice GetObject logs/a;");
  (void)reply({Decision{Verdict::kNo, Scope::kRequest, ""}, kLong, kLong});
  EXPECT_TRUE(has(get("/logs/b"), "retry-after: 5\r\n"));
}

// A client that leaves while it waits is told nothing.
TEST_F(HandlerLimitsTest, WhoLeavesWaitsForNothing) {
  serve({{"*", backend()}});
  limit_together({.token = 5s, .burst = 1});
  (void)get();
  (void)reply_key();
  session_->on_closed(Errc::kClosed);
  settle();
  session_.reset();
  EXPECT_EQ(reply({}), "");
}

TEST_F(HandlerLimitsTest, APlaceIsFreeWhenTheRequestIsOver) {
  serve({{"*", backend()}});
  limit({.concurrent = 1}, LimitPer::kBucket);
  for (int i = 0; i < 3; ++i) {
    (void)pass_through(signed_request({.path = "/logs/a"}));
    EXPECT_TRUE(has(answer_from_backend("HTTP/1.1 200 OK\r\ncontent-length: 1\r\n\r\na"), " 200 "));
  }
  limit({.token = 1h, .burst = 1}, LimitPer::kAll);
  EXPECT_EQ(pass_through(signed_request({.path = "/logs/a"})).substr(0, 3), "GET");
  (void)answer_from_backend("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n");
  EXPECT_TRUE(has(get(), "retry-after: 3600\r\n"));
}

TEST_F(HandlerLimitsTest, ABodyWaitsForItsBytes) {
  serve({{"*", backend()}});
  limit({.bandwidth = 65'536});
  (void)pass_through(signed_request({.path = "/logs/a"}));
  const std::string body(32'768, 'x');
  std::string got = answer_from_backend("HTTP/1.1 200 OK\r\ncontent-length: 98304\r\n\r\n" + body);
  got += answer_from_backend(body);
  got += answer_from_backend(body);
  const std::size_t head = got.find("\r\n\r\n") + 4;
  // A second's worth at once, and the third part half a second later.
  EXPECT_EQ(got.size() - head, 65'536U);
  pass(500ms);
  EXPECT_EQ(wire_.take_sent().size(), 32'768U);
}

// What is read before anything is sent is paid for by what comes next.
TEST_F(HandlerLimitsTest, ABodyThatIsCollectedUsesUpItsBytes) {
  serve({{"*", backend()}});
  limit({.bandwidth = 65'536}, LimitPer::kIdentity, "team-a/");
  std::string body = "<Delete>";
  for (int i = 0; i < 256; ++i) {
    body += "<Object><Key>" + std::string(900, 'k') + std::to_string(i) + "</Key></Object>";
  }
  body += "</Delete>";
  const TestRequest request{.method = "POST", .path = "/logs", .query = "delete"};
  EXPECT_TRUE(has(pass_through(signed_request(request), body), "POST /logs?delete="));
  (void)answer_from_backend(
      "HTTP/1.1 200 OK\r\ncontent-type: application/xml\r\ncontent-length: 15\r\n\r\n"
      "<DeleteResult/>");
  pass(2s);
  EXPECT_EQ(wire_.take_sent(), "");
  pass(1s);
  EXPECT_TRUE(has(wire_.take_sent(), "<DeleteResult/>"));
}

// --- pages of other origins

class HandlerCorsTest : public HandlerFixture {
 protected:
  void serve_with_rules() {
    Backend open = backend();
    open.cors.emplace_back(edge::CorsOptions{.origins = {"https://app.example"},
                                             .methods = {"GET", "PUT"},
                                             .headers = {"authorization", "x-amz-*"},
                                             .expose = {"ETag", "x-amz-*"},
                                             .max_age_seconds = 60});
    serve({{"open-*", open}, {"closed", backend()}});
  }
  std::string preflight(std::string_view path, std::string_view method,
                        std::string_view origin = "https://app.example",
                        std::string_view headers = "x-amz-date,authorization") {
    return send("OPTIONS " + std::string{path} + " HTTP/1.1\r\nHost: s3.example.test\r\nOrigin: " +
                std::string{origin} + "\r\nAccess-Control-Request-Method: " + std::string{method} +
                "\r\nAccess-Control-Request-Headers: " + std::string{headers} + "\r\n\r\n");
  }
};

TEST_F(HandlerCorsTest, APreflightIsAnsweredHereWithoutASignature) {
  serve_with_rules();
  const std::string got = preflight("/open-1/a%2Fb?partNumber=1&uploadId=x", "PUT");
  EXPECT_TRUE(got.starts_with("HTTP/1.1 200 ")) << got;
  EXPECT_TRUE(has(got, "access-control-allow-origin: https://app.example\r\n"));
  EXPECT_TRUE(has(got, "access-control-allow-methods: GET, PUT\r\n"));
  EXPECT_TRUE(has(got, "access-control-allow-headers: x-amz-date,authorization\r\n"));
  EXPECT_TRUE(has(got, "access-control-max-age: 60\r\n"));
  EXPECT_TRUE(has(got, "vary: origin, access-control-request-method"));
  EXPECT_TRUE(has(got, "content-length: 0\r\n"));
  EXPECT_EQ(policy_.log, "");
  EXPECT_FALSE(connected());
}

TEST_F(HandlerCorsTest, WhatNoRuleAllowsIsForbidden) {
  serve_with_rules();
  for (const std::string& got :
       {preflight("/open-1/a", "DELETE"), preflight("/open-1/a", "PUT", "https://evil.example"),
        preflight("/open-1/a", "PUT", "https://app.example", "x-other"), preflight("/", "GET"),
        preflight("/closed/a", "GET"), preflight("/none/a", "GET"), preflight("/a_b/c", "GET")}) {
    EXPECT_TRUE(got.starts_with("HTTP/1.1 403 ")) << got;
    EXPECT_TRUE(has(got, "<Code>AccessForbidden</Code>")) << got;
    EXPECT_FALSE(has(got, "access-control-allow")) << got;
  }
  EXPECT_TRUE(has(preflight("/closed/a", "GET"), "CORS is not enabled"));
  EXPECT_TRUE(has(preflight("/open-1/a", "DELETE"), "<Method>DELETE</Method>"));
  const std::string none = send("OPTIONS /open-1/a HTTP/1.1\r\nHost: h\r\n\r\n");
  EXPECT_TRUE(none.starts_with("HTTP/1.1 400 ")) << none;
  EXPECT_EQ(policy_.log, "");
}

TEST_F(HandlerCorsTest, AnAnswerOfTheBackendSaysWhoMayReadIt) {
  serve_with_rules();
  TestRequest request{.path = "/open-1/a"};
  request.header("origin") = "https://app.example";
  (void)pass_through(signed_request(request));
  const std::string got = answer_from_backend(
      "HTTP/1.1 200 OK\r\nETag: \"1\"\r\nx-amz-version-id: 2\r\n"
      "Access-Control-Allow-Origin: *\r\nAccess-Control-Allow-Credentials: true\r\n"
      "content-length: 0\r\n\r\n");
  EXPECT_TRUE(has(got, "access-control-allow-origin: https://app.example\r\n")) << got;
  EXPECT_TRUE(
      has(got, "access-control-expose-headers: ETag, x-amz-version-id, x-amz-request-id\r\n"))
      << got;
  EXPECT_TRUE(has(got, "vary: origin\r\n"));
  EXPECT_FALSE(has(got, "access-control-allow-origin: *"));
  EXPECT_FALSE(has(got, "credentials"));
}

TEST_F(HandlerCorsTest, WithoutRulesTheBackendSaysIt) {
  serve_with_rules();
  (void)pass_through(signed_request({.path = "/closed/a"}));
  const std::string got = answer_from_backend(
      "HTTP/1.1 200 OK\r\nAccess-Control-Allow-Origin: *\r\ncontent-length: 0\r\n\r\n");
  EXPECT_TRUE(has(got, "access-control-allow-origin: *\r\n")) << got;
  EXPECT_FALSE(has(got, "vary"));
}

TEST_F(HandlerCorsTest, ErrorsCanBeReadToo) {
  serve_with_rules();
  const std::string malformed = send(
      "GET /open-1/a HTTP/1.1\r\nHost: h\r\nOrigin: https://app.example\r\n"
      "Authorization: AWS4-HMAC-SHA256 nonsense\r\n\r\n");
  EXPECT_TRUE(malformed.starts_with("HTTP/1.1 400 ")) << malformed;
  EXPECT_TRUE(has(malformed, "access-control-allow-origin: https://app.example\r\n")) << malformed;
  EXPECT_TRUE(has(malformed, "access-control-expose-headers: ETag, x-amz-request-id\r\n"));
  TestRequest request{.path = "/open-1/a"};
  request.header("origin") = "https://app.example";
  (void)send(signed_request(request));
  (void)reply_key();
  const std::string denied = reply({Decision{Verdict::kNo, Scope::kRequest, ""}, kLong, kLong});
  EXPECT_TRUE(has(denied, "<Code>AccessDenied</Code>"));
  EXPECT_TRUE(has(denied, "access-control-allow-origin: https://app.example\r\n")) << denied;
  const std::string other =
      send("GET /open-1/a HTTP/1.1\r\nHost: h\r\nOrigin: https://evil.example\r\n\r\n");
  EXPECT_FALSE(has(other, "access-control-allow-origin")) << other;
  EXPECT_TRUE(has(other, "vary: origin\r\n"));
}

}  // namespace
}  // namespace tercel::gateway
