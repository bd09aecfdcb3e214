#include "tercel/server/output_queue.h"

#include <cstring>
#include <string>

#include <gtest/gtest.h>

#include "support/memory_stream.h"
#include "tercel/base/clock.h"
#include "tercel/net/pipe_pool.h"

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

  [[nodiscard]] Pipe pipe_of(std::string_view text) {
    Pipe pipe = pipes_.take();
    EXPECT_EQ(::write(pipe.write_end(), text.data(), text.size()),
              static_cast<ssize_t>(text.size()));
    pipe.filled(text.size());
    return pipe;
  }

  BlockPool blocks_;
  SteadyClock clock_;
  net::TimerWheel timers_;
  net::PipePool pipes_{clock_, timers_, net::system_calls()};
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

// Wherever the socket stops: behind each byte of the queue, of a pipe in it, or of what is behind.
TEST_F(OutputQueueTest, BorrowedBytesGoBehindWhatIsQueuedFromWhereTheyAre) {
  const std::string want = "aapipeccborrowed";
  for (std::size_t first = 0; first <= want.size(); ++first) {
    OutputQueue queue{segments_};
    ASSERT_TRUE(queue.push(block_of("aa"), 2));
    ASSERT_TRUE(queue.push(pipe_of("pipe"), 4));
    ASSERT_TRUE(queue.push(Payload::borrow("cc"), blocks_));
    EXPECT_EQ(queue.pieces(), 3U);
    EXPECT_EQ(queue.files(), 1U);
    EXPECT_EQ(queue.bytes(), 8U);
    stream_.sent.clear();
    stream_.room = first;
    std::string_view behind = "borrowed";
    EXPECT_EQ(queue.flush(stream_, behind), first < want.size() ? IoState::kAgain : IoState::kDone);
    EXPECT_EQ(queue.bytes() + behind.size(), want.size() - first);
    EXPECT_EQ(queue.sent_bytes(), first);
    ASSERT_TRUE(queue.push(Payload::borrow(behind), blocks_));
    stream_.room = SIZE_MAX;
    EXPECT_EQ(queue.flush(stream_), IoState::kDone);
    EXPECT_EQ(stream_.sent, want) << "first part " << first;
    EXPECT_EQ(queue.files(), 0U);
    EXPECT_EQ(pipes_.lent(), 0U);
    EXPECT_EQ(pipes_.idle(), 1U);
  }
}

TEST_F(OutputQueueTest, WhatIsQueuedLeavesTogetherWithWhatIsBehind) {
  OutputQueue queue{segments_};
  ASSERT_TRUE(queue.push(block_of("head"), 4));
  std::string_view behind = "body";
  EXPECT_EQ(queue.flush(stream_, behind), IoState::kDone);
  EXPECT_EQ(stream_.sent, "headbody");
  EXPECT_EQ(stream_.writes, 1);
  EXPECT_TRUE(behind.empty());
}

// Of which the response has no room for the rest.
TEST_F(OutputQueueTest, APipeIsSentAsFarAsSaidAndTheRestOfItIsLost) {
  OutputQueue queue{segments_};
  ASSERT_TRUE(queue.push(pipe_of("too much"), 3));
  EXPECT_EQ(queue.flush(stream_), IoState::kDone);
  EXPECT_EQ(stream_.sent, "too");
  EXPECT_EQ(pipes_.lent(), 0U);
  EXPECT_EQ(pipes_.idle(), 0U);
}

TEST_F(OutputQueueTest, APipeThatIsNotSentIsGivenBack) {
  {
    OutputQueue queue{segments_};
    ASSERT_TRUE(queue.push(pipe_of("pipe"), 4));
    EXPECT_EQ(pipes_.lent(), 1U);
  }
  EXPECT_EQ(pipes_.lent(), 0U);
  EXPECT_EQ(pipes_.idle(), 0U);
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
