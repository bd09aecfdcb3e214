#include <array>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

#include "s3/sigv4_request.h"
#include "tercel/gateway/departure.h"

namespace tercel::gateway {
namespace {

class ArrivalTest : public testing::Test {
 protected:
  ArrivalTest() {
    backend_.host = "storage.example";
    backend_.style = Style::kPath;
    config_.domains = {"s3.example.test"};
    config_.domain_views = {config_.domains[0]};
  }
  http::Request request(std::string_view authority, std::string_view path,
                        std::string_view query = "", std::string_view method = "GET") {
    http::Request made;
    made.method = method;
    made.authority = authority;
    made.path = path;
    made.query = query;
    return made;
  }
  void read(const http::Request& from) {
    memory_.resize(Arrival::kMemoryBytes + 6 * from.query.size());
    ASSERT_FALSE(arrival_->read(from, config_, s3::kTestNow, memory_));
  }
  // "host target", or the error's name.
  std::string write(const http::Request& from) {
    read(from);
    const auto refusal =
        departure_->write(from, *arrival_, {backend_, credentials_, keys_, s3::kTestNow});
    if (refusal) return std::string{s3::info(refusal->code()).code};
    const http::RequestHead& head = departure_->head();
    return std::string{head.host} + " " + std::string{head.target};
  }

