// The sentences of RFC 9113 and RFC 7541 about frames, a row each: what a client sends, and what it
// hears. Errors of a connection are "GOAWAY last-id code", those of a stream "id RST_STREAM code".
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "http/h2_fixture.h"

namespace tercel::http {
namespace {

using namespace test;

struct Row {
  const char* section;
  const char* rule;
  std::string sent;
  const char* heard;
};

// GET on stream 1, answered with "hello", as the rows see it.
const FieldList kGetFields{
    {":method", "GET"}, {":scheme", "http"}, {":path", "/"}, {":authority", "a"}};

std::string bytes(std::initializer_list<int> values) {
  std::string out;
  for (const int value : values) out += static_cast<char>(value);
  return out;
}

std::string setting(int id, std::uint32_t value) {
  return h2_settings({{id, value}});
}

// Post on stream 1 that is not ended, and never answered.
std::string open() {
  return h2_post(1);
}

const std::vector<Row>& rows() {
  static const std::string block = h2_block(kGetFields);
  static const std::vector<Row> kRows{
      // --- 4 and 5: frames and streams
      {"4.1", "unknown types are ignored", h2_frame(0x16, 0xff, 0, "x") + h2_ping(), "PING ACK\n"},
      {"4.1", "undefined flags are ignored", h2_frame(6, 0x16, 0, std::string(8, 'x')),
       "PING ACK\n"},
      {"4.2", "a frame above the limit", h2_frame(0, 0, 1, std::string(16'385, 'x')),
       "GOAWAY 0 6\n"},
      {"4.2", "a large frame that is no part of a stream",
       h2_frame(6, 0, 0, std::string(16'385, 'x')), "GOAWAY 0 6\n"},
      {"4.3", "an index that does not exist", h2_frame(1, 5, 1, bytes({0xff, 0x80, 0x01})),
       "GOAWAY 1 9\n"},
      {"4.3", "a block that ends in the middle",
       h2_frame(1, 5, 1, block.substr(0, block.size() - 1)), "GOAWAY 1 9\n"},
      {"5.1", "DATA on an idle stream", h2_data(1, "x"), "GOAWAY 0 1\n"},
      {"5.1", "RST_STREAM on an idle stream", h2_reset(1), "GOAWAY 0 1\n"},
      {"5.1", "WINDOW_UPDATE on an idle stream", h2_window_update(1, 1), "GOAWAY 0 1\n"},
      {"5.1", "CONTINUATION on an idle stream", h2_frame(9, 4, 1, block), "GOAWAY 0 1\n"},
      {"5.1", "DATA after the end", h2_headers(1, kGetFields) + h2_data(1, "x"), "GOAWAY 1 5\n"},
      {"5.1", "HEADERS after the end", h2_headers(1, kGetFields) + h2_headers(1, kGetFields),
       "GOAWAY 1 5\n"},
      {"5.1", "CONTINUATION after the end", h2_headers(1, kGetFields) + h2_frame(9, 4, 1, ""),
       "GOAWAY 1 1\n"},
      {"5.1", "DATA after a reset", open() + h2_reset(1) + h2_data(1, "x"), "GOAWAY 1 5\n"},
      {"5.1", "HEADERS after a reset", open() + h2_reset(1) + h2_headers(1, kGetFields),
       "GOAWAY 1 5\n"},
      {"5.1", "WINDOW_UPDATE after a reset",
       open() + h2_reset(1) + h2_window_update(1, 1) + h2_ping(), "PING ACK\n"},
      {"5.1", "PRIORITY in any state",
       open() + h2_reset(1) + h2_frame(2, 0, 1, h2_number(0, 4) + "x") +
           h2_frame(2, 0, 7, h2_number(0, 4) + "x") + h2_ping(),
       "PING ACK\n"},
      {"5.1.1", "an even stream", h2_headers(2, kGetFields), "GOAWAY 0 1\n"},
      {"5.1.1", "a lower stream", h2_headers(5, kGetFields) + h2_headers(3, kGetFields),
       "GOAWAY 5 1\n"},
      // --- 6: the types
      {"6.1", "DATA on stream 0", h2_data(0, "x"), "GOAWAY 0 1\n"},
      {"6.1", "padding as long as the frame", open() + h2_frame(0, kPadded, 1, "\5abc"),
       "GOAWAY 1 1\n"},
      {"6.2", "HEADERS on stream 0", h2_headers(0, kGetFields), "GOAWAY 0 1\n"},
      {"6.2", "padding as long as the frame", h2_frame(1, kEndHeaders | kPadded, 1, '\xff' + block),
       "GOAWAY 0 1\n"},
      {"6.1", "padding that leaves no room for itself", open() + h2_frame(0, kPadded, 1, "\4abc"),
       "GOAWAY 1 1\n"},
      {"6.1", "nothing but padding", open() + h2_frame(0, kPadded, 1, "\3abc") + h2_ping(),
       "PING ACK\n"},
      // Section 4.2 would have FRAME_SIZE_ERROR; nghttp2 has this.
      {"6.1", "padding of which not even the length is there", open() + h2_frame(0, kPadded, 1, ""),
       "GOAWAY 1 1\n"},
      {"6.2", "padding that leaves no room for itself",
       h2_frame(1, kEndHeaders | kPadded, 1, static_cast<char>(block.size() + 1) + block),
       "GOAWAY 0 1\n"},
      {"6.3", "PRIORITY on stream 0", h2_frame(2, 0, 0, h2_number(1, 4) + "x"), "GOAWAY 0 1\n"},
      {"4.2", "a frame of 16 MiB, of which the head is here",
       open() + bytes({0xff, 0xff, 0xff, 0, 0, 0, 0, 0, 1}), "GOAWAY 1 6\n"},
      {"4.2", "a header block of 16 MiB, of which the head is here",
       bytes({0xff, 0xff, 0xff, 1, 4, 0, 0, 0, 1}), "GOAWAY 0 6\n"},
      {"5.1.1", "the last stream there is, again",
       h2_headers(0x7fffffff, kGetFields) + h2_headers(0x7fffffff, kGetFields),
       "GOAWAY 2147483647 5\n"},
      {"5.1.1", "a stream behind the last there is",
       h2_headers(0x7fffffff, kGetFields) + h2_headers(1, kGetFields), "GOAWAY 2147483647 1\n"},
      {"5.1.1", "the last stream there is", h2_headers(0x7fffffff, kGetFields) + h2_ping(),
       "PING ACK\n"},
      {"6.3", "PRIORITY of another size", h2_frame(2, 0, 1, "xxxx"), "GOAWAY 0 6\n"},
      {"6.4", "RST_STREAM on stream 0", h2_reset(0), "GOAWAY 0 1\n"},
      {"6.4", "RST_STREAM of another size", open() + h2_frame(3, 0, 1, "xxx"), "GOAWAY 1 6\n"},
      {"6.5", "SETTINGS on a stream", h2_frame(4, 0, 1, ""), "GOAWAY 0 1\n"},
      {"6.5", "an ACK with something in it", h2_frame(4, kAck, 0, "xxxxxx"), "GOAWAY 0 6\n"},
      {"6.5", "SETTINGS of another size", h2_frame(4, 0, 0, "xxxxx"), "GOAWAY 0 6\n"},
      {"6.5.2", "ENABLE_PUSH that is neither 0 nor 1", setting(2, 2), "GOAWAY 0 1\n"},
      {"6.5.2", "a window above the limit", setting(4, 0x80000000), "GOAWAY 0 3\n"},
      {"6.5.2", "MAX_FRAME_SIZE below the least", setting(5, 16'383), "GOAWAY 0 1\n"},
      {"6.5.2", "MAX_FRAME_SIZE above the most", setting(5, 1 << 24), "GOAWAY 0 1\n"},
      {"6.5.2", "settings that nobody knows", setting(0xff, 1) + h2_ping(), "PING ACK\n"},
      {"6.6", "PUSH_PROMISE from a client", h2_frame(5, kEndHeaders, 1, h2_number(2, 4) + block),
       "GOAWAY 0 1\n"},
      {"6.7", "PING on a stream", h2_frame(6, 0, 1, "12345678"), "GOAWAY 0 1\n"},
      {"6.7", "PING of another size", h2_frame(6, 0, 0, "1234567"), "GOAWAY 0 6\n"},
      {"6.7", "an answer to no PING", h2_ping(true) + h2_ping(), "PING ACK\n"},
      {"6.8", "GOAWAY on a stream", h2_frame(7, 0, 1, h2_number(0, 4) + h2_number(0, 4)),
       "GOAWAY 0 1\n"},
      {"6.9", "WINDOW_UPDATE of 0 for the connection", h2_window_update(0, 0), "GOAWAY 0 1\n"},
      {"6.9", "WINDOW_UPDATE of 0 for a stream", open() + h2_window_update(1, 0), "GOAWAY 1 1\n"},
      {"6.9", "WINDOW_UPDATE of another size", h2_frame(8, 0, 0, "xxx"), "GOAWAY 0 6\n"},
      {"6.9.1", "a window of the connection above 2^31-1", h2_window_update(0, 0x7fffffff),
       "GOAWAY 0 3\n"},
      {"6.9.1", "a window of a stream above 2^31-1", open() + h2_window_update(1, 0x7fffffff),
       "1 RST_STREAM 3\n"},
      {"6.10", "CONTINUATION without HEADERS", open() + h2_frame(9, 4, 1, block), "GOAWAY 1 1\n"},
      {"6.10", "CONTINUATION on stream 0", h2_frame(1, 0, 1, "") + h2_frame(9, 4, 0, ""),
       "GOAWAY 1 1\n"},
      {"6.10", "CONTINUATION of another stream", h2_frame(1, 0, 1, "") + h2_frame(9, 4, 3, ""),
       "GOAWAY 1 1\n"},
      {"6.10", "another frame inside of a block", h2_frame(1, 0, 1, "") + h2_ping(),
       "GOAWAY 1 1\n"},
      // --- RFC 7541
      {"HPACK 6.1", "index 0", h2_frame(1, 5, 1, bytes({0x80})), "GOAWAY 1 9\n"},
      {"HPACK 6.3", "a table above its limit", h2_frame(1, 5, 1, bytes({0x3f, 0xe2, 0x1f}) + block),
       "GOAWAY 1 9\n"},
      {"HPACK 6.3", "a table of 2 GiB",
       h2_frame(1, 5, 1, bytes({0x3f, 0xe0, 0xff, 0xff, 0xff, 0x07}) + block), "GOAWAY 1 9\n"},
      {"HPACK 5.1", "a number of more bits than there are",
       h2_frame(1, 5, 1, '\x3f' + std::string(12, '\xff') + block), "GOAWAY 1 9\n"},
      {"6.5.2", "a table of the client of 4 GiB",
       setting(1, 0xffffffff) + h2_headers(1, kGetFields) + h2_ping(), "PING ACK\n"},
      {"HPACK 4.2", "a change of size at the end of a block",
       h2_frame(1, 5, 1, block + bytes({0x20})), "GOAWAY 1 9\n"},
      {"HPACK 5.2", "Huffman padding of eight bits",
       h2_frame(1, 5, 1, bytes({0x82, 0x87, 0x84, 0x41, 0x82, 0x1f, 0xff})), "GOAWAY 1 9\n"},
      {"HPACK 5.2", "Huffman's end of string inside",
       h2_frame(1, 5, 1, bytes({0x82, 0x87, 0x84, 0x41, 0x84, 0xff, 0xff, 0xff, 0xff})),
       "GOAWAY 1 9\n"},
  };
  return kRows;
}

class H2ConformanceTest : public H2Fixture {
 protected:
  // What is heard beside the answers to good requests.
  std::string heard(const std::string& bytes_sent, bool byte_by_byte) {
    make_session();
    script_.act = [](const Request& request, Scripted& one) {
      if (request.method == "GET") one.answer("hello");
    };
    hello();
    std::string lines;
    if (byte_by_byte) {
      for (const char byte : bytes_sent) lines += send(std::string(1, byte));
    } else {
      lines = send(bytes_sent);
    }
    std::string kept;
    for (std::size_t at = 0; at < lines.size();) {
      const std::size_t end = lines.find('\n', at) + 1;
      const std::string line = lines.substr(at, end - at);
      if (line.find(" HEADERS ") == std::string::npos && line.find(" DATA ") == std::string::npos) {
        kept += line;
      }
      at = end;
    }
    return kept;
  }
};

TEST_F(H2ConformanceTest, EachRule) {
  for (const Row& row : rows()) {
    EXPECT_EQ(heard(row.sent, false), row.heard) << row.section << ": " << row.rule;
  }
}

TEST_F(H2ConformanceTest, EachRuleByteByByte) {
  for (const Row& row : rows()) {
    EXPECT_EQ(heard(row.sent, true), row.heard) << row.section << ": " << row.rule;
  }
}

TEST_F(H2ConformanceTest, AWindowMayBecomeNegative) {
  script_.act = [](const Request&, Scripted& one) { one.answer("0123456789"); };
  hello({{4, 5}});
  EXPECT_EQ(send(h2_headers(1, kGetFields)), head(1, " content-length=10") + "1 DATA 5 01234\n");
  EXPECT_EQ(send(setting(4, 0)), "");  // Now at -5.
  EXPECT_EQ(send(h2_window_update(1, 5)), "");
  EXPECT_EQ(send(h2_window_update(1, 2)), "1 DATA 2 56\n");
  EXPECT_EQ(send(setting(4, 100)), "1 DATA 3 END 789\n");
}

TEST_F(H2ConformanceTest, TheFirstFrameIsSettings) {
  EXPECT_EQ(send("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + h2_ping()), "GOAWAY 0 1\n");
}

TEST_F(H2ConformanceTest, PaddingIsNoBodyAndIsCredited) {
  script_.act = [](const Request&, Scripted& one) {
    one.on_read = [&one] { one.answer(one.body); };
    one.read();
  };
  hello();
  EXPECT_EQ(send(open() + h2_frame(0, kPadded | kEndStream, 1, "\3abc" + std::string(3, 0))),
            head(1, " content-length=3") + "1 DATA 3 END abc\n");
}

}  // namespace
}  // namespace tercel::http
