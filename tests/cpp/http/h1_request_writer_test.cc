#include "tercel/http/h1_request_writer.h"

#include <array>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "http/h1_input.h"

namespace tercel::http {
namespace {

std::string write(const RequestHead& head) {
  if (const auto checked = inspect_request(head); !checked) {
    return std::string{info(checked.error()).name};
  }
  std::string text(request_bytes_bound(head), '\0');
  const char* const end = write_request(text.data(), head);
  EXPECT_LE(static_cast<std::size_t>(end - text.data()), text.size());
  text.resize(static_cast<std::size_t>(end - text.data()));
  // Our own parser takes everything that leaves.
  HeadBuffer fields;
  std::string copy = text;
  const HeadResult parsed = parse_request_head(copy, 0, {}, fields);
  if (head.method != "CONNECT" && head.target.front() == '/') {
    EXPECT_EQ(parsed.status, HeadStatus::kDone) << text;
    EXPECT_EQ(parsed.bytes, text.size());
    EXPECT_EQ(parsed.request.method, head.method);
    EXPECT_EQ(parsed.request.target, head.target);
    EXPECT_EQ(parsed.request.authority, head.host);
    EXPECT_EQ(parsed.expects_continue, head.expects_continue);
    EXPECT_EQ(parsed.request.accepts_trailers, head.accepts_trailers);
    EXPECT_EQ(parsed.keep_alive, !head.close);
  }
  return text;
}

TEST(H1RequestWriterTest, WritesAHead) {
  const std::array<Field, 2> fields{{{"Accept", " */* "}, {"x-a", "1"}}};
  EXPECT_EQ(write({.method = "GET", .target = "/a?b=%20", .host = "h:80", .fields = fields}),
            "GET /a?b=%20 HTTP/1.1\r\nhost: h:80\r\naccept: */*\r\nx-a: 1\r\n\r\n");
}

TEST(H1RequestWriterTest, AsksForAnUpgrade) {
  const std::array<Field, 2> fields{{{"Upgrade", "h2c"}, {"Connection", "x"}}};
  RequestHead head{
      .method = "GET", .target = "/", .host = "h", .fields = fields, .upgrade = "websocket"};
  EXPECT_EQ(write(head),
            "GET / HTTP/1.1\r\nhost: h\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n");
  head.upgrade = "a\r\nb";
  EXPECT_EQ(write(head), "BadField");
}

TEST(H1RequestWriterTest, SaysHowTheBodyEnds) {
  RequestHead head{.method = "PUT", .target = "/", .host = "h", .fields = {}};
  EXPECT_EQ(write(head), "PUT / HTTP/1.1\r\nhost: h\r\ncontent-length: 0\r\n\r\n");
  head.framing = Framing::kLength;
  head.content_length = UINT64_MAX / 2;
  head.expects_continue = true;
  EXPECT_EQ(write(head),
            "PUT / HTTP/1.1\r\nhost: h\r\ncontent-length: 9223372036854775807\r\n"
            "expect: 100-continue\r\n\r\n");
  head.framing = Framing::kChunked;
  head.expects_continue = false;
  EXPECT_EQ(write(head), "PUT / HTTP/1.1\r\nhost: h\r\ntransfer-encoding: chunked\r\n\r\n");
  head = {.method = "DELETE", .target = "/", .host = "h", .fields = {}};
  EXPECT_EQ(write(head), "DELETE / HTTP/1.1\r\nhost: h\r\n\r\n");
}

TEST(H1RequestWriterTest, SaysWhatTheConnectionIsFor) {
  RequestHead head{.method = "GET", .target = "/", .host = "h", .fields = {}};
  head.close = true;
  EXPECT_EQ(write(head), "GET / HTTP/1.1\r\nhost: h\r\nconnection: close\r\n\r\n");
  head.accepts_trailers = true;
  EXPECT_EQ(write(head),
            "GET / HTTP/1.1\r\nhost: h\r\nte: trailers\r\nconnection: close, te\r\n\r\n");
  head.close = false;
  EXPECT_EQ(write(head), "GET / HTTP/1.1\r\nhost: h\r\nte: trailers\r\nconnection: te\r\n\r\n");
}

// Two of a size field, or of Host, would let two readers see two requests.
TEST(H1RequestWriterTest, LeavesOutWhatItSaysItself) {
  const std::array<Field, 10> fields{{{"Host", "evil"},
                                      {"Content-Length", "5"},
                                      {"TRANSFER-ENCODING", "chunked"},
                                      {"Connection", "x"},
                                      {"keep-alive", "1"},
                                      {"Proxy-Connection", "close"},
                                      {"Upgrade", "h2c"},
                                      {"TE", "gzip"},
                                      {"Expect", "100-continue"},
                                      {"a", "b"}}};
  EXPECT_EQ(write({.method = "GET", .target = "/", .host = "h", .fields = fields}),
            "GET / HTTP/1.1\r\nhost: h\r\na: b\r\n\r\n");
}

TEST(H1RequestWriterTest, NothingMalformedLeaves) {
  for (const auto* method : {"", "GE T", "GET\r\n", "GET /\x01", "G\xc3"}) {
    EXPECT_EQ(write({.method = method, .target = "/", .host = "h", .fields = {}}), "BadMethod");
  }
  for (const auto* target : {"", "/ a", "/\r\n", "/a\nb", "/a#b", "/\x7f", "/\xc3\xa4", "/\t"}) {
    EXPECT_EQ(write({.method = "GET", .target = target, .host = "h", .fields = {}}), "BadTarget");
  }
  for (const auto* host : {"", "a b", "a\r\nx: y", "a/b", "user@a", "a:99999"}) {
    EXPECT_EQ(write({.method = "GET", .target = "/", .host = host, .fields = {}}), "BadHost");
  }
  using namespace std::string_view_literals;  // NOLINT(google-build-using-namespace): literals.
  for (const Field& field :
       {Field{"a b", "c"}, Field{"", "c"}, Field{"a:", "c"}, Field{"a", "b\r\nc: d"},
        Field{"a", "b\nc"}, Field{"a", "\0"sv}, Field{"a\r\nb", "c"}}) {
    const std::array<Field, 1> fields{field};
    EXPECT_EQ(write({.method = "GET", .target = "/", .host = "h", .fields = fields}), "BadField");
  }
}

}  // namespace
}  // namespace tercel::http
