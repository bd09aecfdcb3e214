#include "tercel/proxy/upstream_connection.h"

#include <fcntl.h>
#include <sys/socket.h>

#include <chrono>
#include <memory>
#include <string>
#include <string_view>

#include <gtest/gtest.h>

#include "support/descriptors.h"
#include "support/failing_syscalls.h"
#include "support/manual_clock.h"
#include "tercel/net/socket_stream.h"

namespace tercel::proxy {
namespace {

class UpstreamConnectionTest : public testing::Test,
                               public UpstreamConnection::Keeper,
                               public UpstreamConnection::User {
 protected:
  UpstreamConnectionTest() {
    test::SocketPair pair = test::socket_pair();
    origin_ = std::move(pair.peers);
    connection_ = std::make_unique<UpstreamConnection>(
        *loop_, std::make_unique<net::SocketStream>(syscalls_, pair.ours.release()), *this);
    EXPECT_TRUE(connection_->watch());
    turn();
  }
  void turn() {
    for (int i = 0; i < 3; ++i) {
      (void)loop_->wait(std::chrono::nanoseconds{0});
      loop_->dispatch();
    }
  }
  void use() {
    connection_->begin(*this);
    got_.clear();
  }
  void on_event() noexcept override {
    ++events_;
    connection_->begin_step();
    while (connection_->fill()) {
      got_.append(connection_->unread().data(), connection_->unread().size());
      connection_->consume(connection_->unread().size());
    }
    connection_->end_step();
  }
  void on_unusable(UpstreamConnection& connection) noexcept override {
    EXPECT_EQ(&connection, connection_.get());
    ++unusable_;
    connection_.reset();
  }

  test::ManualClock clock_;
  test::FailingSyscalls syscalls_;
  std::unique_ptr<net::Loop> loop_ = *net::Loop::create(clock_, syscalls_);
  test::Fd origin_;
  std::unique_ptr<UpstreamConnection> connection_;
  std::string got_;
  int events_ = 0;
  int unusable_ = 0;
};

TEST_F(UpstreamConnectionTest, CarriesOneRequestAfterTheOther) {
  for (std::uint32_t request = 1; request <= 3; ++request) {
    use();
    test::send_text(origin_, "answer");
    turn();
    EXPECT_EQ(got_, "answer");
    connection_->end();
    EXPECT_TRUE(connection_->reusable());
    EXPECT_TRUE(connection_->still_usable());
    EXPECT_EQ(connection_->requests(), request);
  }
  EXPECT_EQ(loop_->blocks().outstanding(), 0U);
}

TEST_F(UpstreamConnectionTest, ItsKeeperHearsThatAnIdleOneWasClosed) {
  origin_.reset();
  turn();
  EXPECT_EQ(unusable_, 1);
  EXPECT_EQ(connection_, nullptr);
}

TEST_F(UpstreamConnectionTest, BytesThatNobodyAskedForEndAnIdleOne) {
  test::send_text(origin_, "HTTP/1.1 200 OK\r\n\r\n");
  turn();
  EXPECT_EQ(unusable_, 1);
}

TEST_F(UpstreamConnectionTest, AnEndIsSeenBeforeTheLoopTellsOfIt) {
  EXPECT_TRUE(connection_->still_usable());
  origin_.reset();
  EXPECT_FALSE(connection_->still_usable());
  EXPECT_FALSE(connection_->reusable());
}

// No system call tells what the loop knows already; what is on its way to the loop is looked at.
TEST_F(UpstreamConnectionTest, SeemsUsableUntilTheLoopIsTold) {
  use();
  test::send_text(origin_, "answer");
  turn();
  connection_->end();
  const int reads = syscalls_.calls(test::Call::kRecv);
  EXPECT_TRUE(connection_->seems_usable());
  origin_.reset();
  EXPECT_TRUE(connection_->seems_usable());
  EXPECT_EQ(syscalls_.calls(test::Call::kRecv), reads);
  ASSERT_EQ(*loop_->wait(std::chrono::nanoseconds{0}), 1);
  EXPECT_FALSE(connection_->seems_usable());
  EXPECT_FALSE(connection_->reusable());
}

TEST_F(UpstreamConnectionTest, WhatIsLeftUnreadMakesItUnusable) {
  use();
  test::send_text(origin_, "answer and garbage");
  connection_->begin_step();
  turn();
  EXPECT_EQ(events_, 1);
  connection_->end_step();
  EXPECT_TRUE(connection_->reusable());
  test::send_text(origin_, "more");
  (void)loop_->wait(std::chrono::nanoseconds{0});
  ASSERT_FALSE(connection_->fill());  // The event did not come yet.
  connection_->end();
  loop_->dispatch();
  EXPECT_EQ(unusable_, 1);
}

TEST_F(UpstreamConnectionTest, ReadsTheLastBytesBeforeTheEnd) {
  use();
  test::send_text(origin_, "last");
  origin_.reset();
  turn();
  EXPECT_EQ(got_, "last");
  EXPECT_EQ(connection_->input_end(), InputEnd::kEnded);
  connection_->end();
  EXPECT_FALSE(connection_->reusable());
}

TEST_F(UpstreamConnectionTest, AResetIsNoEnd) {
  use();
  syscalls_.fail(test::Call::kRecv, ECONNRESET);
  test::send_text(origin_, "x");
  turn();
  EXPECT_EQ(connection_->input_end(), InputEnd::kBroken);
}

// A fast origin is read a bounded number of times in a turn, and the rest in the next ones.
TEST_F(UpstreamConnectionTest, GoesOnInTheNextTurn) {
  use();
  syscalls_.limit_bytes(net::Loop::kScratchBytes);
  const std::string part(net::Loop::kScratchBytes, 'x');
  int size = 1 << 20;
  ::setsockopt(origin_.get(), SOL_SOCKET, SO_SNDBUF, &size, sizeof size);
  ::fcntl(origin_.get(), F_SETFL, O_NONBLOCK);
  std::size_t sent = 0;
  for (ssize_t count = 0; sent < (1 << 20) && count >= 0;) {
    count = ::send(origin_.get(), part.data(), part.size(), MSG_NOSIGNAL);
    if (count > 0) sent += static_cast<std::size_t>(count);
  }
  ASSERT_GT(sent, net::StreamReader::kReadsPerTurn * part.size() / 4);
  for (int i = 0; i < 40; ++i) turn();
  EXPECT_EQ(got_.size(), sent);
}

TEST_F(UpstreamConnectionTest, NoPipeIsMadeWhereThereIsNothingToRead) {
  use();
  Pipe pipe;
  EXPECT_FALSE(connection_->fill(pipe, 1 << 20));
  EXPECT_EQ(syscalls_.calls(test::Call::kPipe2), 0);
  connection_->end();
}

}  // namespace
}  // namespace tercel::proxy
