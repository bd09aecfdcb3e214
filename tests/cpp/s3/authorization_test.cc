// The Authorization header. Each test takes a request that is valid and breaks one rule.
#include "tercel/s3/authorization.h"

#include <string>
#include <tuple>

#include <gtest/gtest.h>

#include "s3/sigv4_request.h"
#include "tercel/http/date.h"

namespace tercel::s3 {
namespace {

using std::chrono::seconds;

TestRequest valid() {
  return signed_request({.headers = {{"x-amz-meta-a", "1"}, {"user-agent", "test"}}});
}

// What a valid request becomes when `from` in its Authorization field is `to`.
std::string with(std::string_view from, std::string_view to) {
  TestRequest request = valid();
  std::string& value = request.header("authorization");
  const std::size_t place = value.find(from);
  EXPECT_NE(place, std::string::npos) << from;
  value.replace(place, from.size(), to);
  return Reading{request}.code();
}

TEST(AuthorizationTest, ValidRequestIsReadInFull) {
  const Reading reading{signed_request({}, "h:9000", kEmptySha256Hex, "token/+=")};
  EXPECT_EQ(reading.outcome(), "valid");
  const Claim& claim = reading.claim;
  EXPECT_EQ(claim.mechanism, Mechanism::kHeader);
  EXPECT_EQ(claim.payload, Payload::kSha256);
  EXPECT_EQ(claim.access_key, kTestKey);
  EXPECT_EQ(claim.region, "us-east-1");
  EXPECT_EQ(claim.signed_headers, "host;x-amz-content-sha256;x-amz-date;x-amz-security-token");
  EXPECT_EQ(claim.payload_hash, kEmptySha256Hex);
  EXPECT_EQ(claim.session_token, "token/+=");
  EXPECT_EQ(claim.stamp().timestamp, "20130524T000000Z");
  EXPECT_EQ(claim.signed_at, kTestNow);
}

TEST(AuthorizationTest, RequestWithoutASignatureIsAnonymous) {
  EXPECT_EQ(Reading({.headers = {{"host", "h"}}}).outcome(), "anonymous");
  EXPECT_EQ(Reading({.query = "x-amz-signature=1&versionId=2"}).outcome(), "anonymous");
}

TEST(AuthorizationTest, BodyOfAnAnonymousRequestMayBeChunkedButNotSigned) {
  const auto put = [](std::string_view payload) {
    return TestRequest{.method = "PUT",
                       .headers = {{"x-amz-content-sha256", std::string{payload}}}};
  };
  const Reading trailer{put("STREAMING-UNSIGNED-PAYLOAD-TRAILER")};
  EXPECT_EQ(trailer.outcome(), "anonymous");
  EXPECT_EQ(trailer.claim.payload, Payload::kUnsignedWithTrailer);
  EXPECT_EQ(Reading(put("STREAMING-AWS4-HMAC-SHA256-PAYLOAD")).code(), "InvalidArgument");
  EXPECT_EQ(Reading(put("nonsense")).code(), "InvalidArgument");
}

TEST(AuthorizationTest, OnlyOneMechanismIsAllowed) {
  for (const std::string_view query :
       {"X-Amz-Algorithm=AWS4-HMAC-SHA256", "X-Amz-Signature=0", "X%2DAmz-Signature=0",
        "X-Amz-Credential=a", "AWSAccessKeyId=a&Signature=b&Expires=1"}) {
    TestRequest request = valid();
    request.query = query;
    EXPECT_EQ(Reading{request}.code(), "InvalidArgument") << query;
    EXPECT_TRUE(Reading{request}.outcome().find("Only one auth mechanism") != std::string::npos);
  }
  EXPECT_EQ(Reading({.query = "X-Amz-Signature=0&Signature=1"}).code(), "InvalidArgument");
}

TEST(AuthorizationTest, RepeatedAuthorizationIsRefused) {
  TestRequest request = valid();
  const std::string again = request.header("authorization");
  request.headers.emplace_back("authorization", again);
  EXPECT_EQ(Reading{request}.code(), "InvalidArgument");
}

TEST(AuthorizationTest, Version2IsRefusedWithTheTextOfAws) {
  TestRequest request = valid();
  request.header("authorization") = "AWS AKIA:signature";
  EXPECT_EQ(Reading{request}.outcome(),
            "InvalidRequest: The authorization mechanism you have provided is not supported. "
            "Please use AWS4-HMAC-SHA256.");
  EXPECT_EQ(Reading({.query = "AWSAccessKeyId=a&Signature=b&Expires=1"}).code(), "InvalidRequest");
}

TEST(AuthorizationTest, Version4AIsNotImplemented) {
  EXPECT_EQ(with("AWS4-HMAC-SHA256", "AWS4-ECDSA-P256-SHA256"), "NotImplemented");
  for (const std::string_view payload : {"STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD",
                                         "STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD-TRAILER"}) {
    EXPECT_EQ(Reading{signed_request({.method = "PUT"}, "h", payload)}.code(), "NotImplemented");
  }
}

TEST(AuthorizationTest, OtherSchemesAreUnsupported) {
  for (const std::string_view value :
       {"", "Basic YTpi", "Bearer t", "aws4-hmac-sha256 Credential=",
        "AWS4-HMAC-SHA512 Credential=a", "AWS4-HMAC-SHA256Credential"}) {
    TestRequest request = valid();
    request.header("authorization") = value;
    EXPECT_EQ(Reading{request}.code(), "InvalidArgument") << value;
  }
}

TEST(AuthorizationTest, ComponentsMayHaveBlanksAroundThem) {
  EXPECT_EQ(with(", SignedHeaders", ",SignedHeaders"), "valid");
  EXPECT_EQ(with(", SignedHeaders", " \t ,\t  SignedHeaders"), "valid");
  EXPECT_EQ(with("AWS4-HMAC-SHA256 ", "AWS4-HMAC-SHA256 \t "), "valid");
}

TEST(AuthorizationTest, ComponentsAreThreeInTheirOrder) {
  constexpr std::string_view kMalformed = "AuthorizationHeaderMalformed";
  EXPECT_EQ(with("Credential=", "credential="), kMalformed);
  EXPECT_EQ(with("Credential=", "Credential ="), kMalformed);
  EXPECT_EQ(with("Credential=", "Extra=1, Credential="), kMalformed);
  EXPECT_EQ(with("Signature=", "Extra=1, Signature="), kMalformed);
  EXPECT_EQ(with("Signature=", "Signature=0, Signature="), kMalformed);
  EXPECT_EQ(with(", Signature=", ", Signature"), kMalformed);
  TestRequest request = valid();
  request.header("authorization") += ", Extra=1";
  EXPECT_EQ(Reading{request}.code(), kMalformed);
  request = valid();
  request.header("authorization") += ",";
  EXPECT_EQ(Reading{request}.code(), kMalformed);
  for (const std::string_view value :
       {"AWS4-HMAC-SHA256", "AWS4-HMAC-SHA256 ", "AWS4-HMAC-SHA256 ,,",
        "AWS4-HMAC-SHA256 Credential=",
        "AWS4-HMAC-SHA256 Credential=, SignedHeaders=, Signature="}) {
    request.header("authorization") = value;
    EXPECT_EQ(Reading{request}.code(), kMalformed) << value;
  }
}

// What is said when `from` in the Authorization field is `to`.
std::string said(std::string_view from, std::string_view to, std::string_view region) {
  TestRequest request = valid();
  std::string& value = request.header("authorization");
  value.replace(value.find(from), from.size(), to);
  return Reading{request, kTestNow, region}.outcome();
}

// Clients show them, and suites of others compare them.
TEST(AuthorizationTest, WhatIsWrongIsSaidInTheWordsOfS3) {
  const auto expect = [](std::string_view from, std::string_view to, std::string_view text,
                         std::string_view region = {}) {
    EXPECT_EQ(said(from, to, region),
              "AuthorizationHeaderMalformed: The authorization header is malformed; " +
                  std::string{text});
  };
  TestRequest request = valid();
  const std::string signature =
      request.header("authorization").substr(request.header("authorization").rfind('=') + 1);
  expect("Signature=", "More=1, Signature=",
         "the authorization header requires three components: Credential, SignedHeaders, and "
         "Signature.");
  expect("Credential=", "Else=", "missing Credential.");
  expect("SignedHeaders=", "Else=", "missing SignedHeaders.");
  expect("Signature=", "Else=", "missing Signature.");
  expect(", Signature=", ", Signature-",
         "the authorization component \"Signature-" + signature.substr(0, 54) + "\" is malformed.");
  const std::string form =
      "the Credential is mal-formed; expecting "
      "\"<YOUR-AKID>/YYYYMMDD/REGION/SERVICE/aws4_request\".";
  expect("/s3/aws4_request", "/s3/more/things", form);
  expect("/us-east-1", "", form);
  expect("/s3/", "/e\"c2/", "incorrect service \"e\"c2\". This endpoint belongs to \"s3\".");
  expect(
      "aws4_request", std::string(100, 'a'),
      "incorrect terminal \"" + std::string(64, 'a') + "\". This endpoint uses \"aws4_request\".");
  for (const std::string_view date : {"2013052", "201305240", "2013x524"}) {
    expect("20130524", date,
           "incorrect date format \"" + std::string{date} +
               "\". This date in the credential must be in the format \"yyyyMMdd\".");
  }
  expect("20130524", "20130525",
         "The authorization header is malformed; Invalid credential date. Date is not the same as "
         "X-Amz-Date.");
  expect("us-east-1", "us-west-1", "the region \"us-west-1\" is wrong; expecting \"eu-de\"",
         "eu-de");
}

TEST(AuthorizationTest, AnUnknownSchemeIsNamed) {
  for (const auto& [value, scheme, message] :
       {std::tuple{"word", "word",
                   "Authorization header is invalid -- one and only one ' ' (space) required."},
        {"AWS2-HMAC-SHA1 Credential=a", "AWS2-HMAC-SHA1", "Unsupported Authorization Type"}}) {
    TestRequest request = valid();
    request.header("authorization") = value;
    const Reading reading{request};
    EXPECT_EQ(reading.outcome(), "InvalidArgument: " + std::string{message});
    ASSERT_EQ(reading.refusal->elements(), 2U);
    EXPECT_EQ(reading.refusal->element(0).value, "Authorization");
    EXPECT_EQ(reading.refusal->element(1).value, scheme);
  }
}

TEST(AuthorizationTest, CredentialIsSplitFromTheRight) {
  TestRequest request = valid();
  std::string& value = request.header("authorization");
  value.replace(value.find(kTestKey), kTestKey.size(), "team/a/key");
  const Reading reading{request};
  EXPECT_EQ(reading.outcome(), "valid");  // The access key itself is not signed.
  EXPECT_EQ(reading.claim.access_key, "team/a/key");
}

TEST(AuthorizationTest, ScopeIsChecked) {
  constexpr std::string_view kMalformed = "AuthorizationHeaderMalformed";
  EXPECT_EQ(with("aws4_request", "aws4_reques"), kMalformed);
  EXPECT_EQ(with("/s3/", "/ec2/"), kMalformed);
  EXPECT_EQ(with("/s3/", "/"), kMalformed);
  EXPECT_EQ(with("us-east-1", ""), kMalformed);
  EXPECT_EQ(with("us-east-1", std::string(kRegionBytesMax + 1, 'r')), kMalformed);
  EXPECT_EQ(with("us-east-1", "us east-1"), kMalformed);
  EXPECT_EQ(with("20130524", "20130525"), kMalformed);
  EXPECT_EQ(with("20130524", "2013052"), kMalformed);
  EXPECT_EQ(with(kTestKey, ""), kMalformed);
  EXPECT_EQ(with(kTestKey, "a b"), kMalformed);
  EXPECT_EQ(with(kTestKey, std::string(kAccessKeyBytesMax + 1, 'a')), kMalformed);
  EXPECT_EQ(with(kTestKey, std::string(kAccessKeyBytesMax, 'a')), "valid");
  // Of the right form, and not the one that was signed.
  EXPECT_EQ(with("us-east-1", "us-east-2"), "SignatureDoesNotMatch");
}

TEST(AuthorizationTest, RegionCanBePinned) {
  EXPECT_EQ(Reading(valid(), kTestNow, "us-east-1").outcome(), "valid");
  const Reading reading{valid(), kTestNow, "eu-central-1"};
  EXPECT_EQ(reading.code(), "AuthorizationHeaderMalformed");
  EXPECT_EQ(reading.element("Region"), "eu-central-1");
}

TEST(AuthorizationTest, SignedHeadersAreSortedLowerCaseAndUnique) {
  constexpr std::string_view kMalformed = "AuthorizationHeaderMalformed";
  EXPECT_EQ(with("host;x-amz-content-sha256", "x-amz-content-sha256;host"), kMalformed);
  EXPECT_EQ(with("host;", "host;host;"), kMalformed);
  EXPECT_EQ(with("host;", "Host;"), kMalformed);
  EXPECT_EQ(with("host;", "host;;"), kMalformed);
  EXPECT_EQ(with("host;", ";host;"), kMalformed);
  EXPECT_EQ(with("host;", "host; "), kMalformed);
  EXPECT_EQ(with("x-amz-meta-a", "x-amz-meta-a;"), kMalformed);
  EXPECT_EQ(with("SignedHeaders=host;", "SignedHeaders="), kMalformed);
}

TEST(AuthorizationTest, EverySignedHeaderIsPresent) {
  EXPECT_EQ(with("host;", "host;range;"), "SignatureDoesNotMatch");
  EXPECT_EQ(Reading{valid().remove("host")}.code(), "SignatureDoesNotMatch");
}

TEST(AuthorizationTest, EveryAmzHeaderIsSigned) {
  TestRequest request = valid();
  request.headers.emplace_back("x-amz-acl", "public-read");
  request.headers.emplace_back("x-amzn-trace-id", "proxies add this");
  request.headers.emplace_back("x-amz-tagging", "a=b");
  const Reading reading{request};
  EXPECT_EQ(reading.outcome(),
            "AccessDenied: There were headers present in the request which were not signed");
  EXPECT_EQ(reading.element("HeadersNotSigned"), "x-amz-acl, x-amz-tagging");
}

TEST(AuthorizationTest, SignatureIsSixtyFourHexDigits) {
  constexpr std::string_view kMalformed = "AuthorizationHeaderMalformed";
  EXPECT_EQ(with("Signature=", "Signature=0"), kMalformed);
  TestRequest request = valid();
  request.header("authorization").pop_back();
  EXPECT_EQ(Reading{request}.code(), kMalformed);
  request.header("authorization") += "F";
  EXPECT_EQ(Reading{request}.code(), kMalformed);
}

TEST(AuthorizationTest, ClockMayBeFifteenMinutesOffEitherWay) {
  for (const int skew : {-900, 0, 900}) {
    EXPECT_EQ(Reading(valid(), kTestNow + seconds{skew}).outcome(), "valid") << skew;
  }
  for (const int skew : {-901, 901, 86400, -86400}) {
    const Reading reading{valid(), kTestNow + seconds{skew}};
    EXPECT_EQ(reading.code(), "RequestTimeTooSkewed") << skew;
    EXPECT_EQ(reading.element("RequestTime"), "20130524T000000Z");
    EXPECT_EQ(reading.element("MaxAllowedSkewMilliseconds"), "900000");
  }
  EXPECT_EQ(Reading(valid(), kTestNow + seconds{901}).element("ServerTime"),
            "2013-05-24T00:15:01Z");
}

TEST(AuthorizationTest, TimeIsThatOfXAmzDateElseOfDate) {
  TestRequest request = valid();
  request.headers.emplace_back("date", "Tue, 01 Jan 2019 00:00:00 GMT");
  EXPECT_EQ(Reading{request}.outcome(), "valid");

  // Signed by Date alone: the same request without x-amz-date, which is another canonical request.
  const std::string date = "Fri, 24 May 2013 00:00:00 GMT";
  request = valid().remove("x-amz-date");
  request.headers.emplace_back("date", date);
  std::string& value = request.header("authorization");
  const std::string_view name = ";x-amz-date";
  value.erase(value.find(name), name.size());
  const Reading unsigned_yet{request};
  EXPECT_EQ(unsigned_yet.outcome(), "SignatureDoesNotMatch");
  const HexDigest signature = sign(
      test_signing_key(), unsigned_yet.claim.stamp(),
      *canonical_digest(unsigned_yet.claim.canonical(unsigned_yet.request, unsigned_yet.query)));
  value.replace(value.size() - signature.size(), signature.size(), view(signature));
  EXPECT_EQ(Reading{request}.outcome(), "valid");
  EXPECT_EQ(Reading(request, kTestNow + seconds{901}).element("RequestTime"), date);
}

TEST(AuthorizationTest, TimeIsRequiredWellFormedAndThereOnce) {
  TestRequest request = valid();
  EXPECT_EQ(Reading{request.remove("x-amz-date")}.code(), "AccessDenied");
  request = valid();
  request.header("x-amz-date") = "20130524T000000";
  EXPECT_EQ(Reading{request}.code(), "AccessDenied");
  request = valid();
  request.headers.emplace_back("x-amz-date", "20130524T000000Z");
  EXPECT_EQ(Reading{request}.code(), "AccessDenied");
}

TEST(AuthorizationTest, PayloadHashIsOneOfFive) {
  const auto put = [](std::string_view payload) {
    return signed_request({.method = "PUT"}, "h", payload);
  };
  const std::pair<std::string_view, Payload> known[] = {
      {kEmptySha256Hex, Payload::kSha256},
      {"UNSIGNED-PAYLOAD", Payload::kUnsigned},
      {"STREAMING-UNSIGNED-PAYLOAD-TRAILER", Payload::kUnsignedWithTrailer},
      {"STREAMING-AWS4-HMAC-SHA256-PAYLOAD", Payload::kChunks},
      {"STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER", Payload::kChunksAndTrailer}};
  for (const auto& [text, payload] : known) {
    const Reading reading{put(text)};
    EXPECT_EQ(reading.outcome(), "valid") << text;
    EXPECT_EQ(reading.claim.payload, payload) << text;
    EXPECT_EQ(is_aws_chunked(payload), text.starts_with("STREAMING-"));
  }
  for (const std::string_view text :
       {"", "unsigned-payload", "STREAMING-", "STREAMING-UNSIGNED-PAYLOAD",
        "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILERS",
        "E3B0C44298FC1C149AFBF4C8996FB92427AE41E4649B934CA495991B7852B855"}) {
    EXPECT_EQ(Reading{put(text)}.code(), "InvalidArgument") << text;
  }
}

TEST(AuthorizationTest, PayloadHashIsRequiredOnce) {
  TestRequest request = valid();
  request.headers.emplace_back("x-amz-content-sha256", "UNSIGNED-PAYLOAD");
  EXPECT_EQ(Reading{request}.code(), "InvalidArgument");
  request = valid().remove("x-amz-content-sha256");
  std::string& value = request.header("authorization");
  const std::string_view name = ";x-amz-content-sha256";
  value.erase(value.find(name), name.size());
  EXPECT_EQ(Reading{request}.code(), "InvalidRequest");
}

TEST(AuthorizationTest, StreamingIsForPutOnly) {
  for (const std::string_view payload :
       {"STREAMING-UNSIGNED-PAYLOAD-TRAILER", "STREAMING-AWS4-HMAC-SHA256-PAYLOAD",
        "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER"}) {
    EXPECT_EQ(Reading{signed_request({.method = "POST"}, "h", payload)}.code(), "InvalidRequest");
  }
}

TEST(AuthorizationTest, RepeatedSecurityTokenIsRefused) {
  TestRequest request = signed_request({}, "h", "UNSIGNED-PAYLOAD", "token");
  request.headers.emplace_back("x-amz-security-token", "other");
  EXPECT_EQ(Reading{request}.code(), "InvalidArgument");
}

// Holes of an existing gateway: a header or a word in the query switched the check off.
TEST(AuthorizationTest, NothingSwitchesTheCheckOff) {
  TestRequest request = valid();
  request.path = "/bucket/other";
  request.headers.emplace_back("expect", "100-continue");
  EXPECT_EQ(Reading{request}.outcome(), "SignatureDoesNotMatch");
  for (const std::string_view query : {"uploadId=1", "xuploadId=1", "partNumber=1&uploadId=2"}) {
    request = valid();
    request.query = query;
    EXPECT_EQ(Reading{request}.outcome(), "SignatureDoesNotMatch") << query;
  }
}

}  // namespace
}  // namespace tercel::s3
