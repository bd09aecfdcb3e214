// Bytes that go from one socket to another through a pipe (socket_stream.h), over TCP.

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <memory>
#include <string>
#include <tuple>
#include <utility>

#include <gtest/gtest.h>

#include "support/descriptors.h"
#include "support/failing_syscalls.h"
#include "support/manual_clock.h"
#include "support/pattern.h"
#include "tercel/net/pipe_pool.h"
#include "tercel/net/socket_stream.h"

namespace tercel::net {
namespace {

using test::Call;
using test::Fd;
using test::pattern;

// Two TCP connections: what the test writes to `sender` can be read from `source`, and what is
// written to `sink` arrives at `receiver`. None blocks.
class SpliceTest : public testing::Test {
 protected:
  SpliceTest() {
    std::signal(SIGPIPE, SIG_IGN);  // As write_from() requires.
    std::tie(source_, sender_) = connect();
    std::tie(sink_, receiver_) = connect();
  }

  std::pair<std::unique_ptr<SocketStream>, Fd> connect() {
    const Fd listener{::socket(AF_INET, SOCK_STREAM, 0)};
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    auto* const any = reinterpret_cast<sockaddr*>(&address);
    EXPECT_EQ(::bind(listener.get(), any, size), 0);
    EXPECT_EQ(::listen(listener.get(), 1), 0);
    EXPECT_EQ(::getsockname(listener.get(), any, &size), 0);
    Fd peer{::socket(AF_INET, SOCK_STREAM, 0)};
    EXPECT_EQ(::connect(peer.get(), any, size), 0);
    EXPECT_EQ(::fcntl(peer.get(), F_SETFL, O_NONBLOCK), 0);
    const int ours = ::accept4(listener.get(), nullptr, nullptr, SOCK_NONBLOCK);
    return {std::make_unique<SocketStream>(syscalls_, ours), std::move(peer)};
  }

  // Everything that `text` is, pushed through `pipe_` as far as each socket takes it.
  std::string through(const std::string& text) {
    std::string seen;
    std::size_t sent = 0;
    for (int idle = 0; idle < 1000 && seen.size() < text.size(); ++idle) {
      const ssize_t taken =
          ::send(sender_.get(), text.data() + sent, text.size() - sent, MSG_NOSIGNAL);
      if (taken > 0) sent += static_cast<std::size_t>(taken);
      for (;;) {
        if (pipe_.bytes() == 0) {
          const IoResult in = source_->read_into(pipe_, PipePool::kPipeBytes);
          if (in.state != IoState::kDone) break;
        }
        const IoResult out = sink_->write_from(pipe_, pipe_.bytes());
        if (out.state != IoState::kDone) break;
        idle = 0;
      }
      seen += test::receive_all(receiver_);
    }
    return seen;
  }

