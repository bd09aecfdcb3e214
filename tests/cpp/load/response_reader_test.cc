// The responses that a load client accepts, in any parts, and those that it must not.
#include "response_reader.h"

#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace tercel::load {
namespace {

using Event = ResponseReader::Event;

// What was told of a stream of bytes.
struct Told {
  std::string text;  // "200 name=value;[body]" for each response; "!" when it is bad.
  Event end = Event::kBad;
  bool keep_alive = true;
  bool operator==(const Told&) const = default;
};

// Presents `stream` in parts of `part` bytes, then the end of the input.
Told read(std::string_view stream, std::size_t part = SIZE_MAX) {
  http::HeadBuffer fields;
  ResponseReader reader{fields};
  Told told;
  std::string unread;
  while (!stream.empty()) {
    unread.append(stream.substr(0, part));
    stream.remove_prefix(std::min(part, stream.size()));
    std::span<char> bytes{unread};
    for (bool more = true; more;) {
      switch (reader.next(bytes)) {
        case Event::kNeedMore:
          more = false;
          break;
        case Event::kHead:
          told.text += std::to_string(reader.status()) + ' ';
          told.keep_alive = reader.keep_alive();
          for (const http::Field& field : reader.fields()) {
            told.text.append(field.name).append("=").append(field.value).append(";");
          }
          told.text += '[';
          break;
        case Event::kBody:
          told.text += reader.body();
          break;
        case Event::kEnd:
          told.text += ']';
          break;
        case Event::kBad:
          told.text += '!';
          return told;
      }
    }
    unread.erase(0, unread.size() - bytes.size());
  }
  told.end = reader.end_of_input(unread);
  return told;
}

// The same however the bytes arrive.
Told read_in_any_parts(std::string_view stream) {
  const Told whole = read(stream);
  for (std::size_t part = 1; part < stream.size(); ++part) {
    EXPECT_EQ(read(stream, part).text, whole.text) << part;
    EXPECT_EQ(read(stream, part).end, whole.end) << part;
  }
  return whole;
}

TEST(ResponseReaderTest, ReadsOneAfterTheOther) {
  const Told told = read_in_any_parts(
      "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nX-A:  b \r\n\r\nhello"
      "HTTP/1.1 404 \r\ncontent-length: 0\r\n\r\n");
  EXPECT_EQ(told.text, "200 content-length=5;x-a=b;[hello]404 content-length=0;[]");
  EXPECT_EQ(told.end, Event::kNeedMore);
  EXPECT_TRUE(told.keep_alive);
}

TEST(ResponseReaderTest, ReadsChunksAndTrailers) {
  const Told told = read_in_any_parts(
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: Chunked\r\n\r\n3\r\nabc\r\nA\r\n0123456789\r\n0\r\n"
      "X-T: 1\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n");
  EXPECT_EQ(told.text, "200 transfer-encoding=Chunked;[abc0123456789]204 []");
}

TEST(ResponseReaderTest, ReadsToTheEndOfAConnectionWithoutALength) {
  const Told told = read_in_any_parts("HTTP/1.1 200 OK\r\n\r\nall of it");
  EXPECT_EQ(told.text, "200 [all of it");
  EXPECT_EQ(told.end, Event::kEnd);
  EXPECT_FALSE(told.keep_alive);
}

TEST(ResponseReaderTest, SeesThatAConnectionIsNotKept) {
  EXPECT_FALSE(
      read("HTTP/1.1 200 OK\r\nConnection: x, Close\r\nContent-Length: 0\r\n\r\n").keep_alive);
  EXPECT_TRUE(
      read("HTTP/1.1 200 OK\r\nConnection: closed\r\nContent-Length: 0\r\n\r\n").keep_alive);
}

TEST(ResponseReaderTest, PassesOverInterimResponses) {
  const Told told = read_in_any_parts(
      "HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 100 Continue\r\n\r\n"
      "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx");
  EXPECT_EQ(told.text, "200 content-length=1;[x]");
}

TEST(ResponseReaderTest, LeavesWhatFollowsASwitchOfProtocols) {
  http::HeadBuffer fields;
  ResponseReader reader{fields};
  std::string text = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n\x81\x01x";
  std::span<char> bytes{text};
  ASSERT_EQ(reader.next(bytes), Event::kHead);
  EXPECT_EQ(reader.status(), 101);
  EXPECT_EQ(reader.next(bytes), Event::kNeedMore);
  EXPECT_EQ(bytes.size(), 3U);
}

TEST(ResponseReaderTest, BodilessStatusHasNoBody) {
  EXPECT_EQ(read("HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n").text,
            "304 content-length=9;[]");
}

TEST(ResponseReaderTest, EndWithinAResponseIsBad) {
  const std::string_view stream = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello";
  for (std::size_t cut = 1; cut < stream.size(); ++cut) {
    EXPECT_EQ(read(stream.substr(0, cut)).end, Event::kBad) << cut;
  }
  EXPECT_EQ(read("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n").end,
            Event::kBad);
}

TEST(ResponseReaderTest, RefusesWhatBreaksTheRules) {
  const std::vector<std::string> bad{
      "HTTP/1.0 200 OK\r\n\r\n",
      "http/1.1 200 OK\r\n\r\n",
      " HTTP/1.1 200 OK\r\n\r\n",
      "\r\nHTTP/1.1 200 OK\r\n\r\n",
      "HTTP/1.1  200 OK\r\n\r\n",
      "HTTP/1.1 20 OK\r\n\r\n",
      "HTTP/1.1 2000 OK\r\n\r\n",
      "HTTP/1.1 099 OK\r\n\r\n",
      "HTTP/1.1 600 OK\r\n\r\n",
      "HTTP/1.1 +20 OK\r\n\r\n",
      "HTTP/1.1 200\r\n\r\n",  // RFC 9112 section 4: the space stays.
      "HTTP/1.1 200 OK\n\r\n",
      "HTTP/1.1 200 O\x01K\r\n\r\n",
      "HTTP/1.1 200 OK\r\nName : x\r\n\r\n",
      "HTTP/1.1 200 OK\r\n: x\r\n\r\n",
      "HTTP/1.1 200 OK\r\nA: x\r\n folded\r\n\r\n",
      "HTTP/1.1 200 OK\r\nA: x\n\r\n",
      "HTTP/1.1 200 OK\r\nContent-Length: +1\r\n\r\nx",
      "HTTP/1.1 200 OK\r\nContent-Length: \r\n\r\n",
      "HTTP/1.1 200 OK\r\nContent-Length: 1, 1\r\n\r\nx",
      "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\nx",
      "HTTP/1.1 200 OK\r\nContent-Length: 18446744073709551616\r\n\r\n",
      "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n",
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n",
      "HTTP/1.1 204 No Content\r\nContent-Length: 0\r\n\r\n",
      "HTTP/1.1 204 No Content\r\nTransfer-Encoding: chunked\r\n\r\n",
      "HTTP/1.1 101 Switching Protocols\r\nContent-Length: 0\r\n\r\n",
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0x1\r\nx\r\n",
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nxy\r\n",
      "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nxy",  // What follows is no response.
  };
  for (const std::string& stream : bad) {
    const Told told = read_in_any_parts(stream);
    EXPECT_EQ(told.text.back(), '!') << stream;
  }
}

TEST(ResponseReaderTest, HeadWithoutAnEndIsBounded) {
  std::string stream = "HTTP/1.1 200 OK\r\nA: ";
  stream.append(ResponseReader::kHeadBytesMax, 'x');
  EXPECT_EQ(read(stream).text, "!");
  std::string many = "HTTP/1.1 200 OK\r\n";
  for (std::size_t i = 0; i <= http::HeadBuffer{}.fields.size(); ++i) many += "a:b\r\n";
  EXPECT_EQ(read(many + "\r\n").text, "!");
}

TEST(ResponseReaderTest, ResetForgetsHalfAResponse) {
  http::HeadBuffer fields;
  ResponseReader reader{fields};
  std::string half = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: close\r\n\r\nhe";
  std::span<char> bytes{half};
  ASSERT_EQ(reader.next(bytes), Event::kHead);
  ASSERT_EQ(reader.next(bytes), Event::kBody);
  reader.reset();
  EXPECT_TRUE(reader.keep_alive());
  std::string whole = "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx";
  bytes = whole;
  ASSERT_EQ(reader.next(bytes), Event::kHead);
  ASSERT_EQ(reader.next(bytes), Event::kBody);
  EXPECT_EQ(reader.body(), "x");
  EXPECT_EQ(reader.next(bytes), Event::kEnd);
}

}  // namespace
}  // namespace tercel::load
