#include "tercel/gateway/audit_log.h"

#include <chrono>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

#include "s3/sigv4_request.h"
#include "support/allocations.h"
#include "support/manual_clock.h"
#include "tercel/net/syscalls.h"
#include "tercel/s3/rewrite.h"

namespace tercel::gateway {
namespace {

using namespace std::chrono_literals;
using s3::TestRequest;

class FixedClock final : public Clock {
 public:
  [[nodiscard]] std::chrono::nanoseconds now() const noexcept override { return 971211336s + 42ms; }
};

// Keeps what was written, in memory of its own.
class Lines final : public edge::LineBuffer {
 public:
  std::span<char> room(std::size_t bytes) noexcept override {
    if (full) {
      drop();
      return {};
    }
    asked = bytes;
    return std::span{memory_}.first(bytes);
  }
  void commit(std::size_t bytes) noexcept override {
    EXPECT_LE(bytes, asked);
    text = std::string_view{memory_.data(), bytes};
  }
  void drop() noexcept override { ++dropped; }
  void flush() noexcept override {}

  bool full = false;
  unsigned dropped = 0;
  std::size_t asked = 0;
  std::string_view text;

 private:
  std::vector<char> memory_ = std::vector<char>(100'000);
};

class AuditLogTest : public testing::Test {
 protected:
  AuditLogTest() {
    client_ = {.ip = {192, 0, 2, 7}, .port = 50000, .kind = AddressKind::kIpv4};
    request_.method = "GET";
    request_.client = &client_;
    request_.path = "/logs/a";
    loop_ = *net::Loop::create(clock_, net::system_calls());
    log_ = std::make_unique<AuditLog>(*loop_, lines_, edge::LogClocks{clock_, wall_});
    arrival_->claim.access_key = "AKIA";
    arrival_->resource.bucket = "logs";
    arrival_->resource.key = "a";
    arrival_->operation.operation = s3::Operation::kGetObject;
  }
  ~AuditLogTest() override { EXPECT_EQ(loop_->blocks().outstanding(), 0U); }

  AuditLog::Record* open(Read read = Read::kWhole) { return log_->open(request_, *arrival_, read); }
  std::string line(const AuditLog::End& end, Read read = Read::kWhole) {
    log_->close(open(read), end);
    return std::string{lines_.text};
  }
  // The member of that name in the last line, as it stands there.
  std::string member(std::string_view name) {
    const std::string_view line = lines_.text;
    const std::size_t at = line.find("\"" + std::string{name} + "\":");
    if (at == std::string_view::npos) return "none";
    const std::size_t begin = at + name.size() + 3;
    return std::string{line.substr(begin, line.find(",\"", begin) - begin)};
  }

