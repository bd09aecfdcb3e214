#include "tercel/server/output_queue.h"

#include <cstring>
#include <string>

#include <gtest/gtest.h>

#include "support/memory_stream.h"

namespace tercel::server {
namespace {

using http::FileRange;
using http::Payload;
using net::IoState;
using test::MemoryStream;

class OutputQueueTest : public testing::Test {
 protected:
  [[nodiscard]] Block block_of(std::string_view text) {
    Block block = blocks_.take(text.size());
    std::memcpy(block.data(), text.data(), text.size());
    return block;
  }
  [[nodiscard]] Payload owned(const std::string& text) {
    return Payload::own(text, &released_,
                        [](void* owner) noexcept { ++*static_cast<int*>(owner); });
  }

  BlockPool blocks_;
  Slab<Segment> segments_;
  MemoryStream stream_;
  int released_ = 0;
};

TEST_F(OutputQueueTest, PiecesLeaveInOrderAndInOneCall) {
  OutputQueue queue{segments_};
  const std::string large(OutputQueue::kCopyBytesMax + 1, 'b');
  ASSERT_TRUE(queue.push(block_of("aa"), 2));
  ASSERT_TRUE(queue.push(owned(large), blocks_));
  ASSERT_TRUE(queue.push(Payload::borrow("cc"), blocks_));
  EXPECT_EQ(queue.bytes(), large.size() + 4);
  EXPECT_EQ(queue.pieces(), 3U);
  EXPECT_EQ(queue.flush(stream_), IoState::kDone);
  EXPECT_EQ(stream_.sent, "aa" + large + "cc");
  EXPECT_EQ(stream_.writes, 1);
  EXPECT_EQ(released_, 1);
  EXPECT_TRUE(queue.empty());
  EXPECT_EQ(queue.pieces(), 0U);
  EXPECT_EQ(segments_.alive(), 0U);
}

TEST_F(OutputQueueTest, EveryPartialWriteGoesOnWhereItStopped) {
  const std::string large(OutputQueue::kCopyBytesMax + 1, 'b');
  stream_.file = "0123456789";
  const std::string want = "aa" + large + "cc234567dd";
  for (std::size_t first = 0; first <= want.size(); ++first) {
    OutputQueue queue{segments_};
    ASSERT_TRUE(queue.push(block_of("aa"), 2));
    ASSERT_TRUE(queue.push(owned(large), blocks_));
    ASSERT_TRUE(queue.push(Payload::borrow("cc"), blocks_));
    ASSERT_TRUE(queue.push(FileRange{.file = 3, .offset = 2, .count = 6}));
    ASSERT_TRUE(queue.push(Payload::borrow("dd"), blocks_));
    stream_.sent.clear();
    stream_.room = first;
    EXPECT_EQ(queue.flush(stream_), first < want.size() ? IoState::kAgain : IoState::kDone);
    EXPECT_EQ(queue.bytes(), want.size() - first);
    EXPECT_EQ(queue.sent_bytes(), first);
    stream_.room = SIZE_MAX;
    EXPECT_EQ(queue.flush(stream_), IoState::kDone);
    EXPECT_EQ(stream_.sent, want) << "first part " << first;
  }
}

TEST_F(OutputQueueTest, SmallOwnedBytesAreCopiedAndReleasedAtOnce) {
  OutputQueue queue{segments_};
  ASSERT_TRUE(queue.push(owned("small"), blocks_));
  EXPECT_EQ(released_, 1);
  ASSERT_TRUE(queue.push(Payload::borrow(" and"), blocks_));
  ASSERT_TRUE(queue.push(Payload::borrow(" more"), blocks_));
  EXPECT_EQ(segments_.alive(), 1U);  // One block for all of them.
  EXPECT_EQ(queue.flush(stream_), IoState::kDone);
  EXPECT_EQ(stream_.sent, "small and more");
}

TEST_F(OutputQueueTest, WhatIsNeverSentIsReleasedWithTheQueue) {
  const std::string large(OutputQueue::kCopyBytesMax + 1, 'b');
  {
    OutputQueue queue{segments_};
    ASSERT_TRUE(queue.push(owned(large), blocks_));
    stream_.broken = true;
    EXPECT_EQ(queue.flush(stream_), IoState::kFailed);
    EXPECT_EQ(released_, 0);
  }
  EXPECT_EQ(released_, 1);
  EXPECT_EQ(blocks_.outstanding(), 0U);
}

TEST_F(OutputQueueTest, AFileThatShrankIsAFailureNotPadding) {
  OutputQueue queue{segments_};
  stream_.file = "0123";
  ASSERT_TRUE(queue.push(FileRange{.file = 3, .offset = 2, .count = 6}));
  EXPECT_EQ(queue.flush(stream_), IoState::kFailed);
  EXPECT_EQ(stream_.sent, "23");
}

TEST_F(OutputQueueTest, EmptyPiecesAreSkipped) {
  OutputQueue queue{segments_};
  ASSERT_TRUE(queue.push(Payload::borrow(""), blocks_));
  ASSERT_TRUE(queue.push(FileRange{.file = 3, .offset = 0, .count = 0}));
  ASSERT_TRUE(queue.push(Payload::borrow("x"), blocks_));
  EXPECT_EQ(queue.flush(stream_), IoState::kDone);
  EXPECT_EQ(stream_.sent, "x");
}

}  // namespace
}  // namespace tercel::server
