#include "tercel/base/log.h"

#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

namespace tercel {
namespace {

struct RecordingSink final : LogSink {
  void log(LogLevel level, std::string_view text) noexcept override {
    lines.emplace_back(level, text);
  }
  std::vector<std::pair<LogLevel, std::string>> lines;
};

TEST(LogTest, TheInstalledSinkGetsEveryLine) {
  RecordingSink sink;
  LogSink* const before = set_log_sink(&sink);
  log(LogLevel::kDebug, "one");
  log(LogLevel::kError, "two");
  EXPECT_EQ(set_log_sink(before), &sink);
  const std::vector<std::pair<LogLevel, std::string>> expected{{LogLevel::kDebug, "one"},
                                                               {LogLevel::kError, "two"}};
  EXPECT_EQ(sink.lines, expected);
}

TEST(LogTest, WithoutASinkWarningsAndErrorsGoToStandardError) {
  testing::internal::CaptureStderr();
  log(LogLevel::kDebug, "unseen");
  log(LogLevel::kInfo, "unseen");
  log(LogLevel::kWarning, "mind");
  log(LogLevel::kError, "broken");
  EXPECT_EQ(testing::internal::GetCapturedStderr(),
            "tercel: warning: mind\ntercel: error: broken\n");
}

std::string escaped(std::string_view bytes, std::size_t room = 1000) {
  std::string into(room, '#');
  return std::string{escape_for_log(bytes, into)};
}

TEST(EscapeForLogTest, PrintableAsciiStays) {
  EXPECT_EQ(escaped("GET /a?b=c HTTP/1.1 'x' ~"), "GET /a?b=c HTTP/1.1 'x' ~");
  EXPECT_EQ(escaped(""), "");
}

TEST(EscapeForLogTest, NothingCanEndTheLineOrItsQuotesOrDriveATerminal) {
  EXPECT_EQ(escaped("a\r\nb"), "a\\x0d\\x0ab");
  EXPECT_EQ(escaped("\x1b[2J"), "\\x1b[2J");
  EXPECT_EQ(escaped("\"\\"), "\\x22\\x5c");
  EXPECT_EQ(escaped(std::string_view("\0\x7f\x80\xff", 4)), "\\x00\\x7f\\x80\\xff");
}

TEST(EscapeForLogTest, EveryByteCanBeToldFromEveryOther) {
  std::vector<std::string> seen;
  for (int value = 0; value < 256; ++value) {
    const char byte = static_cast<char>(value);
    const std::string text = escaped({&byte, 1});
    for (const char c : text) EXPECT_TRUE(c >= ' ' && c <= '~');
    seen.push_back(text);
  }
  std::sort(seen.begin(), seen.end());
  EXPECT_EQ(std::adjacent_find(seen.begin(), seen.end()), seen.end());
}

// Every room, so every place of the cut: never beyond the room, never inside an escape.
TEST(EscapeForLogTest, WhatDoesNotFitIsCutAtAWholeByteAndMarked) {
  const std::string_view bytes = "ab\ncd\n\nef\"gh";
  const std::string all = escaped(bytes);
  for (std::size_t room = 3; room <= all.size() + 2; ++room) {
    const std::string text = escaped(bytes, room);
    EXPECT_LE(text.size(), room);
    if (room >= all.size()) {
      EXPECT_EQ(text, all);
      continue;
    }
    ASSERT_TRUE(text.ends_with("...")) << text;
    const std::string kept = text.substr(0, text.size() - 3);
    EXPECT_TRUE(all.starts_with(kept));
    bool whole = false;
    for (std::size_t n = 0; n <= bytes.size(); ++n) whole |= kept == escaped(bytes.substr(0, n));
    EXPECT_TRUE(whole) << text;
  }
}

TEST(EscapeForLogTest, TheStatedRoomIsEnough) {
  const std::string bytes(100, '\n');
  EXPECT_EQ(escaped(bytes, 4 * bytes.size()).size(), 400U);
}

}  // namespace
}  // namespace tercel
