// The loop inside another one: all that the other knows is a descriptor.

#include <poll.h>

#include <functional>
#include <memory>

#include <gtest/gtest.h>

#include "support/descriptors.h"
#include "support/failing_syscalls.h"
#include "support/manual_clock.h"
#include "tercel/net/loop.h"

namespace tercel::net {
namespace {

using namespace std::chrono_literals;  // NOLINT(google-build-using-namespace): only literals.
using test::Call;
using test::FailingSyscalls;

struct TestTimer final : Timer {
  void on_timer() noexcept override { ++fired; }
  int fired = 0;
};

struct TestWork final : Deferred {
  void run_deferred() noexcept override {
    ++runs;
    if (action) action();
  }
  int runs = 0;
  std::function<void()> action;
};

struct TestWatcher final : Watcher {
  void on_ready(std::uint32_t) noexcept override { ++events; }
  int events = 0;
};

class NestedLoopTest : public testing::Test {
 protected:
  NestedLoopTest() {
    auto created = Loop::create(clock_, syscalls_);
    EXPECT_TRUE(created);
    loop_ = *std::move(created);
    EXPECT_TRUE(loop_->set_nested(true));
  }
  // The foreign loop's select().
  [[nodiscard]] bool readable(std::chrono::milliseconds timeout = 0ms) const {
    pollfd descriptor{loop_->fileno(), POLLIN, 0};
    return ::poll(&descriptor, 1, static_cast<int>(timeout.count())) == 1;
  }
  // The foreign loop's reader callback.
  void turn() {
    EXPECT_TRUE(loop_->wait(0ns));
    loop_->dispatch();
  }

