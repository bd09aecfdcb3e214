#include "tercel/s3/sign_request.h"

#include <random>
#include <string>

#include <gtest/gtest.h>

#include "s3/sigv4_request.h"
#include "support/allocations.h"

namespace tercel::s3 {
namespace {

// The request "GET object" of the documents of AWS, which signs the same headers as we do.
TEST(SignRequestTest, SignsTheExampleOfAws) {
  const TestRequest request =
      signed_request({.path = "/test.txt", .headers = {{"range", "bytes=0-9"}}},
                     "examplebucket.s3.amazonaws.com", kEmptySha256Hex);
  const std::vector<TestRequest::Pair> expected = {
      {"range", "bytes=0-9"},
      {"host", "examplebucket.s3.amazonaws.com"},
      {"x-amz-content-sha256", std::string{kEmptySha256Hex}},
      {"x-amz-date", "20130524T000000Z"},
      {"authorization",
       "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request, "
       "SignedHeaders=host;range;x-amz-content-sha256;x-amz-date, "
       "Signature=f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41"}};
  EXPECT_EQ(request.headers, expected);
}

TEST(SignRequestTest, SignsWhatNobodyOnTheWayRewrites) {
  const Reading reading{signed_request({.headers = {{"accept-encoding", "gzip"},
                                                    {"connection", "close"},
                                                    {"content-length", "3"},
                                                    {"content-md5", "x"},
                                                    {"content-type", "a/b"},
                                                    {"date", "now"},
                                                    {"expect", "100-continue"},
                                                    {"if-none-match", "*"},
                                                    {"range", "bytes=0-1"},
                                                    {"transfer-encoding", "chunked"},
                                                    {"user-agent", "u"},
                                                    {"via", "v"},
                                                    {"x-amz-meta-b", "2"},
                                                    {"x-amz-meta-a", "1"},
                                                    {"x-amzn-trace-id", "t"}}},
                                       "h", "UNSIGNED-PAYLOAD", "token")};
  EXPECT_EQ(reading.outcome(), "valid");
  EXPECT_EQ(reading.claim.signed_headers,
            "content-md5;content-type;host;if-none-match;range;x-amz-content-sha256;x-amz-date;"
            "x-amz-meta-a;x-amz-meta-b;x-amz-security-token");
  EXPECT_EQ(reading.claim.session_token, "token");
}

TEST(SignRequestTest, FieldsOfTheClientsSignatureAreReplaced) {
  const TestRequest client = signed_request({}, "front", kEmptySha256Hex, "token of the client");
  const TestRequest sent = signed_request(client, "backend");
  std::string names;
  for (const auto& [name, value] : sent.headers) names += name + ' ';
  EXPECT_EQ(names, "host x-amz-content-sha256 x-amz-date authorization ");
  const Reading reading{sent};
  EXPECT_EQ(reading.outcome(), "valid");
  EXPECT_EQ(reading.claim.session_token, "");
  EXPECT_EQ(reading.claim.payload_hash, "UNSIGNED-PAYLOAD");
}

TEST(SignRequestTest, RepeatedFieldsAreNamedOnceAndSignedInTheirOrder) {
  TestRequest request = signed_request({.headers = {{"x-amz-meta-a", "2"}, {"x-amz-meta-a", "1"}}});
  const Reading reading{request};
  EXPECT_EQ(reading.outcome(), "valid");
  EXPECT_EQ(reading.claim.signed_headers, "host;x-amz-content-sha256;x-amz-date;x-amz-meta-a");
  std::swap(request.headers[0].second, request.headers[1].second);
  EXPECT_EQ(Reading{request}.outcome(), "SignatureDoesNotMatch");
}

TEST(SignRequestTest, WhatIsTooLargeOrMalformedIsRefused) {
  const SigningKey key = test_signing_key();
  const Identity identity{
      .access_key = kTestKey, .key = &key, .region = "us-east-1", .time = to_amz_date(kTestNow)};
  Query query;
  std::vector<http::Field> fields;
  OutgoingRequest request{"GET", "/", &query, "h", fields, "UNSIGNED-PAYLOAD"};
  SignedFields made;
  std::vector<char> memory(kSignedFieldsBytes);
  ASSERT_EQ(sign_request(request, identity, memory, made), std::nullopt);
  // Every size that is too small, and none that is read beyond.
  const std::size_t needed = made.view().back().value.size() + kTimestampBytes +
                             std::string_view{"host;x-amz-content-sha256;x-amz-date"}.size();
  for (std::size_t bytes = 0; bytes < needed; ++bytes) {
    std::vector<char> small(bytes);
    ASSERT_EQ(sign_request(request, identity, small, made),
              ErrorCode::kRequestHeaderSectionTooLarge);
  }
  std::vector<char> enough(needed);
  EXPECT_EQ(sign_request(request, identity, enough, made), std::nullopt);

  request.path = "/%";
  EXPECT_EQ(sign_request(request, identity, memory, made), ErrorCode::kInvalidURI);
  request.path = "/";
  fields.assign(kSignedHeadersMax - 3, {"x-amz-meta-a", "1"});
  request.fields = fields;
  EXPECT_EQ(sign_request(request, identity, memory, made), std::nullopt);
  fields.push_back({"x-amz-meta-a", "1"});
  request.fields = fields;
  EXPECT_EQ(sign_request(request, identity, memory, made),
            ErrorCode::kRequestHeaderSectionTooLarge);
}

TEST(SignRequestTest, AllocatesNothing) {
  const SigningKey key = test_signing_key();
  const Identity identity{
      .access_key = kTestKey, .key = &key, .region = "us-east-1", .time = to_amz_date(kTestNow)};
  const http::Field fields[] = {{"x-amz-meta-a", "1"}, {"range", "bytes=0-1"}};
  std::array<char, kSignedFieldsBytes> memory;
  Query query;
  SignedFields made;
  const test::AllocationCount count;
  EXPECT_FALSE(query.parse("versionId=1&a=+"));
  EXPECT_FALSE(sign_request({"GET", "/b/k", &query, "h", fields, "UNSIGNED-PAYLOAD"}, identity,
                            memory, made));
  EXPECT_EQ(count.so_far(), 0U);
}

// Whatever is sent is accepted by who verifies.
TEST(SignRequestTest, EveryRequestThatIsSignedIsVerified) {
  std::mt19937 random{5};
  const auto pick = [&random](std::string_view bytes, std::size_t most) {
    std::string text;
    for (std::size_t i = random() % (most + 1); i > 0; --i) text += bytes[random() % bytes.size()];
    return text;
  };
  for (int round = 0; round < 3000; ++round) {
    TestRequest request{.method = random() % 2 == 0 ? "GET" : "PUT",
                        .path = "/" + pick("ab/.+ ~!\xC3\xA4", 20),
                        .query = pick("abX=&+/-\xE2", 20)};
    for (std::size_t i = random() % 6; i > 0; --i) {
      request.headers.emplace_back("x-amz-meta-" + pick("abc", 2), pick("a \t,;", 8));
    }
    const TestRequest sent = signed_request(request, "h:" + pick("019", 4));
    const Reading reading{sent};
    ASSERT_EQ(reading.outcome(), "valid") << request.path << ' ' << request.query;
  }
}

}  // namespace
}  // namespace tercel::s3
