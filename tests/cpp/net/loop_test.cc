#include "tercel/net/loop.h"

#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <functional>
#include <memory>
#include <optional>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "support/descriptors.h"
#include "support/failing_syscalls.h"
#include "support/manual_clock.h"

namespace tercel::net {
namespace {

using namespace std::chrono_literals;  // NOLINT(google-build-using-namespace): only literals.
using test::Call;
using test::FailingSyscalls;
using test::Fd;
using test::ManualClock;
using test::send_text;
using test::socket_pair;
using test::SocketPair;

// Records what it is told, and does what the test wants.
struct TestWatcher final : Watcher {
  void on_ready(std::uint32_t readiness) noexcept override {
    seen.push_back(readiness);
    if (action) action();
  }
  std::vector<std::uint32_t> seen;
  std::function<void()> action;
};

struct TestTimer final : Timer {
  void on_timer() noexcept override {
    if (action) action();
  }
  std::function<void()> action;
};

struct TestWork final : Deferred {
  void run_deferred() noexcept override {
    if (action) action();
  }
  std::function<void()> action;
};

class LoopTest : public testing::Test {
 protected:
  LoopTest() {
    auto created = Loop::create(clock_, syscalls_);
    EXPECT_TRUE(created);
    loop_ = *std::move(created);
  }
  // Returns the number of events.
  int turn(std::chrono::nanoseconds timeout = 0ns) {
    const auto events = loop_->wait(timeout);
    EXPECT_TRUE(events);
    loop_->dispatch();
    return *events;
  }
  WatchId watch(const Fd& fd, Watcher& watcher, std::uint32_t readiness = kReadable,
                Trigger trigger = Trigger::kLevel) {
    const auto id = loop_->watch(fd.get(), readiness, trigger, watcher);
    EXPECT_TRUE(id);
    return id ? *id : WatchId::kNone;
  }