  test::ManualClock clock_;
  FixedClock wall_;
  std::unique_ptr<net::Loop> loop_;
  Lines lines_;
  std::unique_ptr<AuditLog> log_;
  Address client_;
  http::Request request_;
  std::unique_ptr<Arrival> arrival_ = std::make_unique<Arrival>();
};

TEST_F(AuditLogTest, ALineSaysWhoDidWhatAndHowItEnded) {
  AuditLog::Record* const record = open();
  clock_.advance(2ms);
  log_->on_departure(record);
  clock_.advance(10ms);
  log_->on_arrival(record, "THEIRS");
  clock_.advance(500us);
  log_->close(record, {.traffic = {.status = 200, .request_bytes = 3, .response_bytes = 1000},
                       .request_id = "OURS",
                       .identity = "alice",
                       .allowed = true,
                       .reason = "of the team",
                       .rule = "*",
                       .attempts = 2});
  EXPECT_EQ(lines_.text,
            R"({"time":"2000-10-10T20:55:36.042Z","request_id":"THEIRS","identity":"alice",)"
            R"("access_key":"AKIA","source_ip":"192.0.2.7","method":"GET","operation":"GetObject",)"
            R"("bucket":"logs","key":"a","copy_source":null,"presigned":false,"allowed":true,)"
            R"("reason":"of the team","backend":"*","attempts":2,"status":200,"error":null,)"
            R"("bytes_in":3,"bytes_out":1000,"total_ms":12.500,"upstream_ms":10.000,)"
            R"("outcome":"complete"})"
            "\n");
}

TEST_F(AuditLogTest, WhatIsNotKnownIsNull) {
  *arrival_ = Arrival{};
  request_.client = nullptr;
  request_.path = "/%zz";
  EXPECT_EQ(line({.outcome = http::Outcome::kAborted,
                  .request_id = "OURS",
                  .error = s3::ErrorCode::kInvalidURI},
                 Read::kInPart),
            R"({"time":"2000-10-10T20:55:36.042Z","request_id":"OURS","identity":null,)"
            R"("access_key":null,"source_ip":null,"method":"GET","operation":null,"bucket":null,)"
            R"("key":null,"copy_source":null,"path":"/%zz","presigned":false,"allowed":null,)"
            R"("reason":null,"backend":null,"attempts":0,"status":null,"error":"InvalidURI",)"
            R"("bytes_in":0,"bytes_out":0,"total_ms":0.000,"upstream_ms":null,)"
            R"("outcome":"aborted"})"
            "\n");
}

TEST_F(AuditLogTest, WhatWasNotReadIsNotShown) {
  arrival_->claim.mechanism = s3::Mechanism::kPresigned;  // All of it is another request's.
  (void)line({}, Read::kNot);
  for (const char* name : {"access_key", "bucket", "key", "copy_source", "operation"}) {
    EXPECT_EQ(member(name), "null") << name;
  }
  EXPECT_EQ(member("presigned"), "false");
  EXPECT_EQ(member("path"), "\"/logs/a\"");
}

TEST_F(AuditLogTest, WhoEndedItIsTold) {
  (void)line({.outcome = http::Outcome::kPeerGone});
  EXPECT_EQ(member("outcome"), "\"client-gone\"}\n");
  EXPECT_EQ(member("status"), "499");
  (void)line({.outcome = http::Outcome::kPeerGone, .traffic = {.status = 200}});
  EXPECT_EQ(member("status"), "200");
  (void)line({.outcome = http::Outcome::kAborted, .backend_broke_off = true});
  EXPECT_EQ(member("outcome"), "\"backend-failed\"}\n");
}

TEST_F(AuditLogTest, AnAnswerOfOurOwnHasOurId) {
  AuditLog::Record* const record = open();
  log_->on_departure(record);
  log_->on_arrival(record, "THEIRS");  // Of an answer that cannot be passed on.
  log_->close(record, {.request_id = "OURS", .error = s3::ErrorCode::kServiceUnavailable});
  EXPECT_EQ(member("request_id"), "\"OURS\"");
}

TEST_F(AuditLogTest, TheCodeOfABackendsErrorStandsWhereThereIsNoneOfOurs) {
  (void)line({.backend_error = "No\"SuchKey"});
  EXPECT_EQ(member("error"), R"("No\"SuchKey")");
  (void)line({.error = s3::ErrorCode::kServiceUnavailable, .backend_error = "NoSuchKey"});
  EXPECT_EQ(member("error"), "\"ServiceUnavailable\"");
}

TEST_F(AuditLogTest, ABackendThatDoesNotAnswerTakesTimeUntilTheEnd) {
  AuditLog::Record* const record = open();
  log_->on_departure(record);
  clock_.advance(3ms);
  log_->close(record, {.outcome = http::Outcome::kPeerGone});
  EXPECT_EQ(member("upstream_ms"), "3.000");
}

TEST_F(AuditLogTest, HostileTextsStayInOneLineOfAscii) {
  std::string all;
  for (int byte = 0; byte < 256; ++byte) all.push_back(static_cast<char>(byte));
  arrival_->resource.key = all;
  arrival_->claim.access_key = "\",\"identity\":\"root\"}\n{";
  request_.method = "\x1b[2J";
  const std::string got = line({.identity = "\xe2\x80\xa8\xc2\x85", .reason = all, .rule = all});
  for (const char c : got.substr(0, got.size() - 1)) EXPECT_TRUE(c >= ' ' && c <= '~');
  EXPECT_EQ(got.find("\"root\""), std::string::npos);
  EXPECT_EQ(member("identity"), R"("\u2028\u0085")");
}

TEST_F(AuditLogTest, WhatIsTooLongIsCutAndSaidSo) {
  std::string key(AuditLog::kValueBytesMax - 1, 'k');
  arrival_->resource.key = key += "\xc3\xa9";  // The cut falls into the character.
  (void)line({});
  EXPECT_EQ(member("key"), "\"" + std::string(AuditLog::kValueBytesMax - 1, 'k') + "\"");
  EXPECT_EQ(member("cut"), "[\"key\"]");
  const std::string long_one(5000, 'a');
  arrival_->resource.key = std::string_view{key}.substr(0, AuditLog::kValueBytesMax - 1);
  arrival_->claim.access_key = long_one;
  request_.method = long_one;
  (void)line({});
  EXPECT_NE(lines_.text.find("\"cut\":[\"access_key\",\"method\"]"), std::string_view::npos);
}

TEST_F(AuditLogTest, TheLongestLineFits) {
  const std::string worst(5000, '\x01');  // Each byte becomes six.
  arrival_->claim.access_key = worst;
  arrival_->resource.bucket = worst;
  arrival_->resource.key = worst;
  arrival_->operation.operation = s3::Operation::kUnknown;
  request_.method = worst;
  request_.path = worst;
  AuditLog::Record* const record = open(Read::kInPart);
  log_->on_departure(record);
  log_->on_arrival(record, worst);
  clock_.advance(std::chrono::hours{24 * 365});
  log_->close(
      record,
      {.outcome = http::Outcome::kAborted,
       .backend_broke_off = true,
       .traffic = {.status = 599, .request_bytes = UINT64_MAX, .response_bytes = UINT64_MAX},
       .identity = worst,
       .allowed = false,
       .reason = worst,
       .rule = worst,
       .attempts = 4'000'000'000U,
       .backend_error = worst.substr(0, s3::Rewriter::kCodeBytesMax)});
  // The fixed part has room to spare, too.
  EXPECT_LE(lines_.text.size() + 100, lines_.asked);
}

TEST_F(AuditLogTest, AFullReaderCostsTheLine) {
  lines_.full = true;
  EXPECT_EQ(line({}), "");
  EXPECT_EQ(lines_.dropped, 1U);
}

TEST_F(AuditLogTest, NothingIsAllocatedInASteadyState) {
  (void)line({.identity = "alice"});
  const test::AllocationCount allocations;
  for (int i = 0; i < 10; ++i) log_->close(open(), {.identity = "alice"});
  EXPECT_EQ(allocations.so_far(), 0U);
}

TEST_F(AuditLogTest, WithoutMemoryTheLineIsDropped) {
  const test::AllocationFailure failure{1};
  EXPECT_EQ(open(), nullptr);
  EXPECT_EQ(lines_.dropped, 1U);
}

// A refused request shows nothing of the one before.
TEST_F(AuditLogTest, WhatWasReadBeforeIsForgotten) {
  Config config;
  std::vector<char> memory(Arrival::kMemoryBytes + 600);
  TestRequest copy{.method = "PUT", .path = "/logs/b"};
  copy.header("x-amz-copy-source") = "/logs/secret";
  const TestRequest signed_copy = s3::signed_request(copy);
  http::Request request;
  std::vector<http::Field> fields;
  for (const auto& [name, value] : signed_copy.headers) fields.push_back({name, value});
  request.method = signed_copy.method;
  request.path = signed_copy.path;
  request.fields = fields;
  ASSERT_FALSE(arrival_->read(request, config, s3::kTestNow, memory));
  log_->close(log_->open(request, *arrival_, Read::kWhole), {});
  EXPECT_EQ(member("copy_source"), "\"logs/secret\"");
  request.query = "a=%zz";
  ASSERT_TRUE(arrival_->read(request, config, s3::kTestNow, memory));
  log_->close(log_->open(request, *arrival_, Read::kInPart), {});
  for (const char* name : {"access_key", "bucket", "key", "copy_source", "operation"}) {
    EXPECT_EQ(member(name), "null") << name;
  }
}

}  // namespace
}  // namespace tercel::gateway
