#include "tercel/edge/access_log.h"

#include <fcntl.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "support/allocations.h"
#include "support/descriptors.h"
#include "support/manual_clock.h"
#include "tercel/edge/log_file.h"
#include "tercel/net/syscalls.h"

namespace tercel::edge {
namespace {

using namespace std::chrono_literals;
using http::Outcome;

// Stands still at Apache's example time.
class FixedClock final : public Clock {
 public:
  [[nodiscard]] std::chrono::nanoseconds now() const noexcept override { return 971211336s; }
};

http::Summary answer(std::uint16_t status, std::uint64_t body_bytes, Outcome outcome) {
  return {.status = status, .body_bytes = body_bytes, .outcome = outcome};
}

class AccessLogTest : public testing::Test {
 protected:
  AccessLogTest() {
    setenv("TZ", "UTC", 1);  // NOLINT(concurrency-mt-unsafe): the test has one thread.
    tzset();
    int fds[2];
    EXPECT_EQ(::pipe2(fds, O_CLOEXEC | O_NONBLOCK), 0);
    reader_ = test::Fd{fds[0]};
    writer_ = test::Fd{fds[1]};
    loop_ = *net::Loop::create(clock_, net::system_calls());
    file_ = *LogFile::share(*loop_, writer_.get());
    ends_.peer = {.ip = {192, 0, 2, 7}, .port = 50000, .kind = AddressKind::kIpv4};
    ends_.local = {.ip = {127, 0, 0, 1}, .port = 8000, .kind = AddressKind::kIpv4};
    request_.method = "GET";
    request_.target = "/a?b=c";
    request_.path = "/a";
    request_.query = "b=c";
    request_.authority = "example.com";
    request_.fields = fields_;
  }

  AccessLog make(std::string_view format) {
    std::string problem;
    auto parsed = LogFormat::parse(format, problem);
    EXPECT_TRUE(parsed) << problem;
    return AccessLog{*loop_, *file_, *std::move(parsed), {clock_, wall_}, hidden_};
  }

  // The line that `format` makes of request_ and `summary`.
  std::string line(std::string_view format, const http::Summary& summary) {
    AccessLog log = make(format);
    void* const token = log.on_request(request_, ends_, 0s);
    clock_.advance(412us);
    log.on_response(token, summary);
    return written();
  }
  std::string line(std::string_view format) { return line(format, answered_); }

  std::string written() {
    file_->flush();
    return test::receive_all(reader_);
  }

  std::span<const std::string_view> hidden_;
  const http::Summary answered_ = answer(200, 27, Outcome::kComplete);