  ManualClock clock_;
  FailingSyscalls syscalls_;
  std::unique_ptr<Loop> loop_;
};

// --- descriptors

TEST_F(LoopTest, NumbersMayBeFarApart) {
  const SocketPair pair = socket_pair();
  const Fd far{::fcntl(pair.ours.get(), F_DUPFD_CLOEXEC, 1000)};
  ASSERT_GE(far.get(), 1000);
  TestWatcher near_watcher, far_watcher;
  const WatchId id = watch(far, far_watcher);
  watch(pair.ours, near_watcher);
  loop_->unwatch(id, 700);  // Nobody ever watched anything near it.
  loop_->unwatch(id, -1);
  send_text(pair.peers, "x");
  EXPECT_EQ(turn(), 2);
  EXPECT_EQ(near_watcher.seen.size(), 1U);
  EXPECT_EQ(far_watcher.seen.size(), 1U);
  loop_->unwatch(id, far.get());
  EXPECT_EQ(turn(), 1);
}

// What one watcher does may depend on what the kernel says of another one.
TEST_F(LoopTest, AWatcherMayAskForTheEventsThatAreStillToCome) {
  const SocketPair first = socket_pair();
  const SocketPair second = socket_pair();
  TestWatcher watchers[2];
  const SocketPair* const pairs[] = {&first, &second};
  const WatchId ids[] = {watch(first.ours, watchers[0]), watch(second.ours, watchers[1])};
  std::vector<bool> others_to_come;
  for (std::size_t i : {0, 1}) {
    watchers[i].action = [&, i] {
      EXPECT_FALSE(loop_->has_event(ids[i], pairs[i]->ours.get())) << "it is told of it now";
      others_to_come.push_back(loop_->has_event(ids[1 - i], pairs[1 - i]->ours.get()));
    };
  }
  send_text(first.peers, "x");
  send_text(second.peers, "x");
  EXPECT_EQ(turn(), 2);
  EXPECT_EQ(others_to_come, (std::vector{true, false}));
  EXPECT_FALSE(loop_->has_event(ids[0], first.ours.get())) << "that was the last turn";
  loop_->unwatch(ids[0], first.ours.get());
  loop_->unwatch(ids[1], second.ours.get());
}

TEST_F(LoopTest, ALevelIsReportedAsLongAsItLasts) {
  const SocketPair pair = socket_pair();
  TestWatcher watcher;
  watch(pair.ours, watcher);
  EXPECT_EQ(turn(), 0);
  send_text(pair.peers, "x");
  EXPECT_EQ(turn(), 1);
  EXPECT_EQ(turn(), 1);
  EXPECT_EQ(test::receive_all(pair.ours), "x");
  EXPECT_EQ(turn(), 0);
  EXPECT_EQ(watcher.seen, (std::vector<std::uint32_t>{kReadable, kReadable}));
}

TEST_F(LoopTest, AnEdgeIsReportedOnce) {
  const SocketPair pair = socket_pair();
  TestWatcher watcher;
  watch(pair.ours, watcher, kReadable | kWritable | kPeerClosed, Trigger::kEdge);
  EXPECT_EQ(turn(), 1);
  EXPECT_EQ(turn(), 0);
  send_text(pair.peers, "x");
  EXPECT_EQ(turn(), 1);
  EXPECT_EQ(turn(), 0);
  ::shutdown(pair.peers.get(), SHUT_WR);
  turn();
  EXPECT_EQ(watcher.seen, (std::vector<std::uint32_t>{kWritable, kReadable | kWritable,
                                                      kReadable | kWritable | kPeerClosed}));
}

TEST_F(LoopTest, RewatchChangesWhatIsReported) {
  const SocketPair pair = socket_pair();
  TestWatcher watcher;
  const WatchId id = watch(pair.ours, watcher, kWritable);
  EXPECT_EQ(turn(), 1);
  EXPECT_TRUE(loop_->rewatch(id, pair.ours.get(), kReadable, Trigger::kLevel));
  EXPECT_EQ(turn(), 0);
  send_text(pair.peers, "x");
  EXPECT_EQ(turn(), 1);
}

TEST_F(LoopTest, WhatTheKernelRefusesFailsWithItsErrno) {
  TestWatcher watcher;
  const auto refused = [&](int fd, Errc error, int number) {
    const auto id = loop_->watch(fd, kReadable, Trigger::kLevel, watcher);
    ASSERT_FALSE(id);
    EXPECT_EQ(id.error(), error);
    EXPECT_EQ(loop_->last_errno(), number);
  };
  refused(-1, Errc::kSystem, EBADF);
  refused(1'000'000, Errc::kSystem, EBADF);
  const Fd file{::open("/proc/self/exe", O_RDONLY | O_CLOEXEC)};
  refused(file.get(), Errc::kSystem, EPERM);
  const SocketPair pair = socket_pair();
  watch(pair.ours, watcher);
  refused(pair.ours.get(), Errc::kSystem, EEXIST);
  syscalls_.fail(Call::kEpollCtl, ENOMEM);
  refused(pair.peers.get(), Errc::kNoMemory, ENOMEM);
  syscalls_.fail(Call::kEpollCtl, ENOSPC);
  refused(pair.peers.get(), Errc::kSystem, ENOSPC);
  EXPECT_EQ(turn(), 0);
  send_text(pair.peers, "x");
  EXPECT_EQ(turn(), 1);  // The registration that was there is not harmed.
}

TEST_F(LoopTest, AFailedRewatchLeavesTheRegistrationAsItWas) {
  const SocketPair pair = socket_pair();
  TestWatcher watcher;
  const WatchId id = watch(pair.ours, watcher);
  syscalls_.fail(Call::kEpollCtl, ENOMEM);
  const auto changed = loop_->rewatch(id, pair.ours.get(), kWritable, Trigger::kLevel);
  ASSERT_FALSE(changed);
  EXPECT_EQ(changed.error(), Errc::kNoMemory);
  EXPECT_EQ(turn(), 0);
  EXPECT_FALSE(loop_->rewatch(WatchId{12345}, pair.ours.get(), kWritable, Trigger::kLevel));
  EXPECT_EQ(loop_->last_errno(), ENOENT);
}

// --- events that came too late

TEST_F(LoopTest, UnwatchInABatchDropsTheEventThatWasTakenAlready) {
  const SocketPair one = socket_pair();
  const SocketPair two = socket_pair();
  TestWatcher first, second;
  const WatchId first_id = watch(one.ours, first);
  const WatchId second_id = watch(two.ours, second);
  // Whoever runs first removes the other.
  first.action = [&] { loop_->unwatch(second_id, two.ours.get()); };
  second.action = [&] { loop_->unwatch(first_id, one.ours.get()); };
  send_text(one.peers, "x");
  send_text(two.peers, "x");
  const int calls = syscalls_.calls(Call::kEpollCtl);
  EXPECT_EQ(turn(), 2);
  EXPECT_EQ(first.seen.size() + second.seen.size(), 1U);
  // The number of the other may belong to another thread by now: it is named in no second call.
  EXPECT_EQ(syscalls_.calls(Call::kEpollCtl), calls + 1);
}

TEST_F(LoopTest, AWatcherMayRemoveItselfAndAddOthers) {
  const SocketPair one = socket_pair();
  const SocketPair two = socket_pair();
  TestWatcher first, second;
  send_text(one.peers, "x");
  send_text(two.peers, "x");
  WatchId id = watch(one.ours, first);
  first.action = [&] {
    loop_->unwatch(id, one.ours.get());
    watch(two.ours, second);
  };
  EXPECT_EQ(turn(), 1);
  EXPECT_TRUE(second.seen.empty());
  EXPECT_EQ(turn(), 1);
  EXPECT_EQ(first.seen.size(), 1U);
  EXPECT_EQ(second.seen.size(), 1U);
}

// The number of a descriptor comes back within one batch: the event that is still queued belongs to
// the connection that is gone, not to the new one.
TEST_F(LoopTest, AReusedNumberDoesNotGetTheEventOfItsPredecessor) {
  SocketPair old = socket_pair();
  SocketPair trigger = socket_pair();
  SocketPair fresh = socket_pair();
  TestWatcher old_watcher, trigger_watcher, fresh_watcher;
  const WatchId trigger_id = watch(trigger.ours, trigger_watcher);
  WatchId old_id = watch(old.ours, old_watcher);
  int replaced_first = 0;
  trigger_watcher.action = [&] {
    replaced_first = old_watcher.seen.empty() ? 1 : 0;
    loop_->unwatch(old_id, old.ours.get());
    ASSERT_EQ(::dup2(fresh.ours.get(), old.ours.get()), old.ours.get());
    watch(old.ours, fresh_watcher);
    loop_->unwatch(trigger_id, trigger.ours.get());
  };
  send_text(trigger.peers, "x");  // Ready first, so it stands first in the batch.
  send_text(old.peers, "x");
  EXPECT_EQ(turn(), 2);
  EXPECT_EQ(replaced_first, 1);
  EXPECT_TRUE(old_watcher.seen.empty());
  EXPECT_TRUE(fresh_watcher.seen.empty());
  EXPECT_EQ(turn(), 0);
  send_text(fresh.peers, "y");
  EXPECT_EQ(turn(), 1);
  EXPECT_EQ(fresh_watcher.seen.size(), 1U);
}

// Somebody else closes our descriptor (os.close() in the application) and its number comes back.
TEST_F(LoopTest, ADescriptorClosedBySomebodyElseIsHarmless) {
  SocketPair ours = socket_pair();
  TestWatcher watcher, successor;
  const WatchId id = watch(ours.ours, watcher);
  const int number = ours.ours.release();
  ::close(number);
  EXPECT_EQ(turn(), 0);

  SocketPair other = socket_pair();
  ASSERT_EQ(::dup2(other.ours.get(), number), number);
  const Fd reused{number};
  const WatchId successor_id = watch(reused, successor);
  EXPECT_NE(id, successor_id);

  // The first owner does not know yet, and must not take the registration from its successor.
  EXPECT_FALSE(loop_->rewatch(id, number, kWritable, Trigger::kLevel));
  loop_->unwatch(id, number);
  send_text(other.peers, "x");
  EXPECT_EQ(turn(), 1);
  EXPECT_TRUE(watcher.seen.empty());
  EXPECT_EQ(successor.seen, (std::vector<std::uint32_t>{kReadable}));
}

// A copy of the closed descriptor keeps the kernel's registration alive: its events name a number
// that is nobody's.
TEST_F(LoopTest, AClosedDescriptorWithALivingCopyReachesNobody) {
  SocketPair pair = socket_pair();
  TestWatcher watcher;
  const WatchId id = watch(pair.ours, watcher, kReadable, Trigger::kEdge);
  const Fd copy{::dup(pair.ours.get())};
  const int number = pair.ours.get();
  pair.ours.reset();
  loop_->unwatch(id, number);
  send_text(pair.peers, "x");
  turn();
  EXPECT_TRUE(watcher.seen.empty());
}

TEST_F(LoopTest, ANumberWhoseRemovalFailedCanBeWatchedAgain) {
  const SocketPair pair = socket_pair();
  TestWatcher before, after;
  const WatchId id = watch(pair.ours, before);
  syscalls_.fail(Call::kEpollCtl, ENOMEM);
  loop_->unwatch(id, pair.ours.get());
  watch(pair.ours, after);
  send_text(pair.peers, "x");
  EXPECT_EQ(turn(), 1);
  EXPECT_TRUE(before.seen.empty());
  EXPECT_EQ(after.seen.size(), 1U);
}

// Level-triggered, it would keep the loop awake for ever.
TEST_F(LoopTest, ARegistrationWhoseRemovalFailedIsRemovedWithItsFirstEvent) {
  const SocketPair pair = socket_pair();
  TestWatcher watcher;
  const WatchId id = watch(pair.ours, watcher);
  syscalls_.fail(Call::kEpollCtl, ENOMEM);
  loop_->unwatch(id, pair.ours.get());
  send_text(pair.peers, "x");
  EXPECT_EQ(turn(), 1);
  EXPECT_EQ(turn(), 0);
  EXPECT_TRUE(watcher.seen.empty());
}

TEST_F(LoopTest, ManyDescriptorsKeepTheirWatchers) {
  std::vector<SocketPair> pairs;
  std::vector<std::unique_ptr<TestWatcher>> watchers;
  for (int i = 0; i < 400; ++i) {
    pairs.push_back(socket_pair());
    watchers.push_back(std::make_unique<TestWatcher>());
    watch(pairs.back().ours, *watchers.back(), kReadable, Trigger::kEdge);
  }
  for (std::size_t i = 0; i < pairs.size(); i += 2) send_text(pairs[i].peers, "x");
  EXPECT_EQ(turn(), Loop::kEventsMax);
  EXPECT_EQ(turn(), 200 - Loop::kEventsMax);
  for (std::size_t i = 0; i < pairs.size(); ++i) {
    EXPECT_EQ(watchers[i]->seen.size(), i % 2 == 0 ? 1U : 0U);
  }
}

// --- turning

TEST_F(LoopTest, WaitTouchesNoWatcherAndKeepsItsEvents) {
  const SocketPair pair = socket_pair();
  TestWatcher watcher;
  watch(pair.ours, watcher, kReadable, Trigger::kEdge);
  send_text(pair.peers, "x");
  EXPECT_EQ(*loop_->wait(0ns), 1);
  EXPECT_TRUE(watcher.seen.empty());
  EXPECT_EQ(*loop_->wait(-1ns), 1);  // The edge is not lost, and waiting does not block.
  loop_->dispatch();
  EXPECT_EQ(watcher.seen.size(), 1U);
}

TEST_F(LoopTest, AnInterruptedWaitHasNoEvents) {
  syscalls_.fail(Call::kEpollWait, EINTR);
  EXPECT_EQ(*loop_->wait(-1ns), 0);
}

// A process that was stopped for a while comes back with EINTR: the bytes that came meanwhile are
// seen before the time limits of those who sent them.
TEST_F(LoopTest, AnInterruptedWaitTakesWhatHasComeMeanwhile) {
  const SocketPair pair = socket_pair();
  TestWatcher watcher;
  watch(pair.ours, watcher);
  send_text(pair.peers, "x");
  syscalls_.fail(Call::kEpollWait, EINTR);
  EXPECT_EQ(*loop_->wait(-1ns), 1);
  syscalls_.fail(Call::kEpollWait, EINTR, 1, 2);
  loop_->dispatch();
  EXPECT_EQ(*loop_->wait(-1ns), 0);  // Twice in a row it is not tried again.
}

TEST_F(LoopTest, AFailedWaitFailsRun) {
  syscalls_.fail(Call::kEpollWait, EINVAL);
  const auto result = loop_->run();
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error(), Errc::kSystem);
  EXPECT_EQ(loop_->last_errno(), EINVAL);
}

TEST_F(LoopTest, RunGoesOnUntilStop) {
  const SocketPair pair = socket_pair();
  TestWatcher watcher;
  watch(pair.ours, watcher);
  watcher.action = [&] {
    if (watcher.seen.size() == 3) loop_->stop();
  };
  send_text(pair.peers, "x");
  EXPECT_TRUE(loop_->run());
  EXPECT_EQ(watcher.seen.size(), 3U);
  loop_->stop();
  EXPECT_TRUE(loop_->run());  // Returns at once.
  EXPECT_EQ(watcher.seen.size(), 3U);
}

TEST_F(LoopTest, DispatchingIsTrueOnlyInDispatch) {
  bool inside = false;
  TestWork work;
  work.action = [&] { inside = loop_->dispatching(); };
  loop_->defer(work);
  EXPECT_FALSE(loop_->dispatching());
  turn();
  EXPECT_TRUE(inside);
  EXPECT_FALSE(loop_->dispatching());
}

TEST_F(LoopTest, TheScratchIsLentToOneAtATime) {
  const auto scratch = loop_->borrow_scratch();
  EXPECT_EQ(scratch.size(), Loop::kScratchBytes);
  EXPECT_TRUE(loop_->borrow_scratch().empty());
  loop_->return_scratch();
  EXPECT_EQ(loop_->borrow_scratch().data(), scratch.data());
  loop_->return_scratch();
}

// --- deferred work

TEST_F(LoopTest, DeferredWorkRunsInOrderBeforeEventsAndEventsBeforeTimers) {
  std::vector<int> order;
  TestWork one, two;
  TestTimer timer;
  TestWatcher watcher;
  const SocketPair pair = socket_pair();
  one.action = [&] { order.push_back(1); };
  two.action = [&] { order.push_back(2); };
  watcher.action = [&] { order.push_back(3); };
  timer.action = [&] { order.push_back(4); };
  loop_->timers().arm(timer, loop_->now());
  watch(pair.ours, watcher);
  send_text(pair.peers, "x");
  loop_->defer(one);
  loop_->defer(two);
  loop_->defer(one);  // Queued already.
  EXPECT_TRUE(one.queued());
  turn(-1ns);
  EXPECT_FALSE(one.queued());
  EXPECT_EQ(order, (std::vector{1, 2, 3, 4}));
}

TEST_F(LoopTest, WorkDeferredByWorkRunsInTheNextTurnWhichDoesNotWait) {
  int runs = 0;
  TestWork work;
  work.action = [&] {
    if (++runs < 3) loop_->defer(work);
  };
  loop_->defer(work);
  for (int expected = 1; expected <= 3; ++expected) {
    EXPECT_EQ(turn(-1ns), 0);
    EXPECT_EQ(runs, expected);
  }
}

TEST_F(LoopTest, WorkMayDestroyAndCancelWorkThatIsQueuedBehindIt) {
  int runs = 0;
  TestWork first, cancelled, last;
  auto destroyed = std::make_unique<TestWork>();
  for (TestWork* work : {destroyed.get(), &cancelled}) work->action = [&] { runs += 100; };
  last.action = [&] { ++runs; };
  first.action = [&] {
    destroyed.reset();
    cancelled.cancel_deferred();
    loop_->defer(last);  // Queued already, in this turn.
  };
  for (TestWork* work : {&first, destroyed.get(), &cancelled, &last}) loop_->defer(*work);
  turn();
  EXPECT_EQ(runs, 1);
  EXPECT_FALSE(last.queued());
}

TEST_F(LoopTest, WorkOutlivesTheLoop) {
  TestWork work;
  loop_->defer(work);
  loop_.reset();
  EXPECT_FALSE(work.queued());
}

// --- time

TEST_F(LoopTest, TimersFireWhenTheClockIsMoved) {
  int fired = 0;
  TestTimer timer;
  timer.action = [&] { ++fired; };
  loop_->timers().arm(timer, loop_->now() + 1s);
  turn();
  clock_.advance(900ms);
  turn();
  EXPECT_EQ(fired, 0);
  clock_.advance(200ms);
  turn(-1ns);  // A due timer: no waiting.
  EXPECT_EQ(fired, 1);
}

TEST_F(LoopTest, NowIsConstantWithinATurn) {
  TestWork work;
  std::chrono::nanoseconds seen{};
  work.action = [&] {
    clock_.advance(1s);
    seen = loop_->now();
  };
  loop_->defer(work);
  const auto before = clock_.now();
  turn();
  EXPECT_EQ(seen, before);
  turn();
  EXPECT_EQ(loop_->now(), before + 1s);
}

// A stall of the application: the time limit has passed, and so have the bytes that keep it.
TEST_F(LoopTest, AfterAStallTheBytesThatAreHereComeBeforeTheTimeLimits) {
  std::vector<SocketPair> pairs;
  std::vector<std::unique_ptr<TestWatcher>> watchers;
  std::vector<std::unique_ptr<TestTimer>> timers;
  int timed_out = 0;
  for (int i = 0; i < 3 * Loop::kEventsMax; ++i) {
    pairs.push_back(socket_pair());
    auto& timer = *timers.emplace_back(std::make_unique<TestTimer>());
    auto& watcher = *watchers.emplace_back(std::make_unique<TestWatcher>());
    timer.action = [&] { ++timed_out; };
    watcher.action = [&] { loop_->timers().cancel(timer); };
    loop_->timers().arm(timer, loop_->now() + 1s);
    watch(pairs.back().ours, watcher, kReadable, Trigger::kEdge);
    send_text(pairs.back().peers, "x");
  }
  clock_.advance(10s);
  for (int i = 0; i < 4; ++i) turn();
  EXPECT_EQ(timed_out, 0);
}

TEST_F(LoopTest, TimersFireInTheEndHoweverManyEventsThereAre) {
  std::vector<SocketPair> pairs;
  TestWatcher watcher;
  for (int i = 0; i < Loop::kEventsMax; ++i) {
    pairs.push_back(socket_pair());
    watch(pairs.back().ours, watcher, kWritable);
  }
  int fired = 0;
  TestTimer timer;
  timer.action = [&] { ++fired; };
  loop_->timers().arm(timer, loop_->now());
  for (int i = 0; i < Loop::kFullTurnsMax; ++i) EXPECT_EQ(turn(), Loop::kEventsMax);
  EXPECT_EQ(fired, 1);
}

TEST(LoopWithSteadyClockTest, ATimerEndsTheWait) {
  const SteadyClock clock;
  auto loop = Loop::create(clock, system_calls());
  ASSERT_TRUE(loop);
  bool fired = false;
  TestTimer timer;
  timer.action = [&] {
    fired = true;
    (*loop)->stop();
  };
  const auto start = clock.now();
  (*loop)->timers().arm(timer, start + 30ms);
  EXPECT_TRUE((*loop)->run());
  EXPECT_TRUE(fired);
  EXPECT_GE(clock.now() - start, 30ms);
}

TEST(LoopWithSteadyClockTest, TheCallersBoundEndsTheWait) {
  const SteadyClock clock;
  auto loop = Loop::create(clock, system_calls());
  ASSERT_TRUE(loop);
  TestTimer timer;
  (*loop)->timers().arm(timer, clock.now() + 1h);
  for (const auto bound : {1ms, 20ms}) {
    const auto start = clock.now();
    EXPECT_EQ(*(*loop)->wait(bound), 0);
    EXPECT_GE(clock.now() - start, bound);
  }
}

// --- waking

TEST_F(LoopTest, AWakeEndsTheNextWait) {
  loop_->wake();
  loop_->wake();
  EXPECT_EQ(turn(-1ns), 1);
  EXPECT_EQ(turn(), 0);
  loop_->wake();
  EXPECT_EQ(turn(-1ns), 1);
}

TEST(LoopWithSteadyClockTest, AThreadWakesTheLoop) {
  const SteadyClock clock;
  auto loop = Loop::create(clock, system_calls());
  ASSERT_TRUE(loop);
  std::atomic<int> rounds{0};
  std::thread other{[&] {
    for (int i = 0; i < 200; ++i) {
      const int before = rounds.load();
      (*loop)->wake();
      while (rounds.load() == before) std::this_thread::yield();
    }
  }};
  while (rounds.load() < 200) {
    EXPECT_GE(*(*loop)->wait(10s), 1);
    (*loop)->dispatch();
    ++rounds;
  }
  other.join();
}

Loop* loop_for_signal = nullptr;

TEST_F(LoopTest, ASignalHandlerMayWakeTheLoop) {
  loop_for_signal = loop_.get();
  struct sigaction action {};
  struct sigaction before {};
  action.sa_handler = [](int) { loop_for_signal->wake(); };
  ASSERT_EQ(::sigaction(SIGUSR1, &action, &before), 0);
  ::raise(SIGUSR1);
  EXPECT_EQ(turn(-1ns), 1);
  ::sigaction(SIGUSR1, &before, nullptr);
}

// --- what fails

TEST(LoopCreateTest, EveryFailureOfTheSystemIsReportedAndLeaksNoDescriptor) {
  const ManualClock clock;
  const auto open_before = test::open_descriptors();
  for (int nth = 1;; ++nth) {
    bool happened = false;
    for (std::size_t choice = 0; choice < 3; ++choice) {
      FailingSyscalls syscalls;
      syscalls.fail_any(nth, choice);
      const auto loop = Loop::create(clock, syscalls);
      happened = syscalls.failed() != Call::kCount;
      if (!happened) break;
      EXPECT_FALSE(loop) << name_of(syscalls.failed());
      EXPECT_EQ(test::open_descriptors(), open_before);
    }
    if (!happened) {
      EXPECT_EQ(nth, 4);  // epoll_create1, eventfd, epoll_ctl: three ways to fail.
      break;
    }
  }
}

TEST(LoopCreateTest, RunningOutOfDescriptorsHasItsOwnError) {
  const ManualClock clock;
  FailingSyscalls syscalls;
  syscalls.fail(Call::kEpollCreate1, EMFILE);
  EXPECT_EQ(Loop::create(clock, syscalls).error(), Errc::kTooManyFiles);
  syscalls.fail(Call::kEventfd, ENOMEM);
  EXPECT_EQ(Loop::create(clock, syscalls).error(), Errc::kNoMemory);
}

TEST_F(LoopTest, AChildOfForkGetsNoEvents) {
  loop_->wake();
  const pid_t child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    const auto events = loop_->wait(std::chrono::seconds{5});
    ::_exit(!events && loop_->last_errno() == EBADF ? 0 : 1);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
  const auto events = loop_->wait(std::chrono::seconds{5});
  ASSERT_TRUE(events);
  EXPECT_EQ(*events, 1);
}

}  // namespace
}  // namespace tercel::net
