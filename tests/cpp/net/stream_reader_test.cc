#include "tercel/net/stream_reader.h"

#include <cerrno>
#include <memory>
#include <string>
#include <utility>

#include <gtest/gtest.h>

#include "support/allocations.h"
#include "support/failing_syscalls.h"
#include "support/manual_clock.h"
#include "support/memory_stream.h"

namespace tercel::net {
namespace {

struct Work final : Deferred {
  void run_deferred() noexcept override {}
};

class StreamReaderTest : public testing::Test {
 protected:
  StreamReaderTest() {
    stream_.pipes = true;
    reader_.look_again();
  }
  [[nodiscard]] bool may_read() { return reader_.may_read(*loop_, work_); }
  std::size_t fill(std::size_t max = SIZE_MAX) {
    EXPECT_TRUE(may_read());
    return reader_.fill(stream_, input_, InputBuffer::Borrow::kNo, max);
  }
  std::size_t fill(Pipe& pipe, std::size_t max = SIZE_MAX) {
    EXPECT_TRUE(may_read());
    return reader_.fill(stream_, loop_->pipes(), pipe, max);
  }
  [[nodiscard]] std::string unread() const {
    return {input_.unread().data(), input_.unread().size()};
  }

  test::ManualClock clock_;
  test::FailingSyscalls syscalls_;
  std::unique_ptr<Loop> loop_ = *Loop::create(clock_, syscalls_);
  test::MemoryStream stream_;
  InputBuffer input_{*loop_};
  StreamReader reader_;
  Work work_;
};

TEST_F(StreamReaderTest, ReadsAFewTimesInATurnAndGoesOnInTheNext) {
  stream_.arriving = "abcdefgh";
  for (int i = 0; i < StreamReader::kReadsPerTurn; ++i) EXPECT_EQ(fill(1), 1U);
  EXPECT_FALSE(work_.queued());
  EXPECT_FALSE(may_read());
  EXPECT_TRUE(work_.queued());
  reader_.begin_turn();
  EXPECT_EQ(fill(1), 1U);
  EXPECT_EQ(unread(), "abcde");
}

TEST_F(StreamReaderTest, AShortReadHasFoundAllButAnAnnouncedEnd) {
  stream_.arriving = "abc";
  EXPECT_EQ(fill(), 3U);
  EXPECT_FALSE(may_read());
  EXPECT_FALSE(work_.queued()) << "an event will tell";
  stream_.arriving = "def";
  EXPECT_TRUE(reader_.on_ready(kReadable | kPeerClosed, stream_));
  EXPECT_EQ(fill(), 3U);
  EXPECT_EQ(reader_.end(), InputEnd::kOpen);
  stream_.ended = true;
  EXPECT_EQ(fill(), 0U);
  EXPECT_EQ(reader_.end(), InputEnd::kEnded);
  EXPECT_FALSE(reader_.readable());
  EXPECT_EQ(unread(), "abcdef");
}

TEST_F(StreamReaderTest, EventsTellWhetherToLook) {
  reader_.found_nothing();
  EXPECT_FALSE(reader_.on_ready(kWritable, stream_));
  EXPECT_FALSE(may_read());
  EXPECT_FALSE(reader_.fin_seen());
  EXPECT_TRUE(reader_.on_ready(kReadable, stream_));
  EXPECT_EQ(fill(), 0U);
  EXPECT_FALSE(may_read()) << "it found nothing";
  EXPECT_FALSE(reader_.fin_seen());
  for (const std::uint32_t end : {kPeerClosed, kHangup, kError}) {
    StreamReader reader;
    EXPECT_TRUE(reader.on_ready(end, stream_));
    EXPECT_TRUE(reader.fin_seen());
    EXPECT_TRUE(reader.readable());
  }
}

TEST_F(StreamReaderTest, ABrokenStreamIsReadNoMore) {
  stream_.broken = true;
  EXPECT_EQ(fill(), 0U);
  EXPECT_EQ(reader_.end(), InputEnd::kBroken);
  EXPECT_FALSE(may_read());
  EXPECT_FALSE(work_.queued());
  StreamReader other;
  Pipe pipe;
  EXPECT_EQ(other.fill(stream_, loop_->pipes(), pipe, 10), 0U);
  EXPECT_EQ(other.end(), InputEnd::kBroken);
}

TEST_F(StreamReaderTest, NoRoomIsAnEnd) {
  stream_.arriving = "abc";
  const test::AllocationFailure failure{1};
  EXPECT_EQ(fill(), 0U);
  EXPECT_TRUE(failure.happened());
  EXPECT_EQ(reader_.end(), InputEnd::kNoMemory);
  EXPECT_EQ(stream_.arriving, "abc");
}

TEST_F(StreamReaderTest, FillsPipes) {
  stream_.arriving = "abcdef";
  {
    Pipe pipe;
    EXPECT_FALSE(reader_.filled_pipes());
    EXPECT_EQ(fill(pipe, 4), 4U);
    EXPECT_EQ(pipe.bytes(), 4U);
  }
  EXPECT_TRUE(reader_.filled_pipes());
  EXPECT_TRUE(reader_.readable()) << "how many came says nothing";
  Pipe rest;
  EXPECT_EQ(fill(rest), 2U);
  Pipe none;
  EXPECT_EQ(fill(none), 0U);
  EXPECT_FALSE(none);
  EXPECT_FALSE(may_read());
  stream_.ended = true;
  reader_.look_again();
  EXPECT_EQ(fill(none), 0U);
  EXPECT_EQ(reader_.end(), InputEnd::kEnded);
}

// Else a body that is copied for want of pipes would come at half the speed.
TEST_F(StreamReaderTest, WhereThereIsNoPipeNothingWasRead) {
  syscalls_.fail(test::Call::kPipe2, EMFILE);
  stream_.arriving = "abcdef";
  Pipe pipe;
  for (int i = 0; i < StreamReader::kReadsPerTurn; ++i) {
    EXPECT_EQ(fill(pipe), 0U);
    EXPECT_EQ(fill(1), 1U);
  }
  EXPECT_EQ(unread(), "abcd");
  EXPECT_FALSE(reader_.filled_pipes());
}

}  // namespace
}  // namespace tercel::net