  test::ManualClock clock_;
  test::FailingSyscalls syscalls_;
  TimerWheel timers_;
  PipePool pool_{clock_, timers_, syscalls_};
  Pipe pipe_ = pool_.take();
  std::unique_ptr<SocketStream> source_;
  std::unique_ptr<SocketStream> sink_;
  Fd sender_;
  Fd receiver_;
};

TEST_F(SpliceTest, WhatComesOutIsWhatWentIn) {
  for (const std::size_t bytes : {std::size_t{1}, std::size_t{4095}, std::size_t{65536},
                                  PipePool::kPipeBytes + 1, std::size_t{3'000'001}}) {
    const std::string text = pattern(bytes);
    EXPECT_EQ(through(text), text) << bytes;
    EXPECT_EQ(pipe_.bytes(), 0U);
  }
}

TEST_F(SpliceTest, ShortAndInterruptedTransfersLoseNothing) {
  const std::string text = pattern(20'000);
  syscalls_.limit_bytes(7);
  syscalls_.fail(Call::kSplice, EINTR, 3, 5);
  EXPECT_EQ(through(text), text);
  EXPECT_GT(syscalls_.calls(Call::kSplice), 2 * 20'000 / 7);
}

TEST_F(SpliceTest, MoreThanWasAskedForStaysInTheSocket) {
  test::send_text(sender_, "bodyGET");
  EXPECT_EQ(source_->read_into(pipe_, 4).bytes, 4U);
  std::array<char, 10> rest{};
  EXPECT_EQ(source_->read(rest).bytes, 3U);
  EXPECT_EQ(std::string_view(rest.data(), 3), "GET");
  EXPECT_EQ(sink_->write_from(pipe_, 3).bytes, 3U);
  EXPECT_EQ(pipe_.bytes(), 1U);
  EXPECT_EQ(test::receive_all(receiver_), "bod");
}

TEST_F(SpliceTest, AnEmptySocketSaysAgainAndAFinishedOneEnd) {
  EXPECT_EQ(source_->read_into(pipe_, 10).state, IoState::kAgain);
  ::shutdown(sender_.get(), SHUT_WR);
  EXPECT_EQ(source_->read_into(pipe_, 10).state, IoState::kEnd);
  EXPECT_EQ(pipe_.bytes(), 0U);
}

TEST_F(SpliceTest, AFullSocketSaysAgainAndThePipeKeepsTheRest) {
  const std::string text = pattern(PipePool::kPipeBytes / 2);
  std::string expected;
  IoState state = IoState::kDone;
  for (int parts = 0; state == IoState::kDone && parts < 1000; ++parts) {
    test::send_text(sender_, text);
    expected += text;
    while (pipe_.bytes() == 0) {
      if (source_->read_into(pipe_, text.size()).state != IoState::kDone) break;
      while (pipe_.bytes() > 0 && state == IoState::kDone) {
        state = sink_->write_from(pipe_, pipe_.bytes()).state;
      }
    }
  }
  ASSERT_EQ(state, IoState::kAgain);
  EXPECT_GT(pipe_.bytes(), 0U);
  std::string seen;
  for (int reads = 0; reads < 1000 && seen.size() < expected.size(); ++reads) {
    seen += test::receive_all(receiver_);
    while (pipe_.bytes() > 0 || source_->read_into(pipe_, text.size()).state == IoState::kDone) {
      if (sink_->write_from(pipe_, pipe_.bytes()).state != IoState::kDone) break;
    }
  }
  EXPECT_EQ(seen, expected);
}

TEST_F(SpliceTest, EachErrorOfReadingIsAgainOrFailedOrRefusedAndMovesNothing) {
  test::send_text(sender_, "x");
  const std::pair<int, IoState> meanings[] = {
      {EAGAIN, IoState::kAgain},  {EPIPE, IoState::kFailed},      {ECONNRESET, IoState::kFailed},
      {ENOMEM, IoState::kFailed}, {EINVAL, IoState::kRefused},    {ENOSYS, IoState::kRefused},
      {EPERM, IoState::kRefused}, {EOPNOTSUPP, IoState::kRefused}};
  for (const auto& [error, state] : meanings) {
    syscalls_.fail(Call::kSplice, error);
    const IoResult result = source_->read_into(pipe_, 10);
    EXPECT_EQ(result.state, state) << error;
    EXPECT_EQ(result.bytes, 0U);
    EXPECT_EQ(pipe_.bytes(), 0U);
  }
  std::array<char, 10> rest{};
  EXPECT_EQ(source_->read(rest).bytes, 1U);  // Whoever was refused reads it.
}

TEST_F(SpliceTest, EachErrorOfWritingIsAgainOrFailed) {
  test::send_text(sender_, "x");
  ASSERT_EQ(source_->read_into(pipe_, 10).bytes, 1U);
  for (const int error : {EAGAIN, EPIPE, ECONNRESET, EINVAL, ENOMEM}) {
    syscalls_.fail(Call::kSplice, error);
    const IoResult result = sink_->write_from(pipe_, 1);
    EXPECT_EQ(result.state, error == EAGAIN ? IoState::kAgain : IoState::kFailed) << error;
    EXPECT_EQ(pipe_.bytes(), 1U);
  }
}

TEST_F(SpliceTest, AReceiverThatIsGoneFailsAndDoesNotKillTheProcess) {
  const linger reset{.l_onoff = 1, .l_linger = 0};
  ::setsockopt(receiver_.get(), SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
  receiver_.reset();
  test::send_text(sender_, pattern(1000));
  ASSERT_EQ(source_->read_into(pipe_, 1000).state, IoState::kDone);
  IoState state = IoState::kDone;
  for (int writes = 0; writes < 3 && state == IoState::kDone && pipe_.bytes() > 0; ++writes) {
    state = sink_->write_from(pipe_, 1).state;
  }
  EXPECT_EQ(state, IoState::kFailed);
}

TEST_F(SpliceTest, AStreamOfAnotherKindHasNone) {
  class Other final : public Stream {
   public:
    IoResult read(std::span<char>) noexcept override { return {0, IoState::kAgain}; }
    IoResult write(std::span<const iovec>) noexcept override { return {0, IoState::kAgain}; }
    IoResult write_file(int, std::uint64_t, std::size_t) noexcept override {
      return {0, IoState::kAgain};
    }
    void shutdown_write() noexcept override {}
    void reset_on_close() noexcept override {}
    [[nodiscard]] int descriptor() const noexcept override { return -1; }
  } other;
  EXPECT_FALSE(other.splices());
  EXPECT_TRUE(source_->splices());
}

}  // namespace
}  // namespace tercel::net
