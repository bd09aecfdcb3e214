#include "tercel/gateway/departure.h"

#include <array>
#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "tercel/gateway/arrival.h"
#include "tercel/s3/canonical_request.h"

namespace tercel::gateway {
namespace {

constexpr std::chrono::seconds kNow{1'800'000'000};
constexpr std::string_view kClientSecret = "the client's";
constexpr std::string_view kBackendSecret = "the backend's";
constexpr std::string_view kEmptyHash =
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

struct Parts {
  std::string method;
  std::string path;
  std::string query;
  std::vector<http::Field> fields = {};
  std::string payload_hash{kEmptyHash};
  std::string host = "gateway.test";
};

// A request as it comes, signed by a client.
class ClientRequest {
 public:
  explicit ClientRequest(Parts parts) : parts_{std::move(parts)}, fields_{parts_.fields} {
    EXPECT_FALSE(query_.parse(parts_.query));
    const s3::AmzDate date = s3::to_amz_date(kNow);
    const s3::SigningKey key{kClientSecret, {date.data(), s3::kDateBytes}, "us-east-1"};
    EXPECT_FALSE(
        s3::sign_request({.method = parts_.method,
                          .path = parts_.path,
                          .query = &query_,
                          .host = parts_.host,
                          .fields = fields_,
                          .payload_hash = parts_.payload_hash},
                         {.access_key = "CLIENT", .key = &key, .region = "us-east-1", .time = date},
                         memory_, signed_));
    for (const http::Field& field : signed_.view()) fields_.push_back(field);
  }
  [[nodiscard]] http::Request request() const {
    http::Request request;
    request.method = parts_.method;
    request.path = parts_.path;
    request.query = parts_.query;
    request.authority = parts_.host;
    request.fields = fields_;
    if (const http::Field* length = http::find_field(fields_, "content-length")) {
      request.content_length = std::stoull(std::string{length->value});
      request.has_body = *request.content_length > 0;
    }
    return request;
  }

 private:
  const Parts parts_;
  s3::Query query_;
  std::array<char, s3::kSignedFieldsBytes> memory_;
  s3::SignedFields signed_;
  std::vector<http::Field> fields_;
};

class DepartureTest : public testing::Test {
 protected:
  DepartureTest() {
    backend_.rule = "*";
    backend_.host = "s3.backend.test";
    backend_.port = 443;
    backend_.style = Style::kPath;
    credentials_.verdict = Verdict::kYes;
    credentials_.value = Hmac{"BACKEND", SecretText{kBackendSecret}, SecretText{"token"}, 7};
    config_.domains = {"s3.gateway.test"};
    config_.domain_views = {config_.domains[0]};
  }
  // The head that is sent, or the code of the refusal.
  std::string send(Parts parts) {
    client_ = std::make_unique<ClientRequest>(std::move(parts));
    const http::Request request = client_->request();
    memory_.resize(Arrival::kMemoryBytes + 6 * request.query.size());
    auto refusal = arrival_.read(request, config_, kNow, memory_);
    if (!refusal) {
      refusal = departure_.write(request, arrival_,
                                 {backend_, credentials_, keys_, kNow, &source_backend_});
    }
    return refusal ? std::string{s3::info(refusal->code()).code} : std::string{};
  }
  const http::RequestHead& head() { return departure_.head(); }
  std::string sent(std::string_view name) {
    const http::Field* const field = http::find_field(head().fields, name);
    return field != nullptr ? std::string{field->value} : "none";
  }
  // Reads what is sent as the backend does, and verifies it.
  void expect_signed() {
    http::Request request;
    const std::string_view target = head().target;
    const std::size_t mark = target.find('?');
    request.method = head().method;
    request.path = target.substr(0, mark);
    if (mark != std::string_view::npos) request.query = target.substr(mark + 1);
    request.authority = head().host;
    EXPECT_EQ(sent("host"), head().host);
    request.fields = head().fields;
    request.has_body = head().framing != http::Framing::kNone;
    request.content_length = head().content_length;
    Arrival there;
    std::vector<char> memory(Arrival::kMemoryBytes + 6 * request.query.size());
    const auto refusal = there.read(request, {}, kNow, memory);
    ASSERT_FALSE(refusal) << refusal->message();
    EXPECT_EQ(there.claim.access_key, "BACKEND");
    EXPECT_EQ(there.claim.region, backend_.region);
    EXPECT_EQ(there.claim.session_token, "token");
    const auto digest = s3::canonical_digest(there.claim.canonical(request, there.query));
    ASSERT_TRUE(digest);
    s3::SigningKeyCache keys{4};
    EXPECT_NE(
        s3::verify(keys, {0, kBackendSecret}, there.claim.stamp(), *digest, there.claim.signature),
        nullptr);
  }

  std::unique_ptr<ClientRequest> client_;
  Config config_;
  Backend backend_, source_backend_;
  Credentials credentials_;
  s3::SigningKeyCache keys_{16};
  std::vector<char> memory_;
  Arrival arrival_;
  Departure departure_;
};

// Found by gateway_fuzz.cc.
TEST_F(DepartureTest, PastBug_WhatIsForNoBucketIsForNoneThere) {
  backend_.bucket = "real";
  EXPECT_EQ(send({"OPTIONS", "/", ""}), "");
  EXPECT_EQ(head().target, "/");
  EXPECT_EQ(send({"OPTIONS", "/bkt", ""}), "");
  EXPECT_EQ(head().target, "/real");
}

TEST_F(DepartureTest, GoesToTheBucketOfTheBackendAndIsSignedForIt) {
  backend_.bucket = "there";
  EXPECT_EQ(send({"GET", "/here/a%20b/%C3%BC", "versionId=1&partNumber=2", {}}), "");
  EXPECT_EQ(head().host, "s3.backend.test");
  EXPECT_EQ(head().target, "/there/a%20b/%C3%BC?partNumber=2&versionId=1");
  EXPECT_EQ(head().framing, http::Framing::kNone);
  expect_signed();
}

TEST_F(DepartureTest, APathIsSentInItsCanonicalFormAndNothingInItIsNormalised) {
  EXPECT_EQ(send({"GET", "/bkt/../a//.%2e/%7e(x)", "", {}}), "");
  EXPECT_EQ(head().target, "/bkt/../a//../~%28x%29");
  expect_signed();
}

TEST_F(DepartureTest, StylesPutTheBucketWhereTheySay) {
  struct Case {
    Style style;
    const char* host;
    const char* bucket;
    const char* sent_host;
    const char* sent_target;
  };
  const Case cases[] = {
      {Style::kPath, "s3.test", "bucket", "s3.test", "/bucket/key"},
      {Style::kVirtual, "s3.test", "bucket", "bucket.s3.test", "/key"},
      {Style::kVirtual, "s3.test", "dotted.bucket", "dotted.bucket.s3.test", "/key"},
      {Style::kAuto, "s3.test", "bucket", "bucket.s3.test", "/key"},
      {Style::kAuto, "s3.test", "dotted.bucket", "s3.test", "/dotted.bucket/key"},
      {Style::kAuto, "127.0.0.1", "bucket", "127.0.0.1", "/bucket/key"},
      {Style::kAuto, "localhost", "bucket", "localhost", "/bucket/key"},
      {Style::kAuto, "::1", "bucket", "[::1]", "/bucket/key"},
  };
  for (const Case& one : cases) {
    backend_.style = one.style;
    backend_.host = one.host;
    EXPECT_EQ(send({"GET", std::string{"/"} + one.bucket + "/key", "", {}}), "");
    EXPECT_EQ(head().host, one.sent_host);
    EXPECT_EQ(head().target, one.sent_target);
  }
}

TEST_F(DepartureTest, AnUnusualPortIsInTheHost) {
  backend_.port = 9000;
  EXPECT_EQ(send({"GET", "/bkt/k", "", {}}), "");
  EXPECT_EQ(head().host, "s3.backend.test:9000");
  expect_signed();
}

TEST_F(DepartureTest, ABucketInTheHostIsFoundBelowADomain) {
  EXPECT_EQ(send({"GET", "/k", "", {}, std::string{kEmptyHash}, "here.s3.gateway.test"}), "");
  EXPECT_EQ(head().target, "/here/k");
  EXPECT_EQ(arrival_.resource.bucket, "here");
}

TEST_F(DepartureTest, ABucketAloneAndItsQuery) {
  EXPECT_EQ(send({"GET", "/here", "list-type=2&prefix=a%2Fb", {}}), "");
  EXPECT_EQ(head().target, "/here?list-type=2&prefix=a%2Fb");
  EXPECT_EQ(arrival_.list_prefix, "a/b");
  expect_signed();
}

TEST_F(DepartureTest, WhatIsOfTheClientsConnectionAndSignatureStaysHere) {
  EXPECT_EQ(send({"GET",
                  "/bkt/k",
                  "",
                  {{"connection", "keep-alive, x-private"},
                   {"x-private", "1"},
                   {"te", "trailers"},
                   {"x-forwarded-for", "192.0.2.1"},
                   {"forwarded", "for=192.0.2.1"},
                   {"via", "1.1 x"},
                   {"expect", "100-continue"},
                   {"range", "bytes=0-1"},
                   {"x-amz-meta-a", "b"}}}),
            "");
  for (const char* name : {"connection", "x-private", "te", "x-forwarded-for", "forwarded", "via",
                           "expect", "content-length"}) {
    EXPECT_EQ(sent(name), "none") << name;
  }
  EXPECT_EQ(sent("range"), "bytes=0-1");
  EXPECT_EQ(sent("x-amz-meta-a"), "b");
  EXPECT_EQ(sent("authorization").find("CLIENT"), std::string::npos);
  expect_signed();
}

TEST_F(DepartureTest, AFieldWhoseNameIsPartOfAnOptionIsNoOption) {
  EXPECT_EQ(send({"GET", "/bkt/k", "", {{"connection", "x-range-of"}, {"range", "bytes=0-1"}}}),
            "");
  EXPECT_EQ(sent("range"), "bytes=0-1");
}

TEST_F(DepartureTest, TheSourceOfACopyIsThatOfItsBackend) {
  source_backend_.bucket = "there";
  EXPECT_EQ(send({"PUT", "/bkt/k", "", {{"x-amz-copy-source", "/here/a%20b?versionId=v"}}}), "");
  EXPECT_EQ(sent("x-amz-copy-source"), "there/a%20b?versionId=v");
  EXPECT_TRUE(arrival_.copies);
  std::array<char, Address::kHostBytesMax> ip;
  const DecisionFacts facts = arrival_.facts(client_->request(), "alice", ip);
  EXPECT_EQ(facts.copy_source, "here/a b");
  const DecisionFacts of_source = arrival_.facts_of_source(facts);
  EXPECT_EQ(of_source.bucket, "here");
  EXPECT_EQ(of_source.key, "a b");
  EXPECT_EQ(of_source.operation, "GetObject");
  EXPECT_EQ(of_source.query, "versionId=v");
  expect_signed();
}

TEST_F(DepartureTest, ABodyWhoseHashIsSignedGoesOnAsItIs) {
  EXPECT_EQ(send({"PUT", "/bkt/k", "", {{"content-length", "5"}}}), "");
  EXPECT_EQ(departure_.body().mode, s3::PayloadMode::kPass);
  EXPECT_EQ(head().content_length, 5U);
  EXPECT_EQ(sent("x-amz-content-sha256"), kEmptyHash);
  expect_signed();
}

TEST_F(DepartureTest, ABackendWithATokenVerifiesNothingSoItIsDoneHere) {
  credentials_.value = Bearer{SecretText{"a token"}};
  EXPECT_EQ(send({"PUT", "/bkt/k", "", {{"content-length", "5"}}}), "");
  EXPECT_EQ(departure_.body().mode, s3::PayloadMode::kVerify);
  EXPECT_EQ(sent("authorization"), "Bearer a token");
  EXPECT_EQ(sent("x-amz-date"), "none");
}

const std::vector<http::Field> kTrailer{{"content-length", "60"},
                                        {"content-encoding", "aws-chunked,gzip"},
                                        {"x-amz-decoded-content-length", "5"},
                                        {"x-amz-trailer", "x-amz-checksum-crc32"}};

TEST_F(DepartureTest, AChecksumBehindTheBodyGoesOnWhereTheBackendTakesIt) {
  EXPECT_EQ(send({"PUT", "/bkt/k", "", kTrailer, "STREAMING-UNSIGNED-PAYLOAD-TRAILER"}), "");
  EXPECT_EQ(departure_.body().mode, s3::PayloadMode::kPass);
  EXPECT_EQ(head().content_length, 60U);
  EXPECT_EQ(sent("x-amz-content-sha256"), "STREAMING-UNSIGNED-PAYLOAD-TRAILER");
  EXPECT_EQ(sent("content-encoding"), "aws-chunked,gzip");
  expect_signed();
}

TEST_F(DepartureTest, ElsewhereTheBodyIsDecoded) {
  backend_.trailers = false;
  EXPECT_EQ(send({"PUT", "/bkt/k", "", kTrailer, "STREAMING-UNSIGNED-PAYLOAD-TRAILER"}), "");
  EXPECT_EQ(departure_.body().mode, s3::PayloadMode::kDecode);
  EXPECT_EQ(head().content_length, 5U);
  EXPECT_EQ(sent("x-amz-content-sha256"), "UNSIGNED-PAYLOAD");
  EXPECT_EQ(sent("content-encoding"), "gzip");
  EXPECT_EQ(sent("x-amz-trailer"), "none");
  EXPECT_EQ(sent("x-amz-decoded-content-length"), "none");
  expect_signed();
}

TEST_F(DepartureTest, AnOperationThatTakesNoStreamRefusesOne) {
  EXPECT_EQ(send({"PUT", "/bkt/k", "tagging", kTrailer, "STREAMING-UNSIGNED-PAYLOAD-TRAILER"}),
            "InvalidRequest");
}

TEST_F(DepartureTest, WhatIsNotKnownIsNotSent) {
  EXPECT_EQ(send({"GET", "/bkt/k", "secret-subresource", {}}), "NotImplemented");
}

TEST_F(DepartureTest, WithoutCredentialsNothingIsSent) {
  credentials_.value = std::monostate{};
  EXPECT_EQ(send({"GET", "/bkt/k", "", {}}), "InternalError");
}

TEST_F(DepartureTest, ASecretIsNotLeftInMemory) {
  SecretText secret{std::string(100, 's')};
  const char* const where = secret.view().data();
  const SecretText moved = std::move(secret);
  EXPECT_EQ(moved.view().data(), where);
  EXPECT_TRUE(secret.empty());  // NOLINT(bugprone-use-after-move): that is what is tested.
}

// --- keys behind a prefix

TEST_F(DepartureTest, KeysAreBehindThePrefixOfTheBackend) {
  backend_.bucket = "there";
  backend_.prefix = "team a/";
  EXPECT_EQ(send({"GET", "/here/a%2Fb", "versionId=1"}), "");
  EXPECT_EQ(head().target, "/there/team%20a/a/b?versionId=1");
  expect_signed();
  EXPECT_EQ(send({"GET", "/here/", "list-type=2&prefix=x%2F&encoding-type=url"}), "");
  EXPECT_EQ(head().target, "/there?encoding-type=url&list-type=2&prefix=team%20a%2Fx%2F");
  expect_signed();
  EXPECT_EQ(send({"GET", "/here", "", {{"accept-encoding", "gzip"}}}), "");
  EXPECT_EQ(head().target, "/there?prefix=team%20a%2F&marker=team%20a%2F");
  EXPECT_EQ(sent("accept-encoding"), "none");
  expect_signed();
  backend_.style = Style::kVirtual;
  EXPECT_EQ(send({"PUT", "/here//k", "", {{"content-length", "0"}}}), "");
  EXPECT_EQ(head().host, "there.s3.backend.test");
  EXPECT_EQ(head().target, "/team%20a//k");
}

TEST_F(DepartureTest, TheSourceOfACopyIsBehindThePrefixOfItsOwnBackend) {
  backend_.prefix = "a/";
  source_backend_.prefix = "b/";
  source_backend_.bucket = "there";
  const auto copy = [this](std::string_view source) {
    return send({"PUT", "/here/k", "", {{"x-amz-copy-source", source}}});
  };
  EXPECT_EQ(copy("other/x%20y?versionId=1"), "");
  EXPECT_EQ(head().target, "/here/a/k");
  EXPECT_EQ(sent("x-amz-copy-source"), "there/b/x%20y?versionId=1");
  expect_signed();
  EXPECT_EQ(copy("other/..%2Fx"), "InvalidArgument");
  EXPECT_EQ(copy("other/%252e%252e/x"), "InvalidArgument");
  EXPECT_EQ(copy("other/x?versionId=../y"), "InvalidArgument");
  source_backend_.prefix = "";
  EXPECT_EQ(copy("other/..%2Fx"), "");
}

TEST_F(DepartureTest, NothingOutsideOfThePrefixIsReached) {
  backend_.prefix = "team-a/";
  for (const std::string_view path : {"/here/..", "/here/../team-b/x", "/here/%2e%2e%2Fteam-b/x",
                                      "/here/..%5Cx", "/here/%252e%252e%252fx", "/here/a%00"}) {
    EXPECT_EQ(send({"GET", std::string{path}, ""}), "InvalidArgument") << path;
  }
  EXPECT_EQ(send({"GET", "/here", "prefix=..%2Fteam-b%2F"}), "InvalidArgument");
  EXPECT_EQ(send({"GET", "/here", "marker=..%2Fteam-b%2F"}), "InvalidArgument");
  for (const auto& [method, query] :
       {std::pair{"DELETE", ""}, std::pair{"PUT", ""}, std::pair{"PUT", "policy"},
        std::pair{"GET", "policy"}, std::pair{"GET", "acl"}, std::pair{"PUT", "lifecycle"},
        std::pair{"POST", ""}, std::pair{"PUT", "versioning"}}) {
    EXPECT_EQ(send({method, "/here", query}), "AccessDenied") << method << query;
  }
  EXPECT_EQ(send({"POST", "/here/k", "restore"}), "AccessDenied");
  EXPECT_EQ(send({"GET", "/here/k", "torrent"}), "AccessDenied");
  EXPECT_EQ(send({"GET", "/here/" + std::string(1018, 'k'), ""}), "KeyTooLongError");
}

TEST_F(DepartureTest, AnotherBodyHasItsOwnSizeAndDigests) {
  backend_.prefix = "a/";
  const std::string other(64, '0');
  const OtherBody body{7, other, "rL0Y20zC+Fzt72VPzMSk2A=="};
  client_ = std::make_unique<ClientRequest>(Parts{"POST",
                                                  "/here",
                                                  "delete",
                                                  {{"content-md5", "1B2M2Y8AsgTpgAmY7PhCfg=="},
                                                   {"content-length", "5"},
                                                   {"x-amz-checksum-crc32", "AAAAAA=="},
                                                   {"x-amz-sdk-checksum-algorithm", "CRC32"}}});
  const http::Request request = client_->request();
  memory_.resize(Arrival::kMemoryBytes + 6 * request.query.size());
  ASSERT_FALSE(arrival_.read(request, config_, kNow, memory_));
  ASSERT_FALSE(
      departure_.write(request, arrival_, {backend_, credentials_, keys_, kNow, nullptr, &body}));
  EXPECT_EQ(head().target, "/here?delete=");
  EXPECT_EQ(head().content_length, 7U);
  EXPECT_EQ(sent("content-md5"), body.md5);
  EXPECT_EQ(sent("x-amz-checksum-crc32"), "none");
  EXPECT_EQ(sent("x-amz-sdk-checksum-algorithm"), "none");
  EXPECT_EQ(sent("x-amz-content-sha256"), other);
  expect_signed();
}

}  // namespace
}  // namespace tercel::gateway
