#include "tercel/net/pipe_pool.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "support/descriptors.h"
#include "support/failing_syscalls.h"
#include "support/manual_clock.h"

namespace tercel::net {
namespace {

using test::Call;

class PipePoolTest : public testing::Test {
 protected:
  test::ManualClock clock_;
  test::FailingSyscalls syscalls_;
  TimerWheel timers_;
  PipePool pool_{clock_, timers_, syscalls_};
};

TEST_F(PipePoolTest, APipeIsAsLargeAsPromisedAndDoesNotBlock) {
  const Pipe pipe = pool_.take();
  ASSERT_TRUE(pipe);
  EXPECT_EQ(pipe.bytes(), 0U);
  EXPECT_GE(::fcntl(pipe.write_end(), F_GETPIPE_SZ), static_cast<int>(PipePool::kPipeBytes));
  char byte = 0;
  EXPECT_EQ(::read(pipe.read_end(), &byte, 1), -1);
  EXPECT_EQ(errno, EAGAIN);
  EXPECT_NE(::fcntl(pipe.read_end(), F_GETFD) & FD_CLOEXEC, 0);
  EXPECT_NE(::fcntl(pipe.write_end(), F_GETFD) & FD_CLOEXEC, 0);
}

TEST_F(PipePoolTest, AnEmptyPipeIsLentAgain) {
  for (int i = 0; i < 100; ++i) {
    const Pipe pipe = pool_.take();
    EXPECT_TRUE(pipe);
    EXPECT_EQ(pool_.lent(), 1U);
  }
  EXPECT_EQ(syscalls_.calls(Call::kPipe2), 1);
  EXPECT_EQ(pool_.lent(), 0U);
  EXPECT_EQ(pool_.idle(), 1U);
}

// The bytes would become part of somebody else's body.
TEST_F(PipePoolTest, WhatIsLeftInAPipeGoesWithIt) {
  const auto before = test::open_descriptors();
  {
    Pipe pipe = pool_.take();
    ASSERT_EQ(::write(pipe.write_end(), "secret", 6), 6);
    pipe.filled(6);
    pipe.drained(5);
    EXPECT_EQ(pipe.bytes(), 1U);
  }
  EXPECT_EQ(pool_.idle(), 0U);
  EXPECT_EQ(test::open_descriptors(), before);
}

TEST_F(PipePoolTest, APipeMovesAndIsGivenBackOnce) {
  Pipe first = pool_.take();
  first.filled(3);
  Pipe moved{std::move(first)};
  EXPECT_FALSE(first);  // NOLINT(bugprone-use-after-move): what the test is about.
  EXPECT_EQ(moved.bytes(), 3U);
  moved.drained(3);
  Pipe second = pool_.take();
  EXPECT_EQ(pool_.lent(), 2U);
  second = std::move(moved);
  EXPECT_EQ(pool_.lent(), 1U);
  second = Pipe{};
  EXPECT_EQ(pool_.lent(), 0U);
  EXPECT_EQ(pool_.idle(), 2U);
}

TEST_F(PipePoolTest, TheyAreFewAndFewerAreKept) {
  std::vector<Pipe> pipes;
  for (std::size_t i = 0; i < PipePool::kLentMax; ++i) {
    ASSERT_TRUE(pipes.emplace_back(pool_.take()));
  }
  EXPECT_FALSE(pool_.take());
  pipes.pop_back();
  EXPECT_TRUE(pool_.take());
  pipes.clear();
  EXPECT_EQ(pool_.lent(), 0U);
  EXPECT_EQ(pool_.idle(), PipePool::kIdleMax);
}

TEST_F(PipePoolTest, AfterARefusalNobodyAsksForAWhile) {
  for (const auto& [call, error] : {std::pair{Call::kPipe2, EMFILE},
                                    {Call::kPipe2, ENFILE},
                                    {Call::kSetPipeBytes, EPERM},
                                    {Call::kGetrlimit, EPERM}}) {
    const auto before = test::open_descriptors();
    syscalls_.fail(call, error);
    EXPECT_FALSE(pool_.take());
    EXPECT_EQ(test::open_descriptors(), before) << test::name_of(call);
    const int asked = syscalls_.calls(Call::kPipe2);
    EXPECT_FALSE(pool_.take());
    EXPECT_EQ(syscalls_.calls(Call::kPipe2), asked);
    clock_.advance(PipePool::kPause);
    Pipe pipe = pool_.take();
    EXPECT_TRUE(pipe);
    pipe.filled(1);  // So that it is not kept.
  }
}

TEST_F(PipePoolTest, WhatNobodyTakesIsClosedAfterAMoment) {
  timers_.advance(clock_.now());
  const auto before = test::open_descriptors();
  { const Pipe pipe = pool_.take(); }
  const auto pass = [&] {
    clock_.advance(PipePool::kIdleTime + TimerWheel::kTick);
    timers_.advance(clock_.now());
  };
  pass();
  EXPECT_EQ(pool_.idle(), 1U);  // It was taken meanwhile.
  { const Pipe pipe = pool_.take(); }
  pass();
  EXPECT_EQ(pool_.idle(), 1U);
  pass();
  EXPECT_EQ(pool_.idle(), 0U);
  EXPECT_EQ(test::open_descriptors(), before);
  EXPECT_EQ(timers_.armed(), 0U);
  EXPECT_TRUE(pool_.take());
}

// The last part of what a process may have is for connections.
TEST_F(PipePoolTest, NoneIsMadeWhileDescriptorsAreScarce) {
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &before), 0);
  const rlimit few{.rlim_cur = 400, .rlim_max = before.rlim_max};
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &few), 0);
  std::vector<test::Fd> others;
  while (others.empty() || others.back().get() < 299) others.emplace_back(::dup(STDIN_FILENO));
  EXPECT_FALSE(pool_.take());
  others.resize(others.size() - 2);
  clock_.advance(PipePool::kPause);
  EXPECT_TRUE(pool_.take());
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &before), 0);
}

TEST_F(PipePoolTest, ASystemThatCannotSpliceIsAskedNoMore) {
  const auto before = test::open_descriptors();
  {
    const Pipe lent = pool_.take();
    { const Pipe other = pool_.take(); }
    EXPECT_EQ(pool_.idle(), 1U);
    pool_.give_up();
    EXPECT_EQ(pool_.idle(), 0U);
  }
  EXPECT_EQ(test::open_descriptors(), before);
  EXPECT_FALSE(pool_.take());
  clock_.advance(std::chrono::hours{1});
  EXPECT_FALSE(pool_.take());
}

}  // namespace
}  // namespace tercel::net
