// Buckets that no configuration names: when their backend is asked for, and what comes of it.
#include <string>
#include <string_view>
#include <utility>

#include <gtest/gtest.h>

#include "gateway/handler_fixture.h"

namespace tercel::gateway {
namespace {

using s3::signed_request;

constexpr std::string_view kAllowed =
    "key AKIAIOSFODNN7EXAMPLE;may alice GetObject logs/a;where logs;";

class HandlerResolverTest : public HandlerFixture {
 protected:
  // One whose only rule is of another bucket.
  void serve_resolving(bool resolves = true) {
    Config config;
    config.resolves = resolves;
    EXPECT_FALSE(config.buckets.add("named", backend()));
    serve(SharedConst{std::move(config)});
  }
  std::string reply_backend(Backend backend) {
    return reply({ResolvedBucket{Verdict::kYes, SharedConst{std::move(backend)}}, kLong, kLong});
  }
  std::string reply_none(Verdict verdict) {
    return reply({ResolvedBucket{verdict, {}}, kLong, kLong});
  }
  // As far as the question.
  void ask_where() {
    EXPECT_EQ(send(signed_request({.path = "/logs/a"})), "");
    EXPECT_EQ(reply_key(), "");
    EXPECT_EQ(reply_yes(), "");
    EXPECT_EQ(policy_.log, kAllowed);
  }
};

TEST_F(HandlerResolverTest, IsAskedOnceForWhatMayBeMade) {
  serve_resolving();
  ask_where();
  Backend there = backend();
  there.bucket = "real";
  EXPECT_EQ(reply_backend(there), "");
  EXPECT_TRUE(has(at_backend(), "GET /real/a HTTP/1.1\r\n"));
  EXPECT_TRUE(has(answer_from_backend("HTTP/1.1 200 OK\r\ncontent-length: 1\r\n\r\nx"), "200"));
  policy_.log.clear();
  EXPECT_EQ(send(signed_request({.path = "/logs/a"})), "");
  EXPECT_EQ(policy_.log, "");
  EXPECT_TRUE(has(at_backend(), "GET /real/a HTTP/1.1\r\n"));
}

TEST_F(HandlerResolverTest, IsNotAskedForWhatMayNot) {
  serve_resolving();
  EXPECT_EQ(send(signed_request({.path = "/logs/a"})), "");
  EXPECT_EQ(reply_key(), "");
  EXPECT_TRUE(has(reply({Decision{Verdict::kNo, Scope::kRequest, ""}, kLong, kLong}),
                  "<Code>AccessDenied</Code>"));
  EXPECT_TRUE(policy_.asked.empty());
}

TEST_F(HandlerResolverTest, IsNotAskedForWhatHasARule) {
  serve_resolving();
  EXPECT_TRUE(has(pass_through(signed_request({.path = "/named/a"})), "GET /named/a HTTP/1.1\r\n"));
  EXPECT_FALSE(has(policy_.log, "where"));
}

TEST_F(HandlerResolverTest, WithoutOneTheBucketIsNone) {
  serve_resolving(false);
  EXPECT_EQ(send(signed_request({.path = "/logs/a"})), "");
  EXPECT_EQ(reply_key(), "");
  EXPECT_TRUE(has(reply_yes(), "<Code>NoSuchBucket</Code>"));
}

TEST_F(HandlerResolverTest, WhatItSaysOfNone) {
  for (const auto& [verdict, code] :
       {std::pair{Verdict::kNo, "NoSuchBucket"}, std::pair{Verdict::kFailed, "InternalError"},
        std::pair{Verdict::kTimedOut, "SlowDown"}}) {
    policy_.log.clear();
    serve_resolving();
    ask_where();
    const std::string got = reply_none(verdict);
    EXPECT_TRUE(has(got, code)) << got;
    EXPECT_TRUE(has(got, "<Resource>/logs/a</Resource>")) << "of the request that was kept";
    EXPECT_FALSE(connected());
  }
}

TEST_F(HandlerResolverTest, BothBucketsOfACopy) {
  serve_resolving();
  const auto copy = [] {
    return signed_request(
        {.method = "PUT", .path = "/logs/b", .headers = {{"x-amz-copy-source", "other/a"}}});
  };
  Backend there = backend();
  there.bucket = "real";
  Backend source = there;
  source.bucket = "source";
  EXPECT_EQ(send(copy()), "");
  EXPECT_EQ(reply_key(), "");
  EXPECT_EQ(reply_yes(), "");
  EXPECT_EQ(reply_yes(), "");
  EXPECT_TRUE(policy_.log.ends_with(";where logs;")) << policy_.log;
  EXPECT_EQ(reply_backend(there), "");
  EXPECT_TRUE(policy_.log.ends_with(";where logs;where other;")) << policy_.log;
  EXPECT_EQ(reply_backend(source), "");
  const std::string passed = at_backend();
  EXPECT_TRUE(has(passed, "PUT /real/b HTTP/1.1\r\n")) << passed;
  EXPECT_TRUE(has(passed, "x-amz-copy-source: source/a\r\n")) << passed;
}

}  // namespace
}  // namespace tercel::gateway