  Config config_;
  Backend backend_;
  Credentials credentials_{Verdict::kYes, Hmac{"BACK", SecretText{"secret"}, {}}};
  s3::SigningKeyCache keys_{16};
  std::vector<char> memory_;
  std::unique_ptr<Arrival> arrival_ = std::make_unique<Arrival>();
  std::unique_ptr<Departure> departure_ = std::make_unique<Departure>();
};

TEST_F(ArrivalTest, IdsAreOfNoOtherPlace) {
  const auto code = [this](std::string_view query, std::string_view source = {}) {
    http::Request made = request("s3.example.test", "/bucket/key", query, "PUT");
    const std::array<http::Field, 1> copies{{{"x-amz-copy-source", source}}};
    if (!source.empty()) made.fields = copies;
    made.has_body = true;
    made.content_length = 0;
    memory_.resize(Arrival::kMemoryBytes + 6 * made.query.size());
    const auto refusal = arrival_->read(made, config_, s3::kTestNow, memory_);
    return refusal ? s3::info(refusal->code()).code : "";
  };
  EXPECT_EQ(code("partNumber=1&uploadId=ab..c%2Fd%3D%3D"), "");
  for (const std::string_view id : {"..", "..%2Fb", "a%2F..%2Fb", "%252e%252e", "..%5Cb", "a%00"}) {
    const std::string name{id};
    EXPECT_EQ(code("partNumber=1&uploadId=" + name), "InvalidArgument") << id;
  }
  for (const std::string_view name :
       {"continuation-token", "upload-id-marker", "version-id-marker"}) {
    const std::string query = std::string{name} + "=..%2Fb";
    const http::Request list = request("s3.example.test", "/bucket", query);
    memory_.resize(Arrival::kMemoryBytes + 6 * list.query.size());
    const auto refusal = arrival_->read(list, config_, s3::kTestNow, memory_);
    ASSERT_TRUE(refusal) << name;
    EXPECT_EQ(refusal->code(), s3::ErrorCode::kInvalidArgument) << name;
  }
  EXPECT_EQ(code("", "other/key?versionId=ab"), "");
  EXPECT_EQ(code("", "other/key?versionId=..%2Fb"), "InvalidArgument");
  EXPECT_EQ(code("uploadId=u&partNumber=1", "other/key?versionId=../b"), "InvalidArgument");
}

// What is sent names the bucket and the key that were judged, whatever the key looks like. The
// first is the mistake of a gateway elsewhere: a key that is found in the path a second time.
TEST_F(ArrivalTest, WhatIsSentNamesWhatWasJudged) {
  for (const char* raw :
       {"b",     "bucket", "bucket/bucket/", "/",     "//",    "/a",       "a//b",
        ".",     "..",     "../other/x",     "a%2Fb", "%2F",   "%2e%2e/x", "a+b",
        "a%20b", "a%3Fb",  "a%23b",          "%25",   "%2525", "%C3%A9",   "a&b=c",
        "a%00b", "~a",     "%7Ea",           "!'()*"}) {
    for (const Style style : {Style::kPath, Style::kVirtual}) {
      for (const bool front_virtual : {false, true}) {
        backend_.style = style;
        const std::string path =
            front_virtual ? "/" + std::string{raw} : "/bucket/" + std::string{raw};
        const http::Request from =
            request(front_virtual ? "bucket.s3.example.test" : "h", path, "versionId=1&x-id=a");
        const std::string sent = write(from);
        const std::string key{arrival_->resource.key};
        const std::size_t space = sent.find(' ');
        ASSERT_NE(space, std::string::npos) << raw << ": " << sent;
        const std::string_view host{sent.data(), space};
        std::string_view target{sent};
        target.remove_prefix(space + 1);
        const std::string_view domains[] = {"storage.example"};
        std::vector<char> memory(s3::kResourceMemoryBytes);
        s3::Resource there;
        const std::string_view there_path = target.substr(0, target.find('?'));
        ASSERT_FALSE(s3::read_resource(host, there_path, domains, memory, there)) << sent;
        EXPECT_EQ(there.bucket, "bucket") << sent;
        EXPECT_EQ(there.key, key) << sent;
        EXPECT_EQ(target.substr(there_path.size()), "?versionId=1&x-id=a");
      }
    }
  }
}

TEST_F(ArrivalTest, ABucketHasItsOwnNameThere) {
  backend_.bucket = "real.bucket";
  EXPECT_EQ(write(request("h", "/logs/a")), "storage.example /real.bucket/a");
  EXPECT_EQ(write(request("h", "/logs")), "storage.example /real.bucket");
  EXPECT_EQ(write(request("h", "/logs/", "list-type=2")),
            "storage.example /real.bucket?list-type=2");
  backend_.style = Style::kAuto;  // No certificate is for two labels.
  EXPECT_EQ(write(request("h", "/logs/a")), "storage.example /real.bucket/a");
  backend_.bucket = "real";
  backend_.port = 9000;
  EXPECT_EQ(write(request("h", "/logs/a")), "real.storage.example:9000 /a");
  EXPECT_EQ(write(request("h", "/logs")), "real.storage.example:9000 /");
  backend_.host = "192.0.2.1";
  EXPECT_EQ(write(request("h", "/logs/a")), "192.0.2.1:9000 /real/a");
  backend_.host = "2001:db8::1";
  EXPECT_EQ(write(request("h", "/logs/a")), "[2001:db8::1]:9000 /real/a");
}

TEST_F(ArrivalTest, AQueryIsSentAsItIsRead) {
  EXPECT_EQ(write(request("h", "/logs", "prefix=a+b%2fc&list-type=2")),
            "storage.example /logs?list-type=2&prefix=a%20b%2Fc");
}

TEST_F(ArrivalTest, BodiesGoAsTheBackendCanVerifyThem) {
  s3::PayloadPlan payload;
  http::Request put = request("h", "/logs/a", "", "PUT");
  const auto plan = [&](s3::Payload kind, bool is_signed) {
    payload.payload = kind;
    return plan_body(put, payload, backend_, is_signed);
  };
  put.has_body = true;
  payload.bytes = 5;
  put.content_length = 5;
  EXPECT_EQ(plan(s3::Payload::kSha256, true).mode, s3::PayloadMode::kPass);
  EXPECT_EQ(plan(s3::Payload::kSha256, false).mode, s3::PayloadMode::kVerify);
  EXPECT_EQ(plan(s3::Payload::kUnsigned, true).mode, s3::PayloadMode::kPass);
  put.content_length = 90;
  EXPECT_EQ(plan(s3::Payload::kUnsignedWithTrailer, true).mode, s3::PayloadMode::kPass);
  EXPECT_EQ(plan(s3::Payload::kUnsignedWithTrailer, true).content_length, 90U);
  EXPECT_EQ(plan(s3::Payload::kUnsignedWithTrailer, false).mode, s3::PayloadMode::kDecode);
  EXPECT_EQ(plan(s3::Payload::kUnsignedWithTrailer, false).content_length, 5U);
  // The checksum behind signed chunks goes on behind unsigned ones.
  payload.algorithm = s3::ChecksumAlgorithm::kCrc32;
  EXPECT_EQ(plan(s3::Payload::kChunksAndTrailer, true).mode, s3::PayloadMode::kDecode);
  EXPECT_TRUE(plan(s3::Payload::kChunksAndTrailer, true).reframes);
  EXPECT_EQ(plan(s3::Payload::kChunksAndTrailer, true).content_length,
            std::string_view{"5\r\nhello\r\n0\r\nx-amz-checksum-crc32:NhCmhg==\r\n\r\n"}.size());
  EXPECT_FALSE(plan(s3::Payload::kChunksAndTrailer, false).reframes);
  EXPECT_EQ(plan(s3::Payload::kChunksAndTrailer, false).content_length, 5U);
  EXPECT_FALSE(plan(s3::Payload::kChunks, true).reframes);
  payload.bytes = 0;
  EXPECT_FALSE(plan(s3::Payload::kChunksAndTrailer, true).reframes);
  payload.bytes = 5;
  backend_.trailers = false;
  EXPECT_FALSE(plan(s3::Payload::kChunksAndTrailer, true).reframes);
  EXPECT_EQ(plan(s3::Payload::kUnsignedWithTrailer, true).mode, s3::PayloadMode::kDecode);
  EXPECT_EQ(plan(s3::Payload::kChunks, true).mode, s3::PayloadMode::kDecode);
  // Chunks that did not come are missing, and no empty object.
  put.has_body = false;
  EXPECT_EQ(plan(s3::Payload::kChunks, true).mode, s3::PayloadMode::kDecode);
  EXPECT_EQ(plan(s3::Payload::kSha256, false).mode, s3::PayloadMode::kVerify);
  EXPECT_EQ(plan(s3::Payload::kSha256, true).framing, http::Framing::kLength);
}

}  // namespace
}  // namespace tercel::gateway
