// What becomes of the answers of a backend: documents in an encoding, codes of errors, requests
// that are made again, and memory that is not there.
#include <sys/socket.h>

#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include <gtest/gtest.h>

#include "gateway/handler_fixture.h"
#include "support/allocations.h"
#include "tercel/gateway/body_filters.h"

namespace tercel::gateway {
namespace {

using s3::signed_request;
using s3::TestRequest;

// Lines in memory.
class TestLines final : public edge::LineBuffer {
 public:
  explicit TestLines(std::string& all) : all_{all} {
    all_.reserve(1 << 14);
    line_.reserve(1 << 16);
  }
  [[nodiscard]] std::span<char> room(std::size_t bytes) noexcept override {
    line_.resize(bytes);
    return line_;
  }
  void commit(std::size_t bytes) noexcept override { all_.append(line_, 0, bytes); }
  void drop() noexcept override { all_ += "dropped\n"; }
  void flush() noexcept override {}

 private:
  std::string& all_;
  std::string line_;
};

// A document of ours, complete, which has the id that its head has.
bool is_own_error(const std::string& got, const std::string& status) {
  constexpr std::string_view kId = "x-amz-request-id: ";
  const std::size_t id = got.find(kId);
  if (id == got.npos) return false;
  const std::string told = got.substr(id + kId.size(), 16);
  const std::string said =
      "answered with status " + status + "</Message><Resource>/logs/a</Resource>";
  return got.find(said) != got.npos &&
         got.ends_with("<RequestId>" + told + "</RequestId><HostId>" + told + "</HostId></Error>");
}

class HandlerAnswersTest : public HandlerFixture {
 protected:
  void serve_and_record(const Backend& all) {
    serve({{"*", all}});
    handler_->record_to(std::make_unique<TestLines>(lines_));
  }
  Backend folder() {
    Backend one = backend();
    one.bucket = "real";
    one.prefix = "team-a/";
    return one;
  }
  std::string lines_;
};

std::string document(std::string_view status, std::string_view body, std::string_view more = "") {
  return "HTTP/1.1 " + std::string{status} + " X\r\ncontent-type: application/xml\r\n" +
         std::string{more} + "content-length: " + std::to_string(body.size()) + "\r\n\r\n" +
         std::string{body};
}
constexpr std::string_view kGzip = "content-encoding: gzip\r\n";

// --- documents in an encoding

TEST_F(HandlerAnswersTest, OnlyForObjectsABackendIsToldOfEncodings) {
  serve({{"logs", backend()}});
  const auto request = [](std::string method, std::string path) {
    TestRequest made{.method = std::move(method), .path = std::move(path)};
    made.header("accept-encoding") = "gzip";
    return signed_request(made);
  };
  EXPECT_TRUE(has(pass_through(request("GET", "/logs/a")), "accept-encoding: gzip\r\n"));
  (void)answer_from_backend("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n");
  const std::string list = pass_through(request("GET", "/logs"));
  EXPECT_TRUE(list.starts_with("GET /logs HTTP/1.1\r\n")) << list;
  EXPECT_FALSE(has(list, "accept-encoding"));
  (void)answer_from_backend(document("200", "<ListBucketResult/>"));
}

TEST_F(HandlerAnswersTest, ADocumentInAnEncodingIsNotPassed) {
  serve({{"logs", backend()}});
  (void)pass_through(signed_request({.path = "/logs"}));
  const std::string got = answer_from_backend(document("200", "packed", kGzip));
  EXPECT_TRUE(got.starts_with("HTTP/1.1 503 ")) << got;
  EXPECT_FALSE(has(got, "packed"));
}

TEST_F(HandlerAnswersTest, OfAnErrorInAnEncodingTheStatusIsKept) {
  serve({{"logs", backend()}});
  (void)pass_through(signed_request({.path = "/logs/a"}));
  const std::string got = answer_from_backend(document("404", "packed", kGzip));
  EXPECT_TRUE(got.starts_with("HTTP/1.1 404 ")) << got;
  EXPECT_TRUE(has(got, "content-type: application/xml\r\n"));
  EXPECT_TRUE(has(got, "<Error><Code>NoSuchKey</Code>")) << got;
  EXPECT_FALSE(has(got, "gzip"));
  EXPECT_FALSE(has(got, "packed"));
}

// --- errors that do not end

TEST_F(HandlerAnswersTest, AnErrorThatBreaksOffIsReplaced) {
  for (const std::string_view more : {std::string_view{}, kGzip}) {
    serve({{"logs", backend()}});
    (void)pass_through(signed_request({.path = "/logs/a"}));
    std::string said = document("404", "<Error><Code>NoSuchKey</Code><Key>a</Key></Error>", more);
    said.resize(said.size() - 10);
    EXPECT_EQ(answer_from_backend(said), "") << "the head goes with the document";
    peer_.reset();
    settle();
    const std::string got = wire_.take_sent();
    EXPECT_TRUE(got.starts_with("HTTP/1.1 404 ")) << got;
    EXPECT_TRUE(is_own_error(got, "404")) << got;
    EXPECT_FALSE(has(got, "<Key>"));
  }
}

TEST_F(HandlerAnswersTest, AnAnswerHasOneRequestId) {
  const auto id_of = [](const std::string& got) {
    constexpr std::string_view kName = "x-amz-request-id: ";
    const std::size_t at = got.find(kName);
    EXPECT_EQ(at, got.rfind(kName)) << got;
    const std::size_t begin = at == got.npos ? got.size() : at + kName.size();
    return got.substr(begin, got.find("\r\n", begin) - begin);
  };
  const std::string texts[] = {
      "Oops",
      "<Error><Code>NoSuchKey</Code><RequestId>OLD</RequestId><HostId>OLD</HostId></Error>"};
  const std::string fields[] = {"x-amz-request-id: THEIRS\r\n", "", "x-amz-request-id: \r\n"};
  for (const std::string& text : texts) {
    for (const std::string& field : fields) {
      serve({{"logs", backend()}});
      (void)pass_through(signed_request({.path = "/logs/a"}));
      const std::string got =
          answer_from_backend("HTTP/1.1 404 X\r\n" + field +
                              "content-length: " + std::to_string(text.size()) + "\r\n\r\n" + text);
      const bool is_theirs = field == fields[0];
      EXPECT_EQ(id_of(got) == "THEIRS", is_theirs) << got;
      // What the backend's document says is true where the field is the backend's, too.
      const std::string told = is_theirs && text == texts[1] ? "OLD" : id_of(got);
      EXPECT_TRUE(has(got, "<RequestId>" + told + "</RequestId><HostId>" + told + "</HostId>"))
          << got;
    }
  }
}

TEST_F(HandlerAnswersTest, AnEmptyErrorHasADocumentButToHead) {
  for (const char* const method : {"GET", "HEAD"}) {
    serve({{"logs", backend()}});
    (void)pass_through(signed_request({.method = method, .path = "/logs/a"}));
    const std::string got = answer_from_backend("HTTP/1.1 412 X\r\ncontent-length: 0\r\n\r\n");
    EXPECT_TRUE(got.starts_with("HTTP/1.1 412 ")) << got;
    EXPECT_EQ(has(got, "<Code>PreconditionFailed</Code>"), std::string_view{method} == "GET")
        << got;
  }
}

TEST_F(HandlerAnswersTest, WhatTheBackendSaysOfOurCredentialsIsNotForClients) {
  serve_and_record(backend());
  (void)pass_through(signed_request({.path = "/logs/a"}));
  const std::string got = answer_from_backend(document(
      "403", "<Error><Code>SignatureDoesNotMatch</Code><Message>Check your key</Message></Error>"));
  EXPECT_TRUE(has(got, "<Code>AccessDenied</Code><Message>The storage behind the server")) << got;
  EXPECT_FALSE(has(got, "your key")) << got;
  settle();
  EXPECT_TRUE(has(lines_, "SignatureDoesNotMatch")) << lines_;
}

TEST_F(HandlerAnswersTest, AnErrorThatDripsOrStallsIsNotWaitedFor) {
  for (const std::string_view drop : {" ", ""}) {
    serve({{"logs", backend()}});
    (void)pass_through(signed_request({.path = "/logs/a"}));
    EXPECT_EQ(answer_from_backend("HTTP/1.1 404 X\r\ncontent-length: 1000\r\n\r\n<Error>"), "");
    std::string got;
    int seconds = 0;
    for (; got.empty() && seconds < 60; ++seconds) {
      pass(std::chrono::seconds{1});
      got = wire_.take_sent();
      if (got.empty() && !drop.empty()) got = answer_from_backend(drop);
    }
    EXPECT_EQ(seconds, proxy::Relay::kHeldHeadTime.count());
    EXPECT_TRUE(is_own_error(got, "404")) << got;
  }
}

TEST_F(HandlerAnswersTest, ALongErrorIsNotWaitedFor) {
  serve({{"logs", backend()}});
  (void)pass_through(signed_request({.path = "/logs/a"}));
  EXPECT_EQ(answer_from_backend(
                "HTTP/1.1 404 X\r\ncontent-type: text/html\r\ncontent-length: 1000000\r\n\r\n"),
            "");
  EXPECT_EQ(answer_from_backend(std::string(ResponseFilter::kErrorBytesMax, 'x')), "");
  const std::string got = answer_from_backend("x");
  EXPECT_TRUE(is_own_error(got, "404")) << got;
  EXPECT_EQ(test::receive_all(peer_), "");
  char byte = 0;
  EXPECT_LE(::recv(peer_.get(), &byte, 1, 0), 0) << "the backend need not go on";
}

TEST_F(HandlerAnswersTest, AnObjectMayBeInOne) {
  serve({{"logs", backend()}});
  (void)pass_through(signed_request({.path = "/logs/a"}));
  const std::string got = answer_from_backend(document("200", "packed", kGzip));
  EXPECT_TRUE(has(got, "content-encoding: gzip\r\n")) << got;
  EXPECT_TRUE(got.ends_with("packed"));
}

// --- the code of a backend's error

TEST_F(HandlerAnswersTest, TheCodeOfABackendsErrorIsInTheAuditLog) {
  serve_and_record(backend());
  (void)pass_through(signed_request({.path = "/logs/a"}));
  (void)answer_from_backend(
      document("404", "<?xml version=\"1.0\"?>\n<Error><Code>NoSuchKey</Code></Error>"));
  EXPECT_TRUE(has(lines_, R"("status":404,"error":"NoSuchKey",)")) << lines_;
  lines_.clear();
  // The answer to a long work may have begun before it failed.
  (void)pass_through(signed_request({.method = "POST", .path = "/logs/a", .query = "uploadId=1"}));
  (void)answer_from_backend(document("200", "  <Error><Code>InternalError</Code></Error>"));
  EXPECT_TRUE(has(lines_, R"("status":200,"error":"InternalError",)")) << lines_;
  lines_.clear();
  (void)pass_through(signed_request({.path = "/logs/a"}));
  (void)answer_from_backend(document("200", "<Error><Code>AnObject</Code></Error>"));
  EXPECT_TRUE(has(lines_, R"("status":200,"error":null,)")) << lines_;
}

// --- a body that is collected can be sent as often as there is need

constexpr std::string_view kDelete = "<Delete><Object><Key>k</Key></Object></Delete>";

TEST_F(HandlerAnswersTest, ACollectedBodyIsSentAgain) {
  Backend one = folder();
  serve({{"logs", one}});
  const TestRequest request{.method = "POST", .path = "/logs", .query = "delete"};
  const std::string first = pass_through(signed_request(request), kDelete);
  EXPECT_TRUE(has(first, "<Key>team-a/k</Key>")) << first;
  EXPECT_EQ(answer_from_backend("HTTP/1.1 503 S\r\ncontent-length: 0\r\n\r\n"), "");
  pass(std::chrono::seconds{2});
  const std::string second = at_backend();
  EXPECT_TRUE(is_signed_by(second.substr(0, second.find("<Delete")), "BACK", "back-secret"));
  EXPECT_TRUE(has(second, "<Key>team-a/k</Key>")) << second;
  EXPECT_TRUE(has(answer_from_backend(document("200", "<DeleteResult/>")), "<DeleteResult/>"));
}

// --- without memory

class HandlerMemoryTest : public HandlerAnswersTest {
 protected:
  // Nothing of the test allocates then.
  void make_room() {
    wire_.forget();
    wire_.reserve(1 << 14);
    wire_.sent.reserve(1 << 14);
  }
};

TEST_F(HandlerMemoryTest, ARequestThatThereIsNoMemoryForIsCountedAndTold) {
  serve_and_record(backend());
  EXPECT_TRUE(has(send("GET /logs/a HTTP/1.1\r\nHost: h\r\n\r\n"), " 403 "));
  session_->on_closed(Errc::kClosed);
  handler_.reset();
  lines_.clear();
  serve_and_record(backend());  // Its visits are the first.
  make_room();
  {
    const test::AllocationFailure failure{1};
    wire_.receive("GET /logs/a HTTP/1.1\r\nHost: h\r\n\r\n");
    EXPECT_TRUE(failure.happened());
  }
  EXPECT_TRUE(wire_.sent.starts_with("HTTP/1.1 503 ")) << wire_.sent;
  EXPECT_EQ(gateway_->meters.sum(Counts::requests), 1U);
  EXPECT_TRUE(has(lines_, R"("path":"/logs/a",)")) << lines_;
  EXPECT_TRUE(has(lines_, R"("status":503,"error":null,)")) << lines_;
}

TEST_F(HandlerMemoryTest, WhereverItEndsARequestHasOneLineAndTheStatusOfItsAnswer) {
  serve_and_record(backend());
  (void)send(signed_request({.method = "DELETE", .path = "/logs/a"}));
  (void)reply_key();
  EXPECT_TRUE(has(reply({Decision{Verdict::kNo, Scope::kRequest, ""}, kLong, kLong}), " 403 "));
  (void)send(signed_request({.path = "/logs/a"}));
  close_client();
  policy_.answer({Decision{Verdict::kYes, Scope::kBucket, ""}, kLong, kLong});
  settle();
  // Every answer is known now, and no relay has been made.
  const std::string text = text_of(signed_request({.path = "/logs/a"}));
  bool refused_whole = false;
  bool failed = true;
  for (std::uint64_t nth = 1; failed && nth < 100; ++nth) {
    SCOPED_TRACE(nth);
    lines_.clear();
    make_room();
    open(*handler_);
    {
      const test::AllocationFailure failure{nth};
      wire_.receive(text);
      failed = failure.happened();
    }
    settle();
    if (connected()) (void)answer_from_backend("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n");
    session_->on_closed(Errc::kClosed);
    settle();
    peer_.reset();
    EXPECT_LE(std::ranges::count(lines_, '\n'), 1);
    refused_whole |= has(lines_, R"("status":503,"error":"SlowDown",)") &&
                     has(lines_, R"("outcome":"complete"})");
    EXPECT_FALSE(has(lines_, R"("error":"SlowDown",)") && !has(lines_, R"("outcome":"complete"})"))
        << lines_;
  }
  EXPECT_TRUE(refused_whole);
  EXPECT_FALSE(failed);
}

}  // namespace
}  // namespace tercel::gateway
