#include "tercel/http/multipart_ranges.h"

#include <string>

#include <gtest/gtest.h>

namespace tercel::http {
namespace {

constexpr std::array<std::uint64_t, 2> kRandom{0xfedcba9876543210, 1};
constexpr std::string_view kBoundary = "0123456789abcdef1000000000000000";

std::string body(MultipartRanges& frames, std::span<const ByteRange> ranges,
                 std::string_view whole) {
  std::string text;
  for (const ByteRange& range : ranges) {
    text += frames.before(range);
    text += whole.substr(range.first, range.bytes());
  }
  return text += frames.end();
}

TEST(MultipartRangesTest, FramesThePartsAndKnowsTheSizeOfAll) {
  constexpr std::string_view kWhole = "0123456789";
  const std::array<ByteRange, 2> ranges{{{0, 1}, {8, 9}}};
  MultipartRanges frames{"text/plain", kWhole.size(), kRandom};
  EXPECT_EQ(frames.content_type(), "multipart/byteranges; boundary=" + std::string{kBoundary});
  const std::string sent = body(frames, ranges, kWhole);
  EXPECT_EQ(sent, "\r\n--" + std::string{kBoundary} +
                      "\r\ncontent-type: text/plain\r\ncontent-range: bytes 0-1/10\r\n\r\n01"
                      "\r\n--" +
                      std::string{kBoundary} +
                      "\r\ncontent-type: text/plain\r\ncontent-range: bytes 8-9/10\r\n\r\n89"
                      "\r\n--" +
                      std::string{kBoundary} + "--\r\n");
  EXPECT_EQ(frames.bytes(ranges), sent.size());
}

TEST(MultipartRangesTest, ATypeThatIsUnknownOrEndlessIsLeftOut) {
  const ByteRange range{0, UINT64_MAX - 1};
  const std::string endless(MultipartRanges::kTypeBytesMax + 1, 't');
  for (const std::string_view type : {std::string_view{}, std::string_view{endless}}) {
    MultipartRanges frames{type, UINT64_MAX, kRandom};
    EXPECT_EQ(frames.before(range), "\r\n--" + std::string{kBoundary} +
                                        "\r\ncontent-range: bytes 0-18446744073709551614/"
                                        "18446744073709551615\r\n\r\n");
  }
  const std::string longest(MultipartRanges::kTypeBytesMax, 't');
  MultipartRanges frames{longest, UINT64_MAX, kRandom};
  EXPECT_NE(frames.before({UINT64_MAX - 1, UINT64_MAX - 1}).find(longest), std::string::npos);
}

}  // namespace
}  // namespace tercel::http