  test::ManualClock clock_;
  FixedClock wall_;
  std::unique_ptr<net::Loop> loop_;
  test::Fd reader_;
  test::Fd writer_;
  std::unique_ptr<LogFile> file_;
  http::Endpoints ends_;
  http::Request request_;
  std::vector<http::Field> fields_{
      {"referer", "http://example.com/"}, {"user-agent", "curl/8"}, {"x-empty", ""}};
};

TEST_F(AccessLogTest, NamedFormats) {
  EXPECT_EQ(line("common"),
            "192.0.2.7 - - [10/Oct/2000:20:55:36 +0000] \"GET /a?b=c HTTP/1.1\" 200 27\n");
  EXPECT_EQ(line("timed"),
            "192.0.2.7 - - [10/Oct/2000:20:55:36 +0000] \"GET /a?b=c HTTP/1.1\" 200 27 0.412ms\n");
  EXPECT_EQ(line("combined"),
            "192.0.2.7 - - [10/Oct/2000:20:55:36 +0000] \"GET /a?b=c HTTP/1.1\" 200 27 "
            "\"http://example.com/\" \"curl/8\"\n");
  EXPECT_EQ(line("json"),
            R"({"time":"2000-10-10T20:55:36+00:00","client":"192.0.2.7","method":"GET",)"
            R"("target":"/a?b=c","protocol":"HTTP/1.1","host":"example.com","status":200,)"
            R"("body_bytes":27,"duration_ms":0.412,"outcome":"complete","error":null,)"
            R"("referer":"http://example.com/","user_agent":"curl/8"})"
            "\n");
}

TEST_F(AccessLogTest, EveryAtom) {
  EXPECT_EQ(line("%h|%{remote}p|%A|%p|%l|%u"), "192.0.2.7|50000|127.0.0.1|8000|-|-\n");
  EXPECT_EQ(line("%t|%{iso}t|%{unix}t"),
            "[10/Oct/2000:20:55:36 +0000]|2000-10-10T20:55:36+00:00|971211336\n");
  EXPECT_EQ(line("%r|%m|%R|%U|%q|%H|%V"),
            "GET /a?b=c HTTP/1.1|GET|/a?b=c|/a|?b=c|HTTP/1.1|example.com\n");
  EXPECT_EQ(line("%{Referer}i|%{x-none}i|%{x-empty}i"), "http://example.com/|-|\n");
  EXPECT_EQ(line("%s|%>s|%B|%b"), "200|200|27|27\n");
  EXPECT_EQ(line("%D|%{ms}T|%T"), "412|0.412|0.000412\n");
  EXPECT_EQ(line("%X|%E|%%"), "complete|-|%\n");
  EXPECT_EQ(line("%P"), std::to_string(getpid()) + "\n");
}

TEST_F(AccessLogTest, AnEmptyQueryAndBodyAreNothing) {
  request_.query = "";
  EXPECT_EQ(line("%q|%B|%b", answer(204, 0, Outcome::kComplete)), "|0|-\n");
}

TEST_F(AccessLogTest, AClientThatLeftBeforeTheAnswerIs499) {
  http::Summary summary = answer(0, 0, Outcome::kPeerGone);
  EXPECT_EQ(line("%s %X", summary), "499 client-gone\n");
  summary.status = 200;
  EXPECT_EQ(line("%s %X", summary), "200 client-gone\n");
  summary = answer(0, 0, Outcome::kAborted);
  EXPECT_EQ(line("%s %X", summary), "- aborted\n");
}

TEST_F(AccessLogTest, TheWaitForATurnIsInTheTimeAndTheDuration) {
  AccessLog log = make("%{unix}t %{ms}T");
  void* const token = log.on_request(request_, ends_, 90s);
  clock_.advance(10ms);
  log.on_response(token, answered_);
  EXPECT_EQ(written(), "971211246 90010.000\n");
}

TEST_F(AccessLogTest, ARefusedHeadShowsWhatIsKnownOfIt) {
  AccessLog log = make("%h \"%r\" %m %R %H %U %s %E %{user-agent}i");
  http::Summary summary = answer(431, 0, Outcome::kComplete);
  summary.error = Errc::kHeadTooLarge;
  const http::PartialHead heads[] = {
      {},
      {.method = "GET"},
      {.method = "GET", .target = "/\x1b\""},
      {.method = "GET", .target = "/", .version = http::Version::kHttp10},
  };
  for (const http::PartialHead& head : heads) log.on_response(log.on_refused(head, ends_), summary);
  EXPECT_EQ(written(),
            "192.0.2.7 \"-\" - - - - 431 HeadTooLarge -\n"
            "192.0.2.7 \"GET - -\" GET - - - 431 HeadTooLarge -\n"
            R"(192.0.2.7 "GET /\x1b\" -" GET /\x1b\" - - 431 HeadTooLarge -)"
            "\n"
            "192.0.2.7 \"GET / HTTP/1.0\" GET / HTTP/1.0 - 431 HeadTooLarge -\n");
}

TEST_F(AccessLogTest, EveryErrorHasRoomInALine) {
  AccessLog log = make("json");
  for (const Errc error : {Errc::kBadTransferEncoding, Errc::kLengthConflict, Errc::kFlooded}) {
    http::Summary summary = answer(0, 0, Outcome::kAborted);
    summary.error = error;
    log.on_response(log.on_request(request_, ends_, 0s), summary);
    const std::string name{info(error).name};
    EXPECT_NE(written().find("\"aborted\",\"error\":\"" + name + "\","), std::string::npos);
  }
}

TEST_F(AccessLogTest, AddressesOfEveryKind) {
  ends_.peer = {.ip = {0x20, 0x01, 0x0d, 0xb8}, .port = 1, .kind = AddressKind::kIpv6};
  EXPECT_EQ(line("%h %{remote}p"), "2001:db8:: 1\n");
  ends_.peer = {.kind = AddressKind::kUnix};
  EXPECT_EQ(line("%h %{remote}p"), "unix: -\n");
  ends_.peer = {};
  EXPECT_EQ(line("%h %{remote}p"), "- -\n");
}

TEST_F(AccessLogTest, TheClientThatAProxyNamesIsTheClient) {
  const Address client{.ip = {203, 0, 113, 9}, .port = 0, .kind = AddressKind::kIpv4};
  request_.client = &client;
  EXPECT_EQ(line("%h"), "203.0.113.9\n");
}

TEST_F(AccessLogTest, WhateverTheBytesOneRequestIsOneLine) {
  std::string target = "/";
  for (int byte = 0; byte < 256; ++byte) target += static_cast<char>(byte);
  request_.target = target;
  fields_[1].value = target;
  for (const char* format : {"common", "combined", "json", "%R"}) {
    const std::string text = line(format);
    EXPECT_EQ(text.find('\n'), text.size() - 1) << format;
    for (const char c : text.substr(0, text.size() - 1)) EXPECT_TRUE(c >= ' ' && c <= '~');
  }
}

TEST_F(AccessLogTest, LongValuesAreCutAndSaySo) {
  const std::string target(AccessLog::kValueBytesMax, 'x');
  request_.target = target;
  EXPECT_EQ(line("%R"), target + "\n");
  const std::string longer = target + "yz";
  request_.target = longer;
  EXPECT_EQ(line("%R"), target + "...\n");
  // Longer than its length could be told in the 16 bits that it is kept in.
  const std::string worst(65541, '\x01');
  request_.target = worst;
  EXPECT_EQ(line("%R %R").size(), 2 * (AccessLog::kValueBytesMax * 4 + 3) + 2);
}

TEST_F(AccessLogTest, HiddenValuesAreNotInTheLineWhereverTheQueryIs) {
  static constexpr std::string_view kHidden[] = {"sig"};
  request_.query = "b=c&sig=1234567&d=e";
  const std::string target = "/a?b=c&sig=1234567&d=e";
  request_.target = target;
  const std::string referer = "http://h" + target;
  fields_[0].value = referer;
  EXPECT_EQ(line("%R"), target + "\n");
  hidden_ = kHidden;
  EXPECT_EQ(line("%r|%R|%q|%{referer}i|%U"),
            "GET /a?b=c&sig=***&d=e HTTP/1.1|/a?b=c&sig=***&d=e|?b=c&sig=***&d=e|"
            "http://h/a?b=c&sig=***&d=e|/a\n");
  for (const char* named : {"combined", "json"}) {
    EXPECT_EQ(line(named).find("1234567"), std::string::npos);
  }
  // One that was cut says so, though what is left of it is short.
  const std::string longer = "/a?sig=" + std::string(AccessLog::kValueBytesMax, 'x') + "&d=e";
  request_.target = longer;
  EXPECT_EQ(line("%R"), "/a?sig=***...\n");
}

TEST_F(AccessLogTest, RequestsMayEndInAnotherOrderThanTheyCame) {
  AccessLog log = make("%R %s");
  request_.target = "/first";
  void* const first = log.on_request(request_, ends_, 0s);
  request_.target = "/second";
  void* const second = log.on_request(request_, ends_, 0s);
  request_.target = "/gone";
  log.on_response(second, answered_);
  log.on_response(first, answered_);
  EXPECT_EQ(written(), "/second 200\n/first 200\n");
}

TEST_F(AccessLogTest, BlocksAreReturnedAndNothingIsAllocatedInASteadyState) {
  AccessLog log = make("combined");
  log.on_response(log.on_request(request_, ends_, 0s), answered_);
  const test::AllocationCount count;
  for (int i = 0; i < 100; ++i) log.on_response(log.on_request(request_, ends_, 0s), answered_);
  EXPECT_EQ(count.so_far(), 0U);
  EXPECT_EQ(loop_->blocks().outstanding(), 0U);
}

TEST_F(AccessLogTest, WithoutMemoryALineIsDroppedAndTheRequestGoesOn) {
  AccessLog log = make("combined");
  {
    const test::AllocationFailure failure{1};
    void* const token = log.on_request(request_, ends_, 0s);
    EXPECT_EQ(token, nullptr);
    log.on_response(token, answered_);
  }
  EXPECT_EQ(file_->dropped(), 1U);
  EXPECT_EQ(written(), "");
}

}  // namespace
}  // namespace tercel::edge
