#include "tercel/http/h2_frames.h"

#include <string>

#include <gtest/gtest.h>

#include "support/h2_client.h"

namespace tercel::http {
namespace {

using namespace test;
using Kind = H2Piece::Kind;

class H2FramesTest : public testing::Test {
 protected:
  H2FramesTest() { EXPECT_EQ(frames_.next(kH2Preface).kind, Kind::kPreface); }
  H2Frames frames_{20'000};
};

TEST(H2FramesPrefaceTest, IsOnePiece) {
  H2Frames frames{1000};
  EXPECT_EQ(frames.next(kH2Preface.substr(0, 23)).kind, Kind::kNeedMore);
  const H2Piece piece = frames.next(kH2Preface);
  EXPECT_EQ(piece.kind, Kind::kPreface);
  EXPECT_EQ(piece.bytes, kH2Preface.size());
}

TEST_F(H2FramesTest, DataIsFedAsItComes) {
  const std::string frame = h2_data(1, "hello");
  EXPECT_EQ(frames_.next(std::string_view{frame}.substr(0, 8)).kind, Kind::kNeedMore);
  const H2Piece first = frames_.next(std::string_view{frame}.substr(0, 11));
  EXPECT_EQ(first.kind, Kind::kFrame);
  EXPECT_EQ(first.bytes, 11U);
  EXPECT_EQ(first.head.length, 5U);
  EXPECT_EQ(first.head.stream, 1U);
  EXPECT_FALSE(frames_.between_frames());
  EXPECT_EQ(frames_.next({}).kind, Kind::kNeedMore);
  const H2Piece rest = frames_.next(std::string_view{"llo and more"});
  EXPECT_EQ(rest.kind, Kind::kRest);
  EXPECT_EQ(rest.bytes, 3U);
  EXPECT_TRUE(frames_.between_frames());
}

TEST_F(H2FramesTest, AHeaderBlockIsFedInOnePiece) {
  const std::string block =
      h2_frame(1, 0, 1, "abc") + h2_frame(9, 0, 1, "") + h2_frame(9, kEndHeaders, 1, "de");
  const std::string input = block + h2_ping();
  for (std::size_t size = 0; size < block.size(); ++size) {
    ASSERT_EQ(frames_.next(std::string_view{input}.substr(0, size)).kind, Kind::kNeedMore) << size;
  }
  EXPECT_EQ(frames_.next(input).bytes, block.size());
}

TEST_F(H2FramesTest, WhatInterruptsAHeaderBlockIsFedToBeRefused) {
  for (const std::string& other :
       {h2_ping(), h2_frame(9, kEndHeaders, 3, "x"), h2_frame(1, kEndHeaders, 1, "x")}) {
    H2Frames frames{1000};
    (void)frames.next(kH2Preface);
    const H2Piece piece = frames.next(h2_frame(1, 0, 1, "abc") + other);
    EXPECT_EQ(piece.kind, Kind::kFrame);
    EXPECT_EQ(piece.bytes, 9U + 3U + 9U);
  }
}

TEST_F(H2FramesTest, FramesAndBytesOfABlockAreCounted) {
  std::string block = h2_frame(1, 0, 1, "");
  for (int i = 0; i < 8; ++i) block += h2_frame(9, 0, 1, "");
  EXPECT_EQ(frames_.next(std::string_view{block}.substr(0, block.size() - 9)).kind,
            Kind::kNeedMore);
  EXPECT_EQ(frames_.next(block).kind, Kind::kFlood);
  const std::string part(16'384, 'x');
  EXPECT_EQ(frames_.next(h2_frame(1, 0, 1, part)).kind, Kind::kNeedMore);
  EXPECT_EQ(frames_.next(h2_frame(1, 0, 1, part) + h2_frame(9, 0, 1, part)).kind, Kind::kFlood);
}

TEST_F(H2FramesTest, AFrameThatIsTooLongIsFedForItsHead) {
  const std::string frame = h2_frame(0, 0, 1, std::string(16'385, 'x'));
  EXPECT_EQ(frames_.next(frame).bytes, 9U);
}

TEST_F(H2FramesTest, TheReservedBitOfAStreamIsIgnored) {
  EXPECT_EQ(frames_.next(h2_data(0x80000003, "")).head.stream, 3U);
}

}  // namespace
}  // namespace tercel::http
