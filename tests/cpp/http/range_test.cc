#include "tercel/http/range.h"

#include <array>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

namespace tercel::http {
namespace {

// "0-4,7-9", "whole" or "unsatisfiable".
std::string read(std::string_view value, std::uint64_t size) {
  ByteRanges ranges;
  switch (parse_range(value, size, ranges)) {
    case RangeVerdict::kWhole:
      EXPECT_TRUE(ranges.all().empty())
          << value;  // Found by fuzzing: what was good before a bad one.
      return "whole";
    case RangeVerdict::kUnsatisfiable:
      EXPECT_TRUE(ranges.all().empty()) << value;
      return "unsatisfiable";
    case RangeVerdict::kPartial:
      break;
  }
  std::string all;
  for (const ByteRange& range : ranges.all()) {
    all +=
        (all.empty() ? "" : ",") + std::to_string(range.first) + '-' + std::to_string(range.last);
  }
  return all;
}

TEST(RangeTest, IsFromToOpenOrASuffix) {
  EXPECT_EQ(read("bytes=0-499", 10000), "0-499");
  EXPECT_EQ(read("bytes=500-999", 10000), "500-999");
  EXPECT_EQ(read("bytes=-500", 10000), "9500-9999");
  EXPECT_EQ(read("bytes=9500-", 10000), "9500-9999");
  EXPECT_EQ(read("bytes=0-0,-1", 10000), "0-0,9999-9999");
  EXPECT_EQ(read("bytes= 0-999, 4500-5499, -1000", 10000), "0-999,4500-5499,9000-9999");
  EXPECT_EQ(read("BYTES=007-0008", 10), "7-8");
  EXPECT_EQ(read("bytes=,,0-0,\t,", 10), "0-0");
}

TEST(RangeTest, IsCutAtTheEnd) {
  EXPECT_EQ(read("bytes=5-100", 10), "5-9");
  EXPECT_EQ(read("bytes=-100", 10), "0-9");
  EXPECT_EQ(read("bytes=9-9", 10), "9-9");
  EXPECT_EQ(read("bytes=5-18446744073709551615", 10), "5-9");
  EXPECT_EQ(read("bytes=5-18446744073709551616", 10), "5-9");
  EXPECT_EQ(read("bytes=-99999999999999999999999", 10), "0-9");
  EXPECT_EQ(read("bytes=0-", UINT64_MAX), "0-18446744073709551614");
}

TEST(RangeTest, IsUnsatisfiableBehindTheEnd) {
  for (std::string_view value :
       {"bytes=10-", "bytes=10-20", "bytes=-0", "bytes=99999999999999999999999-", "bytes=-0,10-",
        "bytes=18446744073709551615-", "bytes=18446744073709551616-18446744073709551617",
        "bytes=18446744073709551616-18446744073709551615"}) {
    EXPECT_EQ(read(value, 10), "unsatisfiable") << value;
  }
  EXPECT_EQ(read("bytes=10-,3-4,-0", 10), "3-4");
}

TEST(RangeTest, OfNothing) {
  EXPECT_EQ(read("bytes=0-", 0), "unsatisfiable");
  EXPECT_EQ(read("bytes=-0", 0), "unsatisfiable");
  EXPECT_EQ(read("bytes=-1", 0), "whole");
  EXPECT_EQ(read("bytes=-1,0-,-0", 0), "whole");
}

TEST(RangeTest, IsIgnoredWhenMalformed) {
  for (std::string_view value :
       {"",          "bytes",         "bytes=",      "bytes=,",    "bytes=-",     "bytes=1",
        "bytes=a-b", "bytes=5-4",     "bytes=0x1-2", "bytes=+1-2", "bytes=1 - 2", "bytes=1-2-3",
        "bytes=--1", "bytes=1-2;3-4", "bytes =1-2",  "items=0-5",  "bytes=0-1,x", "bytes=0-1,5-4",
        "0-5",       "bytes=0-5 6"}) {
    EXPECT_EQ(read(value, 10), "whole") << value;
  }
}

TEST(RangeTest, AreOrderedAndJoined) {
  EXPECT_EQ(read("bytes=6-7,0-1,3-4", 10), "0-1,3-4,6-7");
  EXPECT_EQ(read("bytes=0-1,2-3", 10), "0-3");
  EXPECT_EQ(read("bytes=2-3,0-1", 10), "0-3");
  EXPECT_EQ(read("bytes=0-1,3-4,6-7,1-6", 10), "0-7");
  EXPECT_EQ(read("bytes=0-,0-,0-,0-", 10), "0-9");
  EXPECT_EQ(read("bytes=0-0,-3,8-", 10), "0-0,7-9");
}

TEST(RangeTest, MayBeSoManyAndNoMore) {
  std::string value = "bytes=";
  for (std::size_t i = 0; i < kRangesMax; ++i) value += std::to_string(100 - 2 * i) + "-,";
  EXPECT_EQ(read(value, 1000), "86-999");
  EXPECT_EQ(read(value + "-0", 1000), "whole");
  // Those that overlap or cannot be satisfied count as well.
  std::string same = "bytes=5-5";
  for (std::size_t i = 0; i < kRangesMax; ++i) same += ",5-5";
  EXPECT_EQ(read(same, 1000), "whole");
}

// The bytes asked for, one by one, against the bytes answered.
TEST(RangeTest, AnswersEachByteAskedForOnce) {
  std::mt19937 random{20261126};
  for (int round = 0; round < 20000; ++round) {
    const std::uint64_t size = 1 + random() % 24;
    std::vector<bool> wanted(size);
    std::string value = "bytes=";
    for (std::size_t specs = 1 + random() % kRangesMax; specs > 0; --specs) {
      const std::uint64_t first = random() % 26;
      const std::uint64_t last = first + random() % 10;
      const auto kind = random() % 3;
      if (kind == 0) value += std::to_string(first) + '-' + std::to_string(last) + ',';
      if (kind == 1) value += std::to_string(first) + "-,";
      if (kind == 2) value += '-' + std::to_string(first) + ',';
      for (std::uint64_t at = 0; at < size; ++at) {
        const bool is_wanted = kind == 0   ? at >= first && at <= last
                               : kind == 1 ? at >= first
                                           : at + first >= size;
        if (is_wanted) wanted[at] = true;
      }
    }
    ByteRanges ranges;
    const RangeVerdict verdict = parse_range(value, size, ranges);
    std::vector<bool> answered(size);
    std::uint64_t next = 0;
    for (const ByteRange& range : ranges.all()) {
      ASSERT_GE(range.first, next) << value;
      ASSERT_LT(range.last, size) << value;
      ASSERT_EQ(range.bytes(), range.last - range.first + 1);
      for (std::uint64_t at = range.first; at <= range.last; ++at) answered[at] = true;
      next = range.last + 2;  // What touches is joined.
    }
    ASSERT_EQ(answered, wanted) << value << " of " << size;
    ASSERT_EQ(verdict == RangeVerdict::kPartial, !ranges.all().empty()) << value;
    ASSERT_NE(verdict, RangeVerdict::kWhole) << value;
  }
}

TEST(ContentRangeTest, IsWritten) {
  std::array<char, kContentRangeBytesMax> out;
  const auto text = [&](char* end) { return std::string{out.data(), end}; };
  EXPECT_EQ(text(write_content_range(out.data(), {0, 499}, 1234)), "bytes 0-499/1234");
  EXPECT_EQ(text(write_unsatisfied_range(out.data(), 1234)), "bytes */1234");
  const std::string longest =
      text(write_content_range(out.data(), {UINT64_MAX - 1, UINT64_MAX - 1}, UINT64_MAX));
  EXPECT_EQ(longest.size(), kContentRangeBytesMax);
}

}  // namespace
}  // namespace tercel::http
