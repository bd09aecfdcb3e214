// Presigned requests, as write_presigned_query() makes them, with one rule broken.
#include <string>

#include <gtest/gtest.h>

#include "s3/sigv4_request.h"
#include "tercel/s3/presign.h"

namespace tercel::s3 {
namespace {

using std::chrono::seconds;

constexpr std::string_view kCode = "AuthorizationQueryParametersError";

struct Options {
  std::string_view query = {};
  std::string_view token = {};
  std::vector<TestRequest::Pair> headers = {};
  seconds expires{3600};
};

TestRequest presigned(const Options& options = {}) {
  TestRequest request{.headers = options.headers};
  const SigningKey key = test_signing_key();
  const std::vector<http::Field> fields = request.fields();
  EXPECT_FALSE(write_presigned_query({.method = request.method,
                                      .path = request.path,
                                      .query = options.query,
                                      .host = "h:9000",
                                      .fields = fields,
                                      .identity = {.access_key = kTestKey,
                                                   .key = &key,
                                                   .region = "us-east-1",
                                                   .session_token = options.token,
                                                   .time = to_amz_date(kTestNow)},
                                      .expires = options.expires},
                                     request.query));
  request.headers.emplace_back("host", "h:9000");
  return request;
}

std::string with(std::string_view from, std::string_view to, seconds now = kTestNow) {
  TestRequest request = presigned();
  const std::size_t place = request.query.find(from);
  EXPECT_NE(place, std::string::npos) << from;
  request.query.replace(place, from.size(), to);
  return Reading{request, now}.code();
}

TEST(PresignedTest, ValidRequestIsReadInFull) {
  const Reading reading{presigned({.query = "versionId=1&prefix=a+b", .token = "t/+="})};
  EXPECT_EQ(reading.outcome(), "valid");
  const Claim& claim = reading.claim;
  EXPECT_EQ(claim.mechanism, Mechanism::kPresigned);
  EXPECT_EQ(claim.payload, Payload::kUnsigned);
  EXPECT_EQ(claim.payload_hash, "UNSIGNED-PAYLOAD");
  EXPECT_EQ(claim.access_key, kTestKey);
  EXPECT_EQ(claim.region, "us-east-1");
  EXPECT_EQ(claim.signed_headers, "host");
  EXPECT_EQ(claim.session_token, "t/+=");
  EXPECT_EQ(claim.expires, seconds{3600});
  EXPECT_EQ(claim.signed_at, kTestNow);
  std::string sent_on;
  reading.query.write_canonical(Query::Without::kAuthentication, sent_on);
  EXPECT_EQ(sent_on, "prefix=a%20b&versionId=1");
}

TEST(PresignedTest, EncodingOfTheParametersDoesNotMatter) {
  EXPECT_EQ(with("X-Amz-Date=2013", "X%2dAmz-Date=%32013"), "valid");
  EXPECT_EQ(with("%2F20130524%2F", "/20130524/"), "valid");
}

TEST(PresignedTest, SixParametersAreRequiredEachOnce) {
  for (const std::string_view name : {"X-Amz-Algorithm", "X-Amz-Credential", "X-Amz-Date",
                                      "X-Amz-Expires", "X-Amz-SignedHeaders", "X-Amz-Signature"}) {
    const std::string renamed = "Y" + std::string{name.substr(1)};
    EXPECT_EQ(with(name, renamed), kCode) << name;
    std::string lower{name};
    lower[0] = 'x';
    EXPECT_EQ(with(name, lower), kCode) << name;
    TestRequest request = presigned();
    request.query += "&" + std::string{name} + "=1";
    EXPECT_EQ(Reading{request}.code(), kCode) << name;
  }
  TestRequest request = presigned({.token = "t"});
  request.query += "&X-Amz-Security-Token=t";
  EXPECT_EQ(Reading{request}.code(), kCode);
}

TEST(PresignedTest, AlgorithmIsTheOneThatIsKnown) {
  EXPECT_EQ(with("AWS4-HMAC-SHA256", "AWS4-HMAC-SHA1"), kCode);
  EXPECT_EQ(with("AWS4-HMAC-SHA256", "AWS4-ECDSA-P256-SHA256"), kCode);
}

TEST(PresignedTest, WhatIsWrongIsSaidInTheWordsOfS3) {
  const auto expect = [](std::string_view from, std::string_view to, std::string_view text) {
    TestRequest request = presigned();
    request.query.replace(request.query.find(from), from.size(), to);
    EXPECT_EQ(Reading(request, kTestNow, "us-east-1").outcome(),
              "AuthorizationQueryParametersError: " + std::string{text});
  };
  constexpr std::string_view kCredential = "Error parsing the X-Amz-Credential parameter; ";
  const auto of_credential = [&](std::string_view from, std::string_view to,
                                 std::string_view text) {
    expect(from, to, std::string{kCredential} + std::string{text});
  };
  expect("AWS4-HMAC-SHA256", "AWS4-SHA256",
         "X-Amz-Algorithm only supports \"AWS4-HMAC-SHA256 and AWS4-ECDSA-P256-SHA256\"");
  expect("AWS4-HMAC-SHA256", "AWS4-ECDSA-P256-SHA256",
         "X-Amz-Algorithm only supports \"AWS4-HMAC-SHA256\"");
  expect("&X-Amz-Date", "&Other",
         "Query-string authentication version 4 requires the X-Amz-Algorithm, X-Amz-Credential, "
         "X-Amz-Signature, X-Amz-Date, X-Amz-SignedHeaders, and X-Amz-Expires parameters.");
  of_credential("%2Fus-east-1", "",
                "the Credential is mal-formed; expecting "
                "\"<YOUR-AKID>/YYYYMMDD/REGION/SERVICE/aws4_request\".");
  of_credential("%2Fs3%2F", "%2Fsns%2F",
                "incorrect service \"sns\". This endpoint belongs to \"s3\".");
  of_credential("aws4_request", "aws5_request",
                "incorrect terminal \"aws5_request\". This endpoint uses \"aws4_request\".");
  of_credential("us-east-1", "us-west-1",
                "the region \"us-west-1\" is wrong; expecting \"us-east-1\"");
  of_credential("%2F20130524", "%2F3223Z",
                "incorrect date format \"3223Z\". This date in the credential must be in the "
                "format \"yyyyMMdd\".");
  expect("%2F20130524", "%2F20060102",
         "Invalid credential date \"20060102\". This date is not the same as X-Amz-Date: "
         "\"20130524\".");
}

TEST(PresignedTest, ScopeIsChecked) {
  EXPECT_EQ(with("aws4_request", "aws4_reques"), kCode);
  EXPECT_EQ(with("%2Fs3%2F", "%2Fec2%2F"), kCode);
  EXPECT_EQ(with("%2F20130524%2F", "%2F20130525%2F"), kCode);
  EXPECT_EQ(with("us-east-1", "a%0Ab"), kCode);
  EXPECT_EQ(with("us-east-1", "a+b"), kCode);
  EXPECT_EQ(with("us-east-1", "us-east-2"), "SignatureDoesNotMatch");
  const Reading pinned{presigned(), kTestNow, "eu-central-1"};
  EXPECT_EQ(pinned.code(), kCode);
  EXPECT_EQ(pinned.element("Region"), "eu-central-1");
}

TEST(PresignedTest, DateIsWellFormed) {
  EXPECT_EQ(with("20130524T000000Z", "20130524T000000"), kCode);
  EXPECT_EQ(with("20130524T000000Z", ""), kCode);
}

TEST(PresignedTest, ExpiresIsANumberWithinAWeek) {
  for (const std::string_view text : {"", "-1", "+1", "1.5", "0x10", "1 ", "604801", "-",
                                      "18446744073709551616", "99999999999999999999999"}) {
    std::string encoded{text};
    if (text == "+1") encoded = "%2B1";
    EXPECT_EQ(with("X-Amz-Expires=3600", "X-Amz-Expires=" + encoded), kCode) << text;
  }
  EXPECT_EQ(Reading{presigned({.expires = kExpiresMax})}.outcome(), "valid");
  // Valid in the second in which it was signed.
  EXPECT_EQ(with("X-Amz-Expires=3600", "X-Amz-Expires=0"), "SignatureDoesNotMatch");
}

TEST(PresignedTest, ExpiresAfterItsTime) {
  EXPECT_EQ(Reading(presigned(), kTestNow + seconds{3600}).outcome(), "valid");
  const Reading late{presigned(), kTestNow + seconds{3601}};
  EXPECT_EQ(late.outcome(), "AccessDenied: Request has expired.");
  EXPECT_EQ(late.element("X-Amz-Expires"), "3600");
  EXPECT_EQ(late.element("Expires"), "2013-05-24T01:00:00Z");
  EXPECT_EQ(late.element("ServerTime"), "2013-05-24T01:00:01Z");
}

TEST(PresignedTest, IsNotValidBeforeItsTime) {
  EXPECT_EQ(Reading(presigned(), kTestNow - seconds{900}).outcome(), "valid");
  EXPECT_EQ(Reading(presigned(), kTestNow - seconds{901}).outcome(),
            "AccessDenied: Request is not valid yet.");
}

TEST(PresignedTest, SignedHeadersArePresentAndMatch) {
  const Options options{.headers = {{"content-type", "text/plain"}, {"x-amz-acl", "private"}}};
  TestRequest request = presigned(options);
  const Reading reading{request};
  EXPECT_EQ(reading.outcome(), "valid");
  EXPECT_EQ(reading.claim.signed_headers, "content-type;host;x-amz-acl");
  request.header("content-type") = "text/html";
  EXPECT_EQ(Reading{request}.outcome(), "SignatureDoesNotMatch");
  EXPECT_EQ(Reading{request.remove("content-type")}.code(), "SignatureDoesNotMatch");
}

TEST(PresignedTest, AmzHeadersThatAreNotSignedAreRefused) {
  TestRequest request = presigned();
  request.headers.emplace_back("x-amz-acl", "public-read");
  const Reading reading{request};
  EXPECT_EQ(reading.code(), "AccessDenied");
  EXPECT_EQ(reading.element("HeadersNotSigned"), "x-amz-acl");
}

TEST(PresignedTest, SecurityTokenBelongsToTheQuery) {
  EXPECT_EQ(Reading{presigned({.headers = {{"x-amz-security-token", "t"}}})}.code(),
            "InvalidArgument");
}

// A digest of the body counts when it is signed, in a header or in the query.
TEST(PresignedTest, PayloadMayBeSigned) {
  const std::string digest{kEmptySha256Hex};
  for (const std::string& payload : {digest, std::string{"UNSIGNED-PAYLOAD"}}) {
    const Reading header{presigned({.headers = {{"x-amz-content-sha256", payload}}})};
    EXPECT_EQ(header.outcome(), "valid");
    EXPECT_EQ(header.claim.payload_hash, payload);
    const std::string parameter = "X-Amz-Content-Sha256=" + payload;
    TestRequest request = presigned();
    request.query += "&" + parameter;
    const Reading query{request};
    EXPECT_FALSE(query.refusal);
    EXPECT_EQ(query.claim.payload_hash, payload);
    EXPECT_FALSE(query.valid);  // It was added to what was signed.
  }
  TestRequest request = presigned({.headers = {{"x-amz-content-sha256", digest}}});
  request.query += "&X-Amz-Content-Sha256=UNSIGNED-PAYLOAD";
  EXPECT_EQ(Reading{request}.code(), "InvalidArgument");
}

TEST(PresignedTest, PayloadIsNotStreaming) {
  for (const std::string_view payload :
       {"STREAMING-UNSIGNED-PAYLOAD-TRAILER", "STREAMING-AWS4-HMAC-SHA256-PAYLOAD", "x"}) {
    TestRequest request = presigned({.headers = {{"x-amz-content-sha256", std::string{payload}}}});
    request.method = "PUT";
    EXPECT_EQ(Reading{request}.code(), "InvalidArgument") << payload;
  }
}

TEST(PresignedTest, IsForOneMethodPathQueryAndHost) {
  TestRequest request = presigned();
  request.method = "PUT";
  EXPECT_EQ(Reading{request}.outcome(), "SignatureDoesNotMatch");
  request = presigned();
  request.path += "2";
  EXPECT_EQ(Reading{request}.outcome(), "SignatureDoesNotMatch");
  request = presigned();
  request.query += "&versionId=1";
  EXPECT_EQ(Reading{request}.outcome(), "SignatureDoesNotMatch");
  request = presigned();
  request.header("host") = "h:9001";
  EXPECT_EQ(Reading{request}.outcome(), "SignatureDoesNotMatch");
}

}  // namespace
}  // namespace tercel::s3
