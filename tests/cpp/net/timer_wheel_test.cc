#include "tercel/net/timer_wheel.h"

#include <algorithm>
#include <functional>
#include <map>
#include <memory>
#include <random>
#include <vector>

#include <gtest/gtest.h>

namespace tercel::net {
namespace {

using namespace std::chrono_literals;  // NOLINT(google-build-using-namespace): only literals.
using std::chrono::nanoseconds;

constexpr nanoseconds kTick = TimerWheel::kTick;

struct TestTimer final : Timer {
  explicit TestTimer(std::function<void()> action = [] {}) : run{std::move(action)} {}
  void on_timer() noexcept override {
    ++fired;
    run();
  }
  std::function<void()> run;
  int fired = 0;
};

TEST(TimerWheelTest, FiresNeverEarlyAndAtMostOneTickLate) {
  const nanoseconds start = 1h;
  for (const nanoseconds due :
       {start + 1ns, start + kTick - 1ns, start + kTick, start + kTick + 1ns, start + 1s,
        start + 5s, start + 65s, start + 70min, start + 200h, start + 24h * 400,
        start + 24h * 365 * 100}) {
    TimerWheel wheel;
    wheel.advance(start);
    TestTimer timer;
    wheel.arm(timer, due);
    wheel.advance(due - 1ns);
    EXPECT_EQ(timer.fired, 0) << due.count();
    EXPECT_TRUE(timer.armed());
    wheel.advance(due + kTick);
    EXPECT_EQ(timer.fired, 1) << due.count();
    EXPECT_FALSE(timer.armed());
    wheel.advance(due + 1h);
    EXPECT_EQ(timer.fired, 1);
  }
}

TEST(TimerWheelTest, WhatIsDueInThePastFiresAtTheNextAdvance) {
  TimerWheel wheel;
  wheel.advance(1h);
  TestTimer past, present, negative;
  wheel.arm(past, 59min);
  wheel.arm(present, 1h);
  wheel.arm(negative, -1s);
  EXPECT_EQ(wheel.until_next(1h), 0ns);
  wheel.advance(1h);
  EXPECT_EQ(past.fired + present.fired + negative.fired, 3);
}

TEST(TimerWheelTest, TheEndOfTimeIsATimeLikeAnother) {
  TimerWheel wheel;
  wheel.advance(1h);
  TestTimer timer;
  wheel.arm(timer, nanoseconds::max());
  EXPECT_GT(wheel.until_next(1h), 24h * 365 * 50);
  wheel.advance(24h * 365 * 290);
  EXPECT_EQ(timer.fired, 0);
  wheel.advance(nanoseconds::max());
  EXPECT_EQ(timer.fired, 1);
}

TEST(TimerWheelTest, TimeNeverGoesBack) {
  TimerWheel wheel;
  wheel.advance(2h);
  TestTimer timer;
  wheel.arm(timer, 1h);
  wheel.advance(90min);
  EXPECT_EQ(timer.fired, 0);
  wheel.advance(2h);
  EXPECT_EQ(timer.fired, 1);
}

TEST(TimerWheelTest, AnArmedTimerMoves) {
  TimerWheel wheel;
  TestTimer timer;
  wheel.arm(timer, 1s);
  wheel.arm(timer, 3s);
  EXPECT_EQ(wheel.armed(), 1U);
  wheel.advance(2s);
  EXPECT_EQ(timer.fired, 0);
  wheel.arm(timer, 2s + 100ms);
  wheel.advance(2s + 200ms);
  EXPECT_EQ(timer.fired, 1);
  EXPECT_EQ(wheel.armed(), 0U);
}

TEST(TimerWheelTest, ACancelledOrDestroyedTimerDoesNotFire) {
  TimerWheel wheel;
  TestTimer cancelled;
  auto destroyed = std::make_unique<TestTimer>();
  wheel.arm(cancelled, 1s);
  wheel.arm(*destroyed, 1s);
  wheel.cancel(cancelled);
  wheel.cancel(cancelled);  // Not armed: nothing happens.
  destroyed.reset();
  EXPECT_EQ(wheel.armed(), 0U);
  EXPECT_LT(wheel.until_next(0s), 0ns);
  wheel.advance(2s);
  EXPECT_EQ(cancelled.fired, 0);
}

TEST(TimerWheelTest, TimersFireInOrderOfTheirTicks) {
  TimerWheel wheel;
  std::vector<int> order;
  std::vector<std::unique_ptr<TestTimer>> timers;
  for (int i = 0; i < 300; ++i) {
    const int value = (i * 7919) % 300;
    timers.push_back(std::make_unique<TestTimer>([&order, value] { order.push_back(value); }));
    wheel.arm(*timers.back(), value * 5s + 1ms);
  }
  wheel.advance(1h);
  EXPECT_EQ(order.size(), 300U);
  EXPECT_TRUE(std::is_sorted(order.begin(), order.end()));
}

TEST(TimerWheelTest, ATimerMayArmItselfAndWaitsForTheNextAdvanceEvenWhenDue) {
  TimerWheel wheel;
  TestTimer timer;
  timer.run = [&] { wheel.arm(timer, 0s); };
  wheel.arm(timer, 1s);
  wheel.advance(2s);
  EXPECT_EQ(timer.fired, 1);
  EXPECT_TRUE(timer.armed());
  EXPECT_EQ(wheel.until_next(2s), 0ns);
  wheel.advance(2s);
  EXPECT_EQ(timer.fired, 2);
  wheel.cancel(timer);
}

TEST(TimerWheelTest, ATimerMayDestroyItselfAndCancelOrMoveOthersThatAreAboutToFire) {
  TimerWheel wheel;
  auto self = std::make_unique<TestTimer>();
  auto neighbour = std::make_unique<TestTimer>();
  TestTimer cancelled, moved, last;
  self->run = [&] {
    neighbour.reset();
    wheel.cancel(cancelled);
    wheel.arm(moved, 10s);
    self.reset();
  };
  wheel.arm(*self, 1s);
  for (TestTimer* timer : {neighbour.get(), &cancelled, &moved, &last}) wheel.arm(*timer, 1s);
  wheel.advance(2s);
  EXPECT_EQ(self, nullptr);
  EXPECT_EQ(cancelled.fired, 0);
  EXPECT_EQ(moved.fired, 0);
  EXPECT_EQ(last.fired, 1);
  EXPECT_EQ(wheel.armed(), 1U);
  wheel.advance(11s);
  EXPECT_EQ(moved.fired, 1);
}

TEST(TimerWheelTest, TimersOutliveTheirWheel) {
  TestTimer timer, overdue;
  {
    TimerWheel wheel;
    wheel.advance(1h);
    wheel.arm(timer, 2h);
    wheel.arm(overdue, 1s);
  }
  EXPECT_FALSE(timer.armed());
  EXPECT_FALSE(overdue.armed());
}

struct CountingObserver final : TimerWheel::Observer {
  void on_earlier_timer() noexcept override { ++calls; }
  int calls = 0;
};

TEST(TimerWheelTest, AnObserverIsToldOnceOfAnEarlierTimer) {
  TimerWheel wheel;
  CountingObserver observer;
  TestTimer later, earlier, earliest;
  wheel.observe_before(10s, observer);
  wheel.arm(later, 11s);
  EXPECT_EQ(observer.calls, 0);
  wheel.arm(earlier, 9s);
  EXPECT_EQ(observer.calls, 1);
  wheel.arm(earliest, 1s);
  EXPECT_EQ(observer.calls, 1);
  wheel.observe_before(nanoseconds::max(), observer);
  wheel.arm(earlier, 100h);
  EXPECT_EQ(observer.calls, 2);
  wheel.observe_before(10s, observer);
  wheel.stop_observing();
  wheel.arm(earliest, 1s);
  EXPECT_EQ(observer.calls, 2);
}

// All pairs of a start and a delay around the borders of the first three levels: every cascade.
TEST(TimerWheelTest, EveryDelayFiresAtItsTickFromEveryStart) {
  std::vector<std::int64_t> ticks;
  for (const std::int64_t border : {64, 4096, 262144}) {
    for (std::int64_t offset = -3; offset <= 3; ++offset) ticks.push_back(border + offset);
  }
  for (std::int64_t small = 0; small < 10; ++small) ticks.push_back(small);
  for (const std::int64_t start : ticks) {
    for (const std::int64_t delay : ticks) {
      TimerWheel wheel;
      wheel.advance(start * kTick);
      TestTimer timer;
      const nanoseconds due = (start + delay) * kTick;
      wheel.arm(timer, due);
      // As a loop does: from one wake-up to the next.
      nanoseconds now = start * kTick;
      int wakeups = 0;
      while (timer.fired == 0) {
        const nanoseconds until = wheel.until_next(now);
        ASSERT_GE(until, 0ns);
        now += until;
        ASSERT_LE(now, due);
        wheel.advance(now);
        ASSERT_LE(++wakeups, 7);
      }
      ASSERT_EQ(now, due) << start << " + " << delay;
    }
  }
}

// The wheel against a sorted map, over random operations on all scales of time.
class Model {
 public:
  Model(TimerWheel& wheel, nanoseconds now, unsigned seed)
      : wheel_{wheel}, now_{now}, random_{seed} {
    for (int i = 0; i < 60; ++i) {
      timers_.push_back(std::make_unique<TestTimer>());
      timers_.back()->run = [this, timer = timers_.back().get()] { fired_.push_back(timer); };
    }
    wheel_.advance(now_);
  }

