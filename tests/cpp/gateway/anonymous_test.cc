#include "tercel/gateway/anonymous.h"

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

#include "tercel/gateway/arrival.h"
#include "tercel/gateway/config.h"

namespace tercel::gateway {
namespace {

using s3::Operation;

class AnonymousTest : public testing::Test {
 protected:
  AnonymousTest() {
    Backend open;
    open.anonymous.allow(Operation::kGetObject);
    open.anonymous.allow(Operation::kListObjectsV2);
    open.anonymous.allow(Operation::kCopyObject);
    EXPECT_FALSE(config_.buckets.add("open", open));
    EXPECT_FALSE(config_.buckets.add("closed", Backend{}));
  }
  // The code of the refusal, of the form or of this.
  std::string ask(std::string_view method, std::string_view path, std::string_view query = "",
                  std::vector<http::Field> fields = {}) {
    http::Request request;
    request.method = method;
    request.path = path;
    request.query = query;
    request.authority = "gateway.test";
    request.fields = fields;
    std::vector<char> memory(Arrival::kMemoryBytes + 6 * query.size());
    auto refusal = arrival_.read(request, config_, std::chrono::seconds{1'800'000'000}, memory);
    if (!refusal) {
      EXPECT_EQ(arrival_.claim.mechanism, s3::Mechanism::kAnonymous);
      refusal = refuse_anonymous(request, arrival_, config_);
    }
    return refusal ? std::string{s3::info(refusal->code()).code} : std::string{};
  }

  Config config_;
  Arrival arrival_;
};

TEST_F(AnonymousTest, WhatTheBackendNamesIsLetThroughAndNothingElse) {
  EXPECT_EQ(ask("GET", "/open/a", "partNumber=1"), "");
  EXPECT_EQ(ask("GET", "/open", "list-type=2&prefix=a"), "");
  EXPECT_EQ(ask("HEAD", "/open/a"), "AccessDenied");
  EXPECT_EQ(ask("GET", "/open"), "AccessDenied");
  EXPECT_EQ(ask("GET", "/open/a", "acl"), "AccessDenied");
  EXPECT_EQ(ask("PUT", "/open/a", "", {{"content-length", "0"}}), "MissingContentLength");
  EXPECT_EQ(ask("DELETE", "/open/a"), "AccessDenied");
  EXPECT_EQ(ask("GET", "/closed/a"), "AccessDenied");
  EXPECT_EQ(ask("GET", "/none/a"), "AccessDenied");
  EXPECT_EQ(ask("GET", "/"), "AccessDenied");
}

TEST_F(AnonymousTest, NoParameterIsOfASignatureInAnyCaseOrEncoding) {
  for (const std::string_view query :
       {"X-Amz-Date=20270115T080000Z", "x-amz-signature=0", "X-AMZ-CREDENTIAL=a",
        "%58-amz-security-token=a", "x-amz-acl=public-read", "versionId=1"}) {
    EXPECT_EQ(ask("GET", "/open/a", query), "AccessDenied") << query;
  }
  // A rest of one is a signature that is malformed.
  EXPECT_EQ(ask("GET", "/open/a", "X-Amz-Signature=0"), "AuthorizationQueryParametersError");
  EXPECT_EQ(ask("GET", "/open/a", "X%2dAmz-Credential=a"), "AuthorizationQueryParametersError");
  EXPECT_EQ(ask("GET", "/open/a", "Signature=a"), "InvalidRequest");
  EXPECT_EQ(ask("GET", "/open/a", "", {{"authorization", ""}}), "InvalidArgument");
  EXPECT_EQ(ask("GET", "/open/a", "", {{"authorization", "Bearer a"}}), "InvalidArgument");
}

TEST_F(AnonymousTest, NobodyPaysAndNoAnswerIsDressedUp) {
  EXPECT_EQ(ask("GET", "/open/a", "", {{"x-amz-request-payer", "requester"}}), "AccessDenied");
  EXPECT_EQ(ask("GET", "/open/a", "", {{"x-amz-security-token", "a"}}), "AccessDenied");
  EXPECT_EQ(ask("GET", "/open/a", "response-content-type=text%2Fhtml"), "InvalidRequest");
  EXPECT_EQ(ask("GET", "/open/a", "%72esponse-content-type=text%2Fhtml"), "InvalidRequest");
}

TEST_F(AnonymousTest, WhoCopiesReadsTheSourceWithoutASignatureToo) {
  const auto copy = [this](std::string_view source) {
    return ask("PUT", "/open/b", "", {{"x-amz-copy-source", source}});
  };
  EXPECT_EQ(copy("open/a"), "");
  EXPECT_EQ(copy("closed/a"), "AccessDenied");
  EXPECT_EQ(copy("open/a?versionId=1"), "AccessDenied");
}

TEST_F(AnonymousTest, OperationsOnObjectsAndListsCanBe) {
  EXPECT_TRUE(AnonymousOperations::can_be(Operation::kPutObject));
  EXPECT_TRUE(AnonymousOperations::can_be(Operation::kListObjects));
  for (const Operation operation :
       {Operation::kListBuckets, Operation::kDeleteObjects, Operation::kPostObject,
        Operation::kPutBucketPolicy, Operation::kCreateSession, Operation::kDeleteBucket,
        Operation::kUnknown}) {
    EXPECT_FALSE(AnonymousOperations::can_be(operation)) << s3::info(operation).name;
    AnonymousOperations none;
    EXPECT_FALSE(none.has(operation));
  }
}

}  // namespace
}  // namespace tercel::gateway