  SteadyClock clock_;
  FailingSyscalls syscalls_;
  std::unique_ptr<Loop> loop_;
};

TEST_F(NestedLoopTest, IsReadableWhileEventsAreReady) {
  const test::SocketPair pair = test::socket_pair();
  TestWatcher watcher;
  ASSERT_TRUE(loop_->watch(pair.ours.get(), kReadable, Trigger::kEdge, watcher));
  EXPECT_FALSE(readable());
  test::send_text(pair.peers, "x");
  EXPECT_TRUE(readable());
  turn();
  EXPECT_EQ(watcher.events, 1);
  EXPECT_FALSE(readable());
}

TEST_F(NestedLoopTest, ATimerArmedBetweenTurnsWakesTheOtherLoop) {
  TestTimer timer;
  loop_->timers().arm(timer, loop_->now() + 20ms);
  EXPECT_FALSE(readable());
  while (timer.fired == 0) {
    ASSERT_TRUE(readable(10s));
    turn();
  }
  EXPECT_FALSE(readable());
}

TEST_F(NestedLoopTest, TheAlarmIsSetAgainForEachTimer) {
  TestTimer timer;
  for (int expected = 1; expected <= 3; ++expected) {
    loop_->timers().arm(timer, loop_->now() + 5ms);
    while (timer.fired < expected) {
      ASSERT_TRUE(readable(10s));
      turn();
    }
  }
}

TEST_F(NestedLoopTest, ATimerArmedWithinATurnWakesTheOtherLoop) {
  TestTimer timer;
  TestWork work;
  work.action = [&] { loop_->timers().arm(timer, loop_->now() + 20ms); };
  loop_->defer(work);
  EXPECT_TRUE(readable());
  turn();
  while (timer.fired == 0) {
    ASSERT_TRUE(readable(10s));
    turn();
  }
}

TEST_F(NestedLoopTest, AnEarlierTimerMovesTheAlarmAndALaterOneDoesNot) {
  TestTimer late, later, early;
  loop_->timers().arm(late, loop_->now() + 1h);
  const int before = syscalls_.calls(Call::kTimerfdSettime);
  loop_->timers().arm(later, loop_->now() + 2h);
  EXPECT_EQ(syscalls_.calls(Call::kTimerfdSettime), before);
  loop_->timers().arm(early, loop_->now() + 1ms);
  EXPECT_EQ(syscalls_.calls(Call::kTimerfdSettime), before + 1);
  while (early.fired == 0) {
    ASSERT_TRUE(readable(10s));
    turn();
  }
}

// A connection moves its idle timer with every request; that must not cost a system call each.
TEST_F(NestedLoopTest, ATimerThatKeepsMovingAwayCostsNoSystemCall) {
  TestTimer timer;
  loop_->timers().arm(timer, loop_->now() + 5s);
  turn();
  const int before = syscalls_.calls(Call::kTimerfdSettime);
  for (int i = 0; i < 100; ++i) {
    loop_->timers().arm(timer, loop_->now() + 5s);
    turn();
  }
  EXPECT_EQ(syscalls_.calls(Call::kTimerfdSettime), before);
}

TEST_F(NestedLoopTest, ATimerDueInThePastWakesTheOtherLoopAtOnce) {
  TestTimer timer;
  loop_->timers().arm(timer, 0ns);
  ASSERT_TRUE(readable(10s));
  turn();
  EXPECT_EQ(timer.fired, 1);
}

TEST_F(NestedLoopTest, AnAlarmThatCouldNotBeSetIsSetAfterTheNextTurn) {
  TestTimer timer;
  syscalls_.fail(Call::kTimerfdSettime, EINVAL);
  loop_->timers().arm(timer, loop_->now() + 1ms);
  loop_->wake();
  while (timer.fired == 0) {
    ASSERT_TRUE(readable(10s));
    turn();
  }
}

TEST_F(NestedLoopTest, WorkDeferredBetweenTurnsWakesTheOtherLoopOnce) {
  TestWork one, two;
  loop_->defer(one);
  loop_->defer(two);
  EXPECT_EQ(syscalls_.calls(Call::kWrite), 1);
  EXPECT_TRUE(readable());
  turn();
  EXPECT_EQ(one.runs + two.runs, 2);
  EXPECT_FALSE(readable());
}

TEST_F(NestedLoopTest, WorkLeftByATurnWakesTheOtherLoop) {
  TestWork work;
  work.action = [&] {
    if (work.runs < 3) loop_->defer(work);
  };
  loop_->defer(work);
  for (int expected = 1; expected <= 3; ++expected) {
    EXPECT_TRUE(readable());
    turn();
    EXPECT_EQ(work.runs, expected);
  }
  EXPECT_FALSE(readable());
}

TEST_F(NestedLoopTest, BetweenTurnsNowIsTheClocks) {
  const auto before = loop_->now();
  while (clock_.now() == before) {
  }
  EXPECT_GT(loop_->now(), before);
}

TEST_F(NestedLoopTest, WhatWasArmedAndDeferredBeforeNestingCounts) {
  ASSERT_TRUE(loop_->set_nested(false));
  TestTimer timer;
  TestWork work;
  loop_->timers().arm(timer, loop_->now() + 1ms);
  loop_->defer(work);
  EXPECT_EQ(syscalls_.calls(Call::kWrite), 0);
  ASSERT_TRUE(loop_->set_nested(true));
  while (timer.fired == 0) {
    ASSERT_TRUE(readable(10s));
    turn();
  }
  EXPECT_EQ(work.runs, 1);
}

TEST_F(NestedLoopTest, NotNestedItCostsNothing) {
  ASSERT_TRUE(loop_->set_nested(false));
  TestTimer timer;
  TestWork work;
  loop_->timers().arm(timer, loop_->now() + 1h);
  loop_->defer(work);
  turn();
  EXPECT_EQ(syscalls_.calls(Call::kWrite), 0);
  EXPECT_EQ(syscalls_.calls(Call::kTimerfdSettime), 0);
}

TEST_F(NestedLoopTest, AFailureToNestLeavesTheLoopAsItWas) {
  ASSERT_TRUE(loop_->set_nested(false));
  const auto open_before = test::open_descriptors();
  syscalls_.fail(Call::kTimerfdCreate, EMFILE);
  EXPECT_EQ(loop_->set_nested(true).error(), Errc::kTooManyFiles);
  syscalls_.fail(Call::kEpollCtl, ENOMEM);
  EXPECT_EQ(loop_->set_nested(true).error(), Errc::kNoMemory);
  EXPECT_EQ(test::open_descriptors(), open_before);
  TestTimer timer;
  loop_->timers().arm(timer, loop_->now());
  EXPECT_TRUE(loop_->wait(-1ns));
  loop_->dispatch();
  EXPECT_TRUE(loop_->set_nested(true));
}

}  // namespace
}  // namespace tercel::net