  void step() {
    TestTimer& timer = *timers_[random_() % timers_.size()];
    switch (random_() % 8) {
      case 0:
        wheel_.cancel(timer);
        forget(timer);
        break;
      case 1:
      case 2:
        advance(random_time());
        break;
      case 3:  // To where the wheel says that it has something to do.
        advance(std::max(wheel_.until_next(now_), nanoseconds{0}));
        break;
      default:
        arm(timer, now_ + random_time() - (random_() % 4 == 0 ? random_time() : 0ns));
    }
    ASSERT_EQ(wheel_.armed(), due_.size());
    check_until_next();
  }

 private:
  nanoseconds random_time() {
    return nanoseconds{static_cast<std::int64_t>(random_() >> (10 + random_() % 44))};
  }
  static nanoseconds fires_at(nanoseconds due) {
    return (due / kTick + (due % kTick > 0ns ? 1 : 0)) * kTick;
  }
  void forget(const TestTimer& timer) {
    std::erase_if(due_, [&](const auto& entry) { return entry.second == &timer; });
  }
  void arm(TestTimer& timer, nanoseconds due) {
    wheel_.arm(timer, due);
    forget(timer);
    due_.emplace(fires_at(due), &timer);
  }
  void advance(nanoseconds by) {
    now_ += by;
    fired_.clear();
    wheel_.advance(now_);
    std::vector<const TestTimer*> expected;
    while (!due_.empty() && due_.begin()->first <= now_) {
      expected.push_back(due_.begin()->second);
      due_.erase(due_.begin());
    }
    std::sort(expected.begin(), expected.end());  // Of one tick, the order is free.
    std::sort(fired_.begin(), fired_.end());
    ASSERT_EQ(fired_, expected);
  }
  void check_until_next() {
    const nanoseconds until = wheel_.until_next(now_);
    if (due_.empty()) {
      ASSERT_LT(until, 0ns);
    } else {
      ASSERT_GE(until, 0ns);
      ASSERT_LE(now_ + until, std::max(due_.begin()->first, now_));
    }
  }

  TimerWheel& wheel_;
  nanoseconds now_;
  std::mt19937_64 random_;
  std::multimap<nanoseconds, const TestTimer*> due_;
  std::vector<const TestTimer*> fired_;
  std::vector<std::unique_ptr<TestTimer>> timers_;
};

TEST(TimerWheelTest, AgreesWithASortedMapOverRandomOperations) {
  for (int round = 0; round < 20; ++round) {
    const unsigned seed = std::random_device{}();
    SCOPED_TRACE(testing::Message() << "seed " << seed);
    TimerWheel wheel;
    Model model{wheel, nanoseconds{seed} * 1000, seed};
    for (int i = 0; i < 2000 && !testing::Test::HasFatalFailure(); ++i) model.step();
  }
}

}  // namespace
}  // namespace tercel::net
