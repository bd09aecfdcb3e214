#include "tercel/edge/log_line.h"

#include <array>
#include <string>

#include <gtest/gtest.h>

namespace tercel::edge {
namespace {

std::string escaped(std::string_view text, Escape escape) {
  std::string room(escaped_room(text.size()), '!');
  LogLine line{room};
  line.put_escaped(text, escape);
  EXPECT_LE(line.size(), room.size());
  return std::string{line.text()};
}

TEST(LogLineTest, NumbersAreDecimal) {
  std::array<char, 100> room{};
  LogLine line{room};
  line.put_number(0);
  line.put(' ');
  line.put_number(UINT64_MAX);
  line.put(" ");
  line.put_decimal(1500, 3);
  line.put(' ');
  line.put_decimal(7, 6);
  line.put(' ');
  line.put_decimal(0, 3);
  EXPECT_EQ(line.text(), "0 18446744073709551615 1.500 0.000007 0.000");
}

TEST(LogLineTest, PrintableTextStays) {
  EXPECT_EQ(escaped("GET /a?b=c%20d HTTP/1.1", Escape::kText), "GET /a?b=c%20d HTTP/1.1");
  EXPECT_EQ(escaped("GET /a", Escape::kJson), "\"GET /a\"");
  EXPECT_EQ(escaped("", Escape::kText), "");
  EXPECT_EQ(escaped("", Escape::kJson), "\"\"");
}

// The injection of one log line into another: uvicorn's CVE-2020-7694, and terminals that obey
// what a log shows them.
TEST(LogLineTest, NoInputEndsTheLineOrItsQuotes) {
  EXPECT_EQ(escaped("a\r\nb\"c\\d\x1b[2J", Escape::kText), "a\\x0d\\x0ab\\\"c\\\\d\\x1b[2J");
  EXPECT_EQ(escaped("a\r\nb\"c\\d\x1b[2J", Escape::kJson),
            "\"a\\u000d\\u000ab\\\"c\\\\d\\u001b[2J\"");
}

TEST(LogLineTest, EveryByteIsPrintableAsciiAfterwards) {
  for (const Escape escape : {Escape::kText, Escape::kJson}) {
    for (int byte = 0; byte < 256; ++byte) {
      for (const char c : escaped(std::string(1, static_cast<char>(byte)), escape)) {
        EXPECT_TRUE(c >= ' ' && c <= '~') << byte;
      }
    }
  }
}

TEST(LogLineTest, ByteByByteIsTheSameAsWhole) {
  std::string all;
  std::string pieces;
  for (int byte = 0; byte < 256; ++byte) {
    all += static_cast<char>(byte);
    pieces += escaped(all.substr(all.size() - 1), Escape::kText);
  }
  EXPECT_EQ(escaped(all, Escape::kText), pieces);
}

std::string as_utf8(std::string_view text) {
  std::string room(escaped_room(text.size()), '!');
  LogLine line{room};
  line.put_utf8(text);
  EXPECT_LE(line.size(), room.size());
  return std::string{line.text()};
}

TEST(LogLineTest, Utf8IsAsciiJsonOfTheSameCharacters) {
  EXPECT_EQ(as_utf8(""), R"("")");
  EXPECT_EQ(as_utf8("a b/\"c\\"), R"("a b/\"c\\")");
  EXPECT_EQ(as_utf8("\r\n\t\x7f"), R"("\u000d\u000a\u0009\u007f")");
  EXPECT_EQ(as_utf8("\xc3\xbc\xe2\x82\xac"), R"("\u00fc\u20ac")");
  EXPECT_EQ(as_utf8("\xf0\x9f\xa6\x89!"), R"("\ud83e\udd89!")");
  // What some readers take for the end of a line.
  EXPECT_EQ(as_utf8("\xe2\x80\xa8\xc2\x85"), R"("\u2028\u0085")");
}

TEST(LogLineTest, WhatIsNoUtf8IsReplacedByteByByte) {
  EXPECT_EQ(as_utf8("a\xff"
                    "b"),
            R"("a\ufffdb")");
  EXPECT_EQ(as_utf8("\xc3"), R"("\ufffd")");
  EXPECT_EQ(as_utf8("\xc0\x80"), R"("\ufffd\ufffd")");            // Overlong.
  EXPECT_EQ(as_utf8("\xed\xa0\x80"), R"("\ufffd\ufffd\ufffd")");  // A surrogate.
  EXPECT_EQ(as_utf8("\xf4\x90\x80\x80z"), R"("\ufffd\ufffd\ufffd\ufffdz")");
}

}  // namespace
}  // namespace tercel::edge
