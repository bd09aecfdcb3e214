#include "tercel/http/websocket_close.h"

#include <array>
#include <string>

#include <gtest/gtest.h>

namespace tercel::http {
namespace {

std::string payload_of(unsigned code, std::string_view reason = {}) {
  return std::string{static_cast<char>(code >> 8), static_cast<char>(code & 255)} +
         std::string{reason};
}

// Source: RFC 6455 section 7.4, and the registry of IANA for 1012 to 1014.
TEST(WebSocketCloseTest, TakesTheCodesThatMayBeSentAndNoOther) {
  for (unsigned code = 0; code < 65'536; ++code) {
    const bool registered = (code >= 1000 && code <= 1003) || (code >= 1007 && code <= 1014);
    const bool sendable = registered || (code >= 3000 && code < 5000);
    const ParsedClose parsed = parse_close(payload_of(code));
    ASSERT_EQ(parsed.verdict, sendable ? CloseCode::kNormal : CloseCode::kProtocolError) << code;
    if (sendable) {
      ASSERT_EQ(static_cast<unsigned>(parsed.closing.code), code);
    }
  }
}

TEST(WebSocketCloseTest, ReadsTheReason) {
  EXPECT_EQ(parse_close("").closing.code, CloseCode::kNoCode);
  EXPECT_EQ(parse_close("\x03").verdict, CloseCode::kProtocolError);
  EXPECT_EQ(parse_close(payload_of(1000, "bye")).closing.reason, "bye");
  EXPECT_EQ(parse_close(payload_of(1000, "\xC3\xA9")).closing.reason, "\xC3\xA9");
  EXPECT_EQ(parse_close(payload_of(1000, "\xC3")).verdict, CloseCode::kBadData);
  EXPECT_EQ(parse_close(payload_of(1000, "\xFF")).verdict, CloseCode::kBadData);
}

TEST(WebSocketCloseTest, WritesWhatItReads) {
  std::array<char, kControlBytesMax> out;
  EXPECT_EQ(write_close(out.data(), {}), 0U);
  const std::string reason(kCloseReasonBytesMax, 'r');
  const std::size_t size = write_close(out.data(), {.code = CloseCode::kTooBig, .reason = reason});
  ASSERT_EQ(size, kControlBytesMax);
  const ParsedClose parsed = parse_close({out.data(), size});
  EXPECT_EQ(parsed.closing.code, CloseCode::kTooBig);
  EXPECT_EQ(parsed.closing.reason, reason);
}

TEST(WebSocketCloseTest, CutsAReasonBetweenCharacters) {
  EXPECT_EQ(fitting_reason("short"), "short");
  EXPECT_EQ(fitting_reason(std::string(200, 'a')).size(), kCloseReasonBytesMax);
  const std::string euros = [] {
    std::string text;
    for (int i = 0; i < 60; ++i) text += "\xE2\x82\xAC";
    return text;
  }();
  EXPECT_EQ(fitting_reason(euros).size(), 123U);
  EXPECT_EQ(fitting_reason("a" + euros).size(), 121U);
}

}  // namespace
}  // namespace tercel::http
