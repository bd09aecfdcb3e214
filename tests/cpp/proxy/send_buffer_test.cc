#include "tercel/proxy/send_buffer.h"

#include <algorithm>
#include <array>
#include <string>
#include <utility>

#include <gtest/gtest.h>

#include "support/allocations.h"
#include "support/memory_stream.h"
#include "tercel/base/clock.h"
#include "tercel/net/pipe_pool.h"

namespace tercel::proxy {
namespace {

using net::IoState;
using Pieces = std::array<std::string_view, 3>;

TEST(SendBufferTest, WhatTheSocketTakesNeedsNoBlock) {
  BlockPool blocks;
  SendBuffer output{blocks};
  test::MemoryStream stream;
  EXPECT_EQ(output.send(stream, Pieces{"5\r\n", "hello", "\r\n"}), Sent::kAll);
  EXPECT_EQ(stream.sent, "5\r\nhello\r\n");
  EXPECT_EQ(stream.writes, 1);
  EXPECT_EQ(blocks.outstanding(), 0U);
}

// Wherever the socket stops taking: the order stays, nothing is lost, nothing is sent twice.
TEST(SendBufferTest, TheRestWaitsWhereverTheSocketStops) {
  const std::string all = "head 5\r\nhello\r\n";
  for (std::size_t room = 0; room <= all.size(); ++room) {
    BlockPool blocks;
    SendBuffer output{blocks};
    test::MemoryStream stream;
    ASSERT_TRUE(output.add("head "));
    stream.room = room;
    const Sent state = output.send(stream, Pieces{"5\r\n", "hello", "\r\n"});
    EXPECT_EQ(state, room == all.size() ? Sent::kAll : Sent::kPart);
    EXPECT_EQ(stream.sent, all.substr(0, room));
    EXPECT_EQ(output.bytes(), all.size() - room);
    stream.room = SIZE_MAX;
    EXPECT_EQ(output.flush(stream), Sent::kAll);
    EXPECT_EQ(stream.sent, all);
    EXPECT_EQ(blocks.outstanding(), 0U);
  }
}

TEST(SendBufferTest, APipeWaitsBehindTheBlockWhereverTheSocketStops) {
  const SteadyClock clock;
  net::TimerWheel timers;
  net::PipePool pipes{clock, timers, net::system_calls()};
  const std::string all = "head body";
  for (std::size_t room = 0; room <= all.size(); ++room) {
    BlockPool blocks;
    SendBuffer output{blocks};
    test::MemoryStream stream;
    ASSERT_TRUE(output.add("head "));
    Pipe pipe = pipes.take();
    ASSERT_EQ(::write(pipe.write_end(), "body", 4), 4);
    pipe.filled(4);
    output.add(std::move(pipe));
    EXPECT_EQ(output.bytes(), all.size());
    stream.room = room;
    const Sent state = output.flush(stream);
    EXPECT_EQ(state, room == all.size() ? Sent::kAll : Sent::kPart);
    EXPECT_EQ(stream.sent, all.substr(0, room));
    EXPECT_EQ(output.bytes(), all.size() - room);
    EXPECT_EQ(output.ends_in_pipe(), room < all.size());
    EXPECT_EQ(blocks.outstanding(), room < 5 ? 1U : 0U);
    if (room == 6) {
      output.clear();
      EXPECT_EQ(output.bytes(), 0U);
      EXPECT_EQ(pipes.lent(), 0U);
      EXPECT_EQ(pipes.idle(), 0U);
      continue;
    }
    stream.room = SIZE_MAX;
    EXPECT_EQ(output.flush(stream), Sent::kAll);
    EXPECT_EQ(stream.sent, all);
    EXPECT_EQ(pipes.lent(), 0U);
    EXPECT_EQ(pipes.idle(), 1U);
  }
}

// As TLS does with its records: it takes a part, and would take more.
class PartByPart final : public net::Stream {
 public:
  net::IoResult read(std::span<char>) noexcept override { return {0, IoState::kAgain}; }
  net::IoResult write(std::span<const iovec> pieces) noexcept override {
    const std::size_t bytes = std::min<std::size_t>(pieces[0].iov_len, 2);
    sent.append(static_cast<const char*>(pieces[0].iov_base), bytes);
    return {bytes, IoState::kDone};
  }
  net::IoResult write_file(int, std::uint64_t, std::size_t) noexcept override {
    return {0, IoState::kFailed};
  }
  void shutdown_write() noexcept override {}
  void reset_on_close() noexcept override {}
  [[nodiscard]] int descriptor() const noexcept override { return -1; }

  std::string sent;
};

TEST(SendBufferTest, SendsUntilTheStreamSaysNo) {
  BlockPool blocks;
  SendBuffer output{blocks};
  PartByPart stream;
  ASSERT_TRUE(output.add("head "));
  EXPECT_EQ(output.send(stream, Pieces{"5\r\n", "hello", "\r\n"}), Sent::kAll);
  EXPECT_EQ(stream.sent, "head 5\r\nhello\r\n");
  EXPECT_EQ(blocks.outstanding(), 0U);
}

// It is not the stream that is broken.
TEST(SendBufferTest, SaysThatThereIsNoMemoryForTheRest) {
  BlockPool blocks;
  SendBuffer output{blocks};
  test::MemoryStream stream;
  stream.room = 4;
  const test::AllocationFailure failure{1};
  EXPECT_EQ(output.send(stream, Pieces{"5\r\n", "hello", "\r\n"}), Sent::kNoMemory);
  EXPECT_TRUE(failure.happened());
  EXPECT_EQ(stream.sent, "5\r\nh");
}

TEST(SendBufferTest, GrowsAndReusesTheRoomInFrontOfWhatWaits) {
  BlockPool blocks;
  SendBuffer output{blocks};
  test::MemoryStream stream;
  std::string all;
  for (int i = 0; i < 2000; ++i) {
    const std::string part = std::to_string(i) + ",";
    all += part;
    ASSERT_TRUE(output.add(part));
    stream.room = i % 3;
    (void)output.flush(stream);
  }
  stream.room = SIZE_MAX;
  EXPECT_EQ(output.flush(stream), Sent::kAll);
  EXPECT_EQ(stream.sent, all);
}

TEST(SendBufferTest, ABrokenStreamFails) {
  BlockPool blocks;
  SendBuffer output{blocks};
  test::MemoryStream stream;
  stream.broken = true;
  EXPECT_EQ(output.send(stream, Pieces{"a", "b", "c"}), Sent::kBroken);
  ASSERT_TRUE(output.add("a"));
  EXPECT_EQ(output.flush(stream), Sent::kBroken);
}

}  // namespace
}  // namespace tercel::proxy
