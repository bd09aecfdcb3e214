#include "tercel/edge/file_answer.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <chrono>
#include <fstream>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "edge/file_fixture.h"
#include "support/descriptors.h"
#include "tercel/http/date.h"

namespace tercel::edge {
namespace {

using test::body_of;
using test::field_of;
using test::status_of;

using namespace std::chrono_literals;  // NOLINT(google-build-using-namespace): only literals.

constexpr std::chrono::seconds kModified{1'700'000'000};  // Tue, 14 Nov 2023 22:13:20 GMT
constexpr std::string_view kDate = "Tue, 14 Nov 2023 22:13:20 GMT";
constexpr std::string_view kEarlier = "Tue, 14 Nov 2023 22:13:19 GMT";
constexpr std::string_view kLater = "Tue, 14 Nov 2023 22:13:21 GMT";

class FileAnswerTest : public testing::Test, public http::Handler {
 protected:
  FileAnswerTest() {
    write("0123456789");
    descriptors_ = test::open_descriptors();
  }
  ~FileAnswerTest() override { EXPECT_EQ(test::open_descriptors(), descriptors_); }

  void write(std::string_view text, std::chrono::nanoseconds modified = kModified) {
    std::ofstream{path_} << text;
    const auto whole = std::chrono::floor<std::chrono::seconds>(modified);
    const timespec time{.tv_sec = whole.count(), .tv_nsec = (modified - whole).count()};
    const timespec times[2] = {time, time};
    ASSERT_EQ(::utimensat(AT_FDCWD, path_.c_str(), times, 0), 0);
  }
  void handle(const http::Request& request, http::Exchange& exchange) noexcept override {
    auto file = OpenFile::open(net::system_calls(), path_.c_str());
    ASSERT_TRUE(file);
    head_.fields = fields_;
    started_ = answer_file(exchange, asked_by(request), *std::move(file), head_, now_);
    if (!started_) exchange.abort(started_.error());
  }
  [[nodiscard]] std::string get(std::string_view fields = {}) { return server_.get("/", fields); }
  [[nodiscard]] std::string status(std::string_view fields) { return status_of(get(fields)); }
  [[nodiscard]] std::string etag() { return field_of(get(), "etag"); }
  // Status, Content-Range and body.
  [[nodiscard]] std::string range(std::string_view value) {
    const std::string answer = get("Range: " + std::string{value} + "\r\n");
    return status_of(answer) + ' ' + field_of(answer, "content-range") + ' ' + body_of(answer);
  }
  static std::string line(std::string_view name, std::string_view value) {
    return std::string{name} + ": " + std::string{value} + "\r\n";
  }

  test::TemporaryDirectory folder_;
  std::string path_ = folder_.file("file");
  std::vector<http::Field> fields_;
  FileHead head_{.content_type = "text/plain"};
  std::chrono::nanoseconds now_ = kModified + 1h;
  Result<void> started_;
  test::FileServer server_{*this};
  std::ptrdiff_t descriptors_ = 0;
};

TEST_F(FileAnswerTest, SendsTheFileWithItsValidators) {
  EXPECT_EQ(get(),
            "HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\netag: \"17979cfe362a0000-a\"\r\n"
            "last-modified: Tue, 14 Nov 2023 22:13:20 GMT\r\naccept-ranges: bytes\r\n"
            "content-length: 10\r\n\r\n0123456789");
}

TEST_F(FileAnswerTest, HeadIsTheSameWithoutTheBytes) {
  const std::string whole = get();
  EXPECT_EQ(server_.ask("HEAD", "/"), whole.substr(0, whole.size() - 10));
  EXPECT_EQ(server_.ask("HEAD", "/", "Range: bytes=0-1\r\n"), whole.substr(0, whole.size() - 10));
  EXPECT_EQ(status_of(server_.ask("HEAD", "/", "If-None-Match: *\r\n")), "304");
}

TEST_F(FileAnswerTest, AnEmptyFileIsSentAsOne) {
  write("");
  EXPECT_EQ(field_of(get(), "content-length"), "0");
  EXPECT_EQ(range("bytes=0-"), "416 bytes */0 no byte of it is in the ranges that are asked for\n");
  EXPECT_EQ(range("bytes=-5"), "200 - ");
}

// --- validators

TEST_F(FileAnswerTest, TheTagIsOfTimeAndSize) {
  const std::string first = etag();
  write("0123456789", kModified + 1ns);
  const std::string second = etag();
  write("01234567890", kModified + 1ns);
  const std::string third = etag();
  EXPECT_NE(first, second);
  EXPECT_NE(second, third);
  write("9876543210", kModified);
  EXPECT_EQ(etag(), first);  // What the time and the size of a file do not say, nobody knows.
}

TEST_F(FileAnswerTest, RightAfterAChangeTheTagIsWeakAndTheDateToo) {
  const std::string strong = etag();
  now_ = kModified + kSettlingTime - 1ns;
  EXPECT_EQ(etag(), "W/" + strong);
  EXPECT_EQ(status(line("If-None-Match", strong)), "304");
  // Parts of two states must not be put together.
  const std::string part = "Range: bytes=0-1\r\n";
  EXPECT_EQ(status(part + line("If-Range", "W/" + strong)), "200");
  EXPECT_EQ(status(part + line("If-Range", kDate)), "200");
  now_ += 1ns;
  EXPECT_EQ(etag(), strong);
  EXPECT_EQ(status(part + line("If-Range", strong)), "206");
  EXPECT_EQ(status(part + line("If-Range", kDate)), "206");
}

TEST_F(FileAnswerTest, ADateInTheFutureIsToday) {
  now_ = kModified - 1h;
  const std::string answer = get();
  EXPECT_EQ(field_of(answer, "last-modified"), "Tue, 14 Nov 2023 21:13:20 GMT");
  EXPECT_TRUE(field_of(answer, "etag").starts_with("W/"));
}

TEST_F(FileAnswerTest, ADateOfReproducibleBuildsSaysNothing) {
  write("0123456789", 1s);
  now_ = std::chrono::system_clock::now().time_since_epoch() + 1h;
  const std::string answer = get();
  EXPECT_EQ(field_of(answer, "last-modified"), "-");
  const std::string first = field_of(answer, "etag");
  EXPECT_FALSE(first.starts_with("W/"));
  write("9876543210", 1s);
  EXPECT_NE(etag(), first);
}

TEST_F(FileAnswerTest, ACompressedCopyIsAnotherRepresentation) {
  const std::string plain = etag();
  head_.content_encoding = "br";
  EXPECT_EQ(etag(), plain.substr(0, plain.size() - 1) + "-br\"");
  EXPECT_EQ(field_of(get(), "content-encoding"), "br");
}

TEST_F(FileAnswerTest, FieldsOfTheCallerTakeThePlaceOfOurs) {
  fields_ = {{"ETag", "\"mine\""},
             {"Last-Modified", kEarlier},
             {"Content-Type", "text/html"},
             {"Accept-Ranges", "none"},
             {"x-more", "1"}};
  EXPECT_EQ(get(), "HTTP/1.1 200 OK\r\netag: \"mine\"\r\nlast-modified: " + std::string{kEarlier} +
                       "\r\ncontent-type: text/html\r\naccept-ranges: none\r\nx-more: 1\r\n"
                       "content-length: 10\r\n\r\n0123456789");
  EXPECT_EQ(status("If-None-Match: \"mine\"\r\n"), "304");
  EXPECT_EQ(status(line("If-Modified-Since", kEarlier)), "304");
}

// --- conditions, in the order of RFC 9110 section 13.2.2

TEST_F(FileAnswerTest, IfMatch) {
  EXPECT_EQ(status(line("If-Match", etag())), "200");
  EXPECT_EQ(status("If-Match: *\r\n"), "200");
  EXPECT_EQ(status(line("If-Match", "\"x\", " + etag())), "200");
  EXPECT_EQ(get("If-Match: \"x\"\r\n"),
            "HTTP/1.1 412 Precondition Failed\r\ncontent-type: text/plain; charset=utf-8\r\n"
            "x-content-type-options: nosniff\r\ncontent-length: 45\r\n\r\n"
            "it has changed since the client looked at it\n");
  EXPECT_EQ(status(line("If-Match", "W/" + etag())), "412");
}

TEST_F(FileAnswerTest, IfUnmodifiedSince) {
  EXPECT_EQ(status(line("If-Unmodified-Since", kDate)), "200");
  EXPECT_EQ(status(line("If-Unmodified-Since", kLater)), "200");
  EXPECT_EQ(status(line("If-Unmodified-Since", kEarlier)), "412");
  EXPECT_EQ(status("If-Unmodified-Since: yesterday\r\n"), "200");
  // If-Match takes its place.
  EXPECT_EQ(status(line("If-Match", etag()) + line("If-Unmodified-Since", kEarlier)), "200");
  EXPECT_EQ(status(line("If-Match", "\"x\"") + line("If-Unmodified-Since", kLater)), "412");
}

TEST_F(FileAnswerTest, IfNoneMatch) {
  EXPECT_EQ(status("If-None-Match: \"x\"\r\n"), "200");
  EXPECT_EQ(status("If-None-Match: *\r\n"), "304");
  EXPECT_EQ(status(line("If-None-Match", "\"x\", W/" + etag())), "304");
  // What describes the content is left out, the rest is not.
  fields_ = {{"cache-control", "max-age=60"},
             {"content-disposition", "attachment"},
             {"Content-Language", "en"},
             {"content-location", "/x"}};
  EXPECT_EQ(get(line("If-None-Match", etag())),
            "HTTP/1.1 304 Not Modified\r\ncache-control: max-age=60\r\ncontent-location: /x\r\n"
            "etag: \"17979cfe362a0000-a\"\r\nlast-modified: " +
                std::string{kDate} + "\r\naccept-ranges: bytes\r\n\r\n");
}

TEST_F(FileAnswerTest, IfModifiedSince) {
  EXPECT_EQ(status(line("If-Modified-Since", kDate)), "304");
  EXPECT_EQ(status(line("If-Modified-Since", kLater)), "304");
  EXPECT_EQ(status(line("If-Modified-Since", kEarlier)), "200");
  EXPECT_EQ(status("If-Modified-Since: Tuesday, 14-Nov-23 22:13:20 GMT\r\n"), "304");
  EXPECT_EQ(status("If-Modified-Since: 0\r\n"), "200");
  // If-None-Match takes its place.
  EXPECT_EQ(status("If-None-Match: \"x\"\r\n" + line("If-Modified-Since", kLater)), "200");
  EXPECT_EQ(status(line("If-None-Match", etag()) + line("If-Modified-Since", kEarlier)), "304");
}

TEST_F(FileAnswerTest, WhatFailsBeforeDecides) {
  EXPECT_EQ(status("If-Match: \"x\"\r\n" + line("If-None-Match", etag())), "412");
  EXPECT_EQ(status(line("If-Unmodified-Since", kEarlier) + line("If-Modified-Since", kLater)),
            "412");
  EXPECT_EQ(status("Range: bytes=50-\r\n" + line("If-None-Match", etag())), "304");
}

TEST_F(FileAnswerTest, ConditionsAreForReadingWhatIs) {
  const std::string all = "If-Match: \"x\"\r\nIf-None-Match: *\r\nRange: bytes=0-1\r\n";
  EXPECT_EQ(status_of(server_.ask("POST", "/", all)), "200");
  head_.status = 404;  // A page for what is missing is no representation of it.
  const std::string answer = get(all);
  EXPECT_EQ(status_of(answer), "404");
  EXPECT_EQ(body_of(answer), "0123456789");
}

// --- ranges

TEST_F(FileAnswerTest, OneRange) {
  EXPECT_EQ(range("bytes=0-0"), "206 bytes 0-0/10 0");
  EXPECT_EQ(range("bytes=2-4"), "206 bytes 2-4/10 234");
  EXPECT_EQ(range("bytes=7-"), "206 bytes 7-9/10 789");
  EXPECT_EQ(range("bytes=-2"), "206 bytes 8-9/10 89");
  EXPECT_EQ(range("bytes=-50"), "206 bytes 0-9/10 0123456789");
  EXPECT_EQ(range("bytes=5-99999999999999999999999"), "206 bytes 5-9/10 56789");
  EXPECT_EQ(range("Bytes=0-1"), "206 bytes 0-1/10 01");
  const std::string answer = get("Range: bytes=2-4\r\n");
  EXPECT_EQ(field_of(answer, "content-length"), "3");
  EXPECT_EQ(field_of(answer, "etag"), etag());
  EXPECT_EQ(field_of(answer, "content-type"), "text/plain");
}

TEST_F(FileAnswerTest, RangesThatAreNoneAreIgnored) {
  for (const std::string_view value :
       {"bytes", "bytes=", "bytes=x", "bytes=-", "bytes=4-2", "bytes=+1-2", "bytes=0x1-2",
        "bytes=1--2", "bytes= 1 - 2", "lines=1-2", "bytes=1-2;3-4", "bytes 1-2", "bytes=1.5-2"}) {
    EXPECT_EQ(range(value), "200 - 0123456789") << value;
  }
}

TEST_F(FileAnswerTest, RangesWithoutAByteAre416) {
  for (const std::string_view value : {"bytes=10-", "bytes=10-20", "bytes=-0", "bytes=10-,20-",
                                       "bytes=18446744073709551616-", "bytes=-0,99-100"}) {
    EXPECT_TRUE(range(value).starts_with("416 bytes */10 ")) << value;
  }
}

TEST_F(FileAnswerTest, SeveralRangesAreOneBodyInParts) {
  const std::string answer = get("Range: bytes=8-,0-1\r\n");
  const std::string type = field_of(answer, "content-type");
  constexpr std::string_view kStart = "multipart/byteranges; boundary=";
  ASSERT_TRUE(type.starts_with(kStart));
  const std::string boundary = "\r\n--" + type.substr(kStart.size());
  EXPECT_EQ(body_of(answer),
            boundary + "\r\ncontent-type: text/plain\r\ncontent-range: bytes 0-1/10\r\n\r\n01" +
                boundary + "\r\ncontent-type: text/plain\r\ncontent-range: bytes 8-9/10\r\n\r\n89" +
                boundary + "--\r\n");
  EXPECT_EQ(field_of(answer, "content-length"), std::to_string(body_of(answer).size()));
  EXPECT_EQ(field_of(answer, "content-range"), "-");
  EXPECT_EQ(status_of(answer), "206");
  EXPECT_NE(get("Range: bytes=8-,0-1\r\n"), answer);  // Nobody knows the next boundary.

  fields_ = {{"content-type", "text/html"}};
  const std::string own = get("Range: bytes=8-,0-1\r\n");
  EXPECT_TRUE(field_of(own, "content-type").starts_with(kStart));
  EXPECT_NE(body_of(own).find("content-type: text/html"), std::string::npos);
}

TEST_F(FileAnswerTest, RangesThatOverlapOrTouchAreSentOnce) {
  EXPECT_EQ(range("bytes=0-3,2-5"), "206 bytes 0-5/10 012345");
  EXPECT_EQ(range("bytes=4-5,0-3"), "206 bytes 0-5/10 012345");
  EXPECT_EQ(range("bytes=0-,0-,0-,0-,0-"), "206 bytes 0-9/10 0123456789");
  EXPECT_EQ(range("bytes=1-2,99-"), "206 bytes 1-2/10 12");
}

TEST_F(FileAnswerTest, ThousandsOfRangesAreIgnored) {
  std::string many = "bytes=0-0";
  for (int i = 1; i < 5000; ++i) many += ",0-0";
  EXPECT_EQ(range(many), "200 - 0123456789");
}

TEST_F(FileAnswerTest, IfRange) {
  const std::string part = "Range: bytes=0-1\r\n";
  EXPECT_EQ(status(part + line("If-Range", etag())), "206");
  EXPECT_EQ(status(part + line("If-Range", "\"x\"")), "200");
  EXPECT_EQ(status(part + line("If-Range", "W/" + etag())), "200");
  EXPECT_EQ(status(part + line("If-Range", kDate)), "206");
  EXPECT_EQ(status(part + line("If-Range", kLater)), "200");  // Equal, not earlier.
  EXPECT_EQ(status(part + line("If-Range", "nonsense")), "200");
  // With another one, what is asked for is not judged either.
  EXPECT_EQ(status("Range: bytes=99-\r\n" + line("If-Range", "\"x\"")), "200");
}

TEST_F(FileAnswerTest, AHeadThatMayNotBeSentFailsAndKeepsNothing) {
  fields_ = {{"bad name", "x"}};
  for (const std::string_view fields :
       {"", "Range: bytes=0-1\r\n", "Range: bytes=0-1,5-6\r\n", "If-None-Match: *\r\n"}) {
    const std::string answer = get(fields);
    EXPECT_EQ(status_of(answer), "500") << fields;
    EXPECT_EQ(started_.error(), Errc::kBadResponseField);
  }
}

}  // namespace
}  // namespace tercel::edge
