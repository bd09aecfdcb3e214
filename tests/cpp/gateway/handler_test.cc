#include "tercel/gateway/handler.h"

#include <string>
#include <string_view>

#include <gtest/gtest.h>

#include "gateway/handler_fixture.h"
#include "tercel/s3/presign.h"

namespace tercel::gateway {
namespace {

using s3::signed_request;
using s3::TestRequest;

constexpr std::string_view kChunks = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD";
constexpr std::string_view kKnown = "key AKIAIOSFODNN7EXAMPLE;";

class HandlerTest : public HandlerFixture {};

// --- in which order things are looked at

TEST_F(HandlerTest, NobodyIsAskedAboutARequestWithoutASignature) {
  serve({{"logs", backend()}});
  const std::string got = send(
      "PUT /logs/a HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\n"
      "Content-Length: 5\r\n\r\n");
  EXPECT_TRUE(got.starts_with("HTTP/1.1 403 ")) << got;
  EXPECT_TRUE(has(got, "<Code>AccessDenied</Code>"));
  EXPECT_TRUE(has(got, "<Resource>/logs/a</Resource>"));
  EXPECT_EQ(policy_.log, "");
  EXPECT_FALSE(connected());
}

TEST_F(HandlerTest, OnlyTheKeyIsAskedForBeforeTheSignatureIsRight) {
  serve({{"logs", backend()}});
  TestRequest request = signed_request({.path = "/logs/a"});
  request.path = "/logs/b";
  EXPECT_EQ(send(request), "");
  EXPECT_TRUE(has(reply_key(), "<Code>SignatureDoesNotMatch</Code>"));
  EXPECT_EQ(policy_.log, kKnown);
  EXPECT_FALSE(connected());
}

TEST_F(HandlerTest, AnUnknownKeyIsRefused) {
  serve({{"logs", backend()}});
  EXPECT_EQ(send(signed_request({.path = "/logs/a"})), "");
  EXPECT_TRUE(has(reply({FrontKey{.verdict = Verdict::kNo}, kLong, kLong}),
                  "<Code>InvalidAccessKeyId</Code>"));
  EXPECT_EQ(policy_.log, kKnown);
}

TEST_F(HandlerTest, ASessionTokenMustBeTheOneOfTheKey) {
  serve({{"logs", backend()}});
  const TestRequest without = signed_request({.path = "/logs/a"});
  EXPECT_EQ(send(without), "");
  EXPECT_TRUE(has(reply_key("alice", "token"), "<Code>InvalidToken</Code>"));
  const auto with = [](std::string_view token) {
    return signed_request({.path = "/logs/a"}, "s3.example.test", "UNSIGNED-PAYLOAD", token);
  };
  EXPECT_TRUE(has(send(with("tokem")), "<Code>InvalidToken</Code>"));
  EXPECT_EQ(send(with("token")), "");
  EXPECT_EQ(policy_.log, std::string{kKnown} + "may alice GetObject logs/a;");
}

// It is part of a presigned URL, so that what adds one makes the signature wrong as well.
TEST_F(HandlerTest, ATokenThatTheKeyDoesNotHaveIsToldOfFirst) {
  serve({{"logs", backend()}});
  TestRequest request =
      signed_request({.path = "/logs/a"}, "s3.example.test", "UNSIGNED-PAYLOAD", "token");
  request.path = "/logs/b";
  EXPECT_EQ(send(request), "");
  EXPECT_TRUE(has(reply_key(), "<Code>InvalidToken</Code>"));
  const TestRequest without = signed_request({.path = "/logs/a"});
  request = without;
  request.path = "/logs/b";
  EXPECT_TRUE(has(send(request), "<Code>SignatureDoesNotMatch</Code>"));
  EXPECT_EQ(policy_.log, kKnown);
}

TEST_F(HandlerTest, AWrongSignatureIsShownToWhoMadeIt) {
  serve({{"logs", backend()}});
  TestRequest request = signed_request({.path = "/logs/a"});
  const std::string& value = request.header("authorization");
  const std::string signature = value.substr(value.rfind('=') + 1);
  request.path = "/logs/b";
  EXPECT_EQ(send(request), "");
  const std::string got = reply_key();
  EXPECT_TRUE(has(got, "<SignatureProvided>" + signature + "</SignatureProvided>")) << got;
  EXPECT_FALSE(has(got, "StringToSign"));
}

TEST_F(HandlerTest, AMethodOfNoOperationIsNotAllowed) {
  serve({{"logs", backend()}});
  const auto refused = [this](std::string method, std::string path) {
    return send(signed_request({.method = std::move(method), .path = std::move(path)}));
  };
  const std::string got = refused("PATCH", "/logs/a");
  EXPECT_TRUE(got.starts_with("HTTP/1.1 405 ")) << got;
  EXPECT_TRUE(has(got, "<Code>MethodNotAllowed</Code>"));
  EXPECT_TRUE(has(got, "allow: GET, HEAD, PUT, POST, DELETE, OPTIONS\r\n"));
  EXPECT_TRUE(has(refused("POST", "/"), "allow: GET, OPTIONS\r\n"));
  EXPECT_TRUE(has(refused("POST", "/logs/a"), "405"));
  EXPECT_EQ(policy_.log, "");
}

// Its answer would be credentials of the backend.
TEST_F(HandlerTest, ASessionIsNotCreatedForAnybody) {
  serve({{"logs", backend()}});
  const std::string got = send(signed_request({.path = "/logs", .query = "session"}));
  EXPECT_TRUE(got.starts_with("HTTP/1.1 501 ")) << got;
  EXPECT_TRUE(has(got, "<Code>NotImplemented</Code>"));
  EXPECT_EQ(policy_.log, "");
  EXPECT_FALSE(connected());
}

// --- what a policy answers

TEST_F(HandlerTest, VerdictsAreErrorsOfS3) {
  serve({{"logs", backend()}});
  (void)send(signed_request({.path = "/logs/a"}));
  const std::string no_reply = reply({FrontKey{.verdict = Verdict::kFailed}, {}, {}});
  EXPECT_TRUE(no_reply.starts_with("HTTP/1.1 500 ")) << no_reply;
  (void)send(signed_request({.path = "/logs/a"}));
  EXPECT_EQ(reply_key(), "");
  EXPECT_TRUE(reply({Decision{Verdict::kTimedOut, Scope::kRequest, ""}, {}, {}})
                  .starts_with("HTTP/1.1 503 "));
  (void)send(signed_request({.path = "/logs/a"}));
  EXPECT_TRUE(
      reply({Decision{Verdict::kNo, Scope::kRequest, ""}, {}, {}}).starts_with("HTTP/1.1 403 "));
  EXPECT_FALSE(connected());
}

TEST_F(HandlerTest, AnAnswerAfterTheClientLeftIsForNobody) {
  serve({{"logs", backend()}});
  (void)send(signed_request({.path = "/logs/a"}));
  close_client();
  EXPECT_EQ(reply_key(), "");
  EXPECT_EQ(policy_.log, kKnown);
}

TEST_F(HandlerTest, TheSourceOfACopyIsAskedForSeparately) {
  serve({{"logs", backend()}});
  TestRequest copy{.method = "PUT", .path = "/logs/b"};
  copy.header("x-amz-copy-source") = "/logs/secret";
  (void)send(signed_request(copy));
  (void)reply_key();
  EXPECT_EQ(reply_yes(Scope::kBucket), "");
  EXPECT_EQ(policy_.log,
            std::string{kKnown} + "may alice CopyObject logs/b;may alice GetObject logs/secret;");
  EXPECT_TRUE(has(reply({Decision{Verdict::kNo, Scope::kRequest, ""}, {}, {}}), "AccessDenied"));
  EXPECT_FALSE(connected());
}

TEST_F(HandlerTest, CredentialsAreAskedForWithBucketAndIdentity) {
  serve({{"logs", backend(CredentialsFrom::kPolicy)}});
  (void)send(signed_request({.path = "/logs/a"}));
  (void)reply_key();
  (void)reply_yes();
  EXPECT_TRUE(policy_.log.ends_with("with alice logs;"));
  (void)reply({*hmac("ALICE", "hers"), kLong, kLong});
  EXPECT_TRUE(is_signed_by(at_backend(), "ALICE", "hers"));
}

// S3 reads it there as well: a policy that looks for it must not overlook it.
TEST_F(HandlerTest, APolicySeesAHeaderThatIsInTheQuery) {
  serve({{"logs", backend()}});
  (void)send(signed_request({.path = "/logs/a", .query = "X-Amz-%41cl=public%2Dread&x-id=1"}));
  (void)reply_key();
  ASSERT_EQ(policy_.asked.size(), 1U);
  using Pairs = std::vector<std::pair<std::string, std::string>>;
  EXPECT_EQ(policy_.asked[0]->question.headers, (Pairs{{"x-amz-acl", "public-read"}}));
}

// The credentials of one user are not for another.
TEST_F(HandlerTest, CredentialsOfOneIdentityAreNotForAnother) {
  serve({{"logs", backend(CredentialsFrom::kPolicy)}});
  (void)send(signed_request({.path = "/logs/a"}));
  (void)reply_key("alice");
  (void)reply_yes();
  (void)reply({*hmac("ALICE", "hers"), kLong, kLong});
  EXPECT_TRUE(is_signed_by(at_backend(), "ALICE", "hers"));
  (void)answer_from_backend("HTTP/1.1 204 N\r\n\r\n");
  gateway_->changes.add({std::string{s3::kTestKey}, "", ""});  // The key is Bob's from now on.
  (void)send(signed_request({.path = "/logs/a"}));
  (void)reply_key("bob");
  policy_.log.clear();
  (void)reply_yes();
  EXPECT_EQ(policy_.log, "with bob logs;");
  (void)reply({*hmac("BOB", "his"), kLong, kLong});
  EXPECT_TRUE(is_signed_by(at_backend(), "BOB", "his"));
}

TEST_F(HandlerTest, AnAnswerThatDoesNotCountAnyMoreIsAskedForAgainAFewTimes) {
  serve({{"logs", backend()}});
  (void)send(signed_request({.path = "/logs/a"}));
  std::string got;
  int asked = 0;
  for (; got.empty() && asked < 10; ++asked) {
    gateway_->changes.add({std::string{s3::kTestKey}, "", ""});
    got = reply_key();
  }
  EXPECT_EQ(asked, 4);
  EXPECT_TRUE(has(got, "<Code>SlowDown</Code>")) << got;
}

TEST_F(HandlerTest, AListOfBucketsHasThoseThatMayBeSeen) {
  serve({{"a-logs", backend()}, {"b-logs", backend()}, {"*", backend()}});
  (void)send(signed_request({.path = "/"}));
  (void)reply_key();
  (void)reply_yes();
  EXPECT_EQ(reply({Decision{Verdict::kNo, Scope::kRequest, ""}, kLong, kLong}), "");
  const std::string got = reply_yes();
  EXPECT_TRUE(has(got, "<Name>b-logs</Name>")) << got;
  EXPECT_FALSE(has(got, "a-logs"));
  EXPECT_EQ(policy_.log, std::string{kKnown} +
                             "may alice ListBuckets /;may alice HeadBucket a-logs/;"
                             "may alice HeadBucket b-logs/;");
}

// --- where it goes

TEST_F(HandlerTest, ABucketOfNoBackendIsNone) {
  serve({{"logs", backend()}});
  (void)send(signed_request({.path = "/other/a"}));
  (void)reply_key();
  EXPECT_TRUE(has(reply_yes(), "<Code>NoSuchBucket</Code>"));
}

TEST_F(HandlerTest, ACopyFromAnotherBackendIsNotImplemented) {
  Backend other = backend();
  other.port = 1;
  serve({{"logs", backend()}, {"other", other}});
  TestRequest copy{.method = "PUT", .path = "/logs/b"};
  copy.header("x-amz-copy-source") = "other/a";
  (void)send(signed_request(copy));
  (void)reply_key();
  (void)reply_yes();
  EXPECT_TRUE(reply_yes().starts_with("HTTP/1.1 501 "));
}

// Signing keys are cached: those of another backend in the same region are not for this one.
TEST_F(HandlerTest, EachBackendIsSignedForWithItsOwnSecret) {
  Backend other = backend();
  other.shared_credentials = hmac("OTHER", "other-secret");
  serve({{"logs", backend()}, {"other", other}});
  EXPECT_TRUE(
      is_signed_by(pass_through(signed_request({.path = "/logs/a"})), "BACK", "back-secret"));
  (void)answer_from_backend("HTTP/1.1 204 N\r\n\r\n");
  EXPECT_TRUE(
      is_signed_by(pass_through(signed_request({.path = "/other/a"})), "OTHER", "other-secret"));
}

TEST_F(HandlerTest, ANewConfigurationSignsWithItsOwnSecret) {
  serve({{"logs", backend()}});
  (void)pass_through(signed_request({.path = "/logs/a"}));
  Backend rotated = backend();
  rotated.shared_credentials = hmac("BACK", "new-secret");
  gateway_->config.replace(config({{"logs", rotated}}));
  (void)answer_from_backend("HTTP/1.1 204 N\r\n\r\n");
  EXPECT_TRUE(
      is_signed_by(pass_through(signed_request({.path = "/logs/a"})), "BACK", "new-secret"));
}

// --- what it is when it goes on

TEST_F(HandlerTest, ConnectionCannotTakeASignedFieldAway) {
  serve({{"logs", backend()}});
  TestRequest copy{.method = "PUT", .path = "/logs/b"};
  copy.header("x-amz-copy-source") = "logs/a";
  copy.header("connection") = "X-Amz-Copy-Source";
  (void)send(signed_request(copy));
  (void)reply_key();
  (void)reply_yes();
  const std::string got = reply_yes();
  EXPECT_TRUE(has(got, "<Code>InvalidRequest</Code>")) << got;
  EXPECT_FALSE(connected());
}

TEST_F(HandlerTest, WhatIsOfTheWayStaysBehind) {
  serve({{"logs", backend()}});
  TestRequest request{.path = "/logs/a"};
  request.header("connection") = "keep-alive, X-One-Hop-Long";
  request.header("x-one-hop") = "stays";
  request.header("x-one-hop-long") = "goes";
  request.header("proxy-authorization") = "Basic cGFzc3dvcmQ=";
  request.header("x-forwarded-for") = "192.0.2.1";
  const std::string sent = pass_through(signed_request(request));
  EXPECT_TRUE(has(sent, "x-one-hop: stays\r\n")) << sent;
  for (const char* left : {"x-one-hop-long", "proxy-authorization", "x-forwarded-for", "AKIA"}) {
    EXPECT_FALSE(has(sent, left)) << left;
  }
}

TEST_F(HandlerTest, ASecondAttemptIsSignedAnew) {
  serve({{"logs", backend()}});
  (void)pass_through(signed_request({.path = "/logs/a"}));
  (void)answer_from_backend("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n");
  const std::string first = pass_through(signed_request({.path = "/logs/a"}));
  EXPECT_TRUE(has(first, "x-amz-date: 20130524T000000Z\r\n")) << first;
  test_time += std::chrono::seconds{5};
  peer_.reset();
  const std::string second = at_backend();
  EXPECT_TRUE(has(second, "x-amz-date: 20130524T000005Z\r\n")) << second;
  EXPECT_TRUE(is_signed_by(second, "BACK", "back-secret"));
}

// --- bodies

std::string chunk(std::string_view data, std::string_view signature) {
  return (data.empty() ? "0" : std::to_string(data.size())) +
         ";chunk-signature=" + std::string{signature} + "\r\n" + std::string{data} + "\r\n";
}

TestRequest chunked(std::size_t decoded) {
  TestRequest request{.method = "PUT", .path = "/logs/a"};
  request.header("x-amz-decoded-content-length") = std::to_string(decoded);
  return signed_request(request, "s3.example.test", kChunks);
}

TEST_F(HandlerTest, AWrongChunkLeavesTheBackendWithACutBody) {
  serve({{"logs", backend()}});
  const std::string body = chunk("hello", std::string(64, '0')) + chunk("", std::string(64, '0'));
  (void)send(chunked(5), body);
  (void)reply_key();
  EXPECT_TRUE(has(reply_yes() + (connected() ? wire_.take_sent() : ""), "SignatureDoesNotMatch"));
  EXPECT_FALSE(has(test::receive_all(peer_), "hello"));
}

// Of a body without bytes no end can be held back: the head waits.
TEST_F(HandlerTest, AnEmptyBodyIsVerifiedBeforeTheHeadIsSent) {
  serve({{"logs", backend()}});
  (void)send(chunked(0), chunk("", std::string(64, '0')));
  (void)reply_key();
  const std::string got = reply_yes();
  EXPECT_TRUE(has(got, "<Code>SignatureDoesNotMatch</Code>")) << got;
  EXPECT_FALSE(connected());
}

TEST_F(HandlerTest, AClientMayLeaveInTheMiddleOfAnEmptyBody) {
  serve({{"logs", backend()}});
  const std::string text = text_of(chunked(0), chunk("", std::string(64, '0')));
  (void)send(text.substr(0, text.size() - 20));
  (void)reply_key();
  EXPECT_EQ(reply_yes(), "");
  close_client();
  EXPECT_FALSE(connected());
}

TEST_F(HandlerTest, TheBackendSaysWhetherABodyIsToCome) {
  serve({{"logs", backend()}});
  TestRequest put{.method = "PUT", .path = "/logs/a"};
  put.header("expect") = "100-continue";
  put.header("content-length") = "5";
  const std::string sent = pass_through(signed_request(put));
  EXPECT_TRUE(has(sent, "expect: 100-continue\r\n")) << sent;
  EXPECT_EQ(answer_from_backend("HTTP/1.1 100 Continue\r\n\r\n"), "HTTP/1.1 100 Continue\r\n\r\n");
  EXPECT_EQ(send("hello"), "");
  EXPECT_EQ(at_backend(), "hello");
}

TEST_F(HandlerTest, ABackendThatHangsUpIsServiceUnavailable) {
  Backend once = backend();
  once.retry.retries = 0;
  serve({{"logs", once}});
  (void)pass_through(signed_request({.path = "/logs/a"}));
  peer_.reset();
  settle();
  const std::string got = wire_.take_sent();
  EXPECT_TRUE(has(got, "<Code>ServiceUnavailable</Code>")) << got;
  EXPECT_TRUE(has(got, "<Resource>/logs/a</Resource>")) << "of the relay's request";
}

TEST_F(HandlerTest, AnEmptyBodyThatIsRightGoesOn) {
  serve({{"logs", backend()}});
  const TestRequest request = chunked(0);
  const std::string authorization = TestRequest{request}.header("authorization");
  s3::ChunkSigner signer{s3::test_signing_key(),
                         {"20130524T000000Z", "us-east-1"},
                         std::string_view{authorization}.substr(authorization.size() - 64)};
  const std::string body = chunk("", s3::view(signer.sign_chunk(s3::sha256(""))));
  const std::string head = text_of(request, body);
  const std::string sent = [&] {
    (void)send(head.substr(0, head.size() - 20));
    (void)reply_key();
    EXPECT_EQ(reply_yes(), "");
    EXPECT_FALSE(connected());
    (void)send(head.substr(head.size() - 20));
    return at_backend();
  }();
  EXPECT_TRUE(has(sent, "content-length: 0\r\n")) << sent;
  EXPECT_FALSE(has(sent, "x-amz-decoded-content-length"));
  EXPECT_TRUE(is_signed_by(sent, "BACK", "back-secret"));
  EXPECT_TRUE(answer_from_backend("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n")
                  .starts_with("HTTP/1.1 200 "));
}

TEST_F(HandlerTest, ABackendThatVerifiesNothingGetsNoEmptyBodyThatIsWrong) {
  serve({{"logs", backend(CredentialsFrom::kBearer)}});
  (void)send(
      signed_request({.method = "PUT", .path = "/logs/a", .headers = {{"content-length", "0"}}},
                     "s3.example.test", std::string(64, 'a')));
  (void)reply_key();
  EXPECT_TRUE(has(reply_yes(), "<Code>XAmzContentSHA256Mismatch</Code>"));
  EXPECT_FALSE(connected());
}

TEST_F(HandlerTest, WhereTheBackendVerifiesNothingABodyIsVerifiedHere) {
  serve({{"logs", backend(CredentialsFrom::kBearer)}});
  (void)send(
      signed_request({.method = "PUT", .path = "/logs/a"}, "s3.example.test", std::string(64, 'a')),
      "hello");
  (void)reply_key();
  EXPECT_TRUE(has(reply_yes() + (connected() ? wire_.take_sent() : ""),
                  "<Code>XAmzContentSHA256Mismatch</Code>"));
  const std::string sent = test::receive_all(peer_);
  EXPECT_TRUE(sent.empty() || has(sent, "authorization: Bearer token\r\n")) << sent;
  EXPECT_FALSE(has(sent, "hello"));
}

TEST_F(HandlerTest, EncodingsInTwoFieldsStayTwo) {
  serve({{"logs", backend()}});
  TestRequest request{.method = "PUT", .path = "/logs/a"};
  request.headers = {{"content-encoding", "gzip"}, {"content-encoding", "aws-chunked, br"}};
  request.header("x-amz-decoded-content-length") = "5";
  std::string text = text_of(signed_request(request, "s3.example.test", kChunks),
                             chunk("hello", std::string(64, '0')));
  text.resize(text.size() - 4);  // The chunk is not complete: nobody has seen yet that it is wrong.
  (void)send(text);
  (void)reply_key();
  (void)reply_yes();
  const std::string sent = at_backend();
  EXPECT_TRUE(has(sent, "content-encoding: gzip\r\ncontent-encoding: br\r\n")) << sent;
}

// --- answers

constexpr std::string_view kError =
    "<Error><Code>NoSuchKey</Code><BucketName>real</BucketName></Error>";

std::string xml(std::string_view status, std::string_view more = "") {
  return "HTTP/1.1 " + std::string{status} + " X\r\ncontent-type: application/xml\r\n" +
         std::string{more} + "content-length: " + std::to_string(kError.size()) + "\r\n\r\n";
}

TEST_F(HandlerTest, AnErrorOfAnObjectDoesNotTellTheBackendsNames) {
  serve({{"logs", backend()}});
  (void)pass_through(signed_request({.path = "/logs/a"}));
  const std::string got = answer_from_backend(xml("404") + std::string{kError});
  EXPECT_TRUE(has(got, "<BucketName>logs</BucketName>")) << got;
  EXPECT_FALSE(has(got, "real"));
}

TEST_F(HandlerTest, AnObjectIsPassedAsItIs) {
  serve({{"logs", backend()}});
  (void)pass_through(signed_request({.path = "/logs/a"}));
  const std::string got = answer_from_backend(xml("200") + std::string{kError});
  EXPECT_TRUE(got.ends_with(kError)) << got;
}

TEST_F(HandlerTest, AHeadKeepsTheSizeOfADocument) {
  serve({{"logs", backend()}});
  (void)pass_through(signed_request({.method = "HEAD", .path = "/logs/a"}));
  EXPECT_TRUE(
      has(answer_from_backend(xml("200")), "content-length: " + std::to_string(kError.size())));
}

TEST_F(HandlerTest, WhereTheBackendIsIsNotTold) {
  serve({{"logs", backend()}});
  (void)pass_through(signed_request({.path = "/logs/a"}));
  const std::string got = answer_from_backend(
      "HTTP/1.1 307 T\r\nlocation: http://inside/real/a\r\nserver: back\r\n"
      "alt-svc: h3=\"inside:443\"\r\nx-amz-bucket-region: far\r\ncontent-length: 0\r\n\r\n");
  EXPECT_TRUE(got.starts_with("HTTP/1.1 503 ")) << got;
  for (const char* left : {"inside", "back", "far"}) EXPECT_FALSE(has(got, left)) << got;
}

TEST_F(HandlerTest, TheRegionThatIsToldIsTheOneToSignFor) {
  serve({{"logs", backend()}}, "us-east-1");
  (void)pass_through(signed_request({.method = "HEAD", .path = "/logs"}));
  const std::string got =
      answer_from_backend("HTTP/1.1 200 OK\r\nx-amz-bucket-region: far\r\n\r\n");
  EXPECT_TRUE(has(got, "x-amz-bucket-region: us-east-1\r\n")) << got;
  EXPECT_FALSE(has(got, "far"));
}

TEST_F(HandlerTest, ANewBucketIsWhereTheClientMadeIt) {
  serve({{"logs", backend()}});
  (void)pass_through(signed_request({.method = "PUT", .path = "/logs"}));
  const std::string got =
      answer_from_backend("HTTP/1.1 200 OK\r\nlocation: /real\r\ncontent-length: 0\r\n\r\n");
  EXPECT_TRUE(has(got, "location: /logs\r\n")) << got;
}

// With a trailer of an algorithm that S3 knows and the gateway does not.
TestRequest put_with_foreign_trailer() {
  return signed_request({.method = "PUT",
                         .path = "/logs/a",
                         .headers = {{"x-amz-trailer", "x-amz-checksum-xxhash3"},
                                     {"x-amz-decoded-content-length", "3"}}},
                        "s3.example.test", "STREAMING-UNSIGNED-PAYLOAD-TRAILER");
}
constexpr std::string_view kForeignBody = "3\r\nabc\r\n0\r\nx-amz-checksum-xxhash3:AAAA\r\n\r\n";

TEST_F(HandlerTest, AForeignTrailerIsPassedToWhoKnowsIt) {
  serve({{"logs", backend()}});
  EXPECT_TRUE(pass_through(put_with_foreign_trailer(), kForeignBody).ends_with(kForeignBody));
}

TEST_F(HandlerTest, AForeignTrailerIsNotTakenOff) {
  Backend one = backend();
  one.trailers = false;
  serve({{"logs", one}});
  EXPECT_EQ(send(put_with_foreign_trailer(), kForeignBody), "");
  EXPECT_EQ(reply_key(), "");
  const std::string got = reply_yes();
  EXPECT_TRUE(has(got, "<Code>InvalidRequest</Code>")) << got;
}

TEST_F(HandlerTest, APresignedRequestIsJudgedByWhenItCame) {
  serve({{"logs", backend()}});
  const s3::SigningKey key = s3::test_signing_key();
  std::string query;
  ASSERT_FALSE(s3::write_presigned_query({.method = "GET",
                                          .path = "/logs/a",
                                          .host = "h",
                                          .identity = {.access_key = s3::kTestKey,
                                                       .key = &key,
                                                       .region = "us-east-1",
                                                       .time = s3::to_amz_date(s3::kTestNow)},
                                          .expires = std::chrono::seconds{2}},
                                         query));
  (void)send("GET /logs/a?" + query + " HTTP/1.1\r\nHost: h\r\n\r\n");
  test_time += std::chrono::seconds{3};
  EXPECT_EQ(reply_key(), "");
  EXPECT_EQ(reply_yes(), "");
  const std::string sent = at_backend();
  EXPECT_TRUE(sent.starts_with("GET /logs/a HTTP/1.1\r\n")) << sent;
  EXPECT_TRUE(is_signed_by(sent, "BACK", "back-secret"));
}

}  // namespace
}  // namespace tercel::gateway
