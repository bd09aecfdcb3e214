// The event loop: one epoll, one timer wheel, one thread.
//
// A turn has two halves. wait() only waits: it touches no watcher, so a binding may release an
// interpreter lock around it. dispatch() runs what is ready. A program without Python calls run().
//
//   auto loop = Loop::create(clock, system_calls());
//   auto id = (*loop)->watch(fd, kReadable | kWritable, Trigger::kEdge, connection);
//   (*loop)->run();
//
// The loop is itself pollable, so that another loop can turn it: see set_nested().
//
// Resource: not copied, not moved. What it watches and what it has deferred must leave before it
// dies. Thread: everything on the loop's thread, except wake(). Source: epoll(7).
// Tested by loop_test.cc, loop_nested_test.cc.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <span>

#include "tercel/base/block_pool.h"
#include "tercel/base/clock.h"
#include "tercel/base/intrusive_list.h"
#include "tercel/base/pages.h"
#include "tercel/base/process_mark.h"
#include "tercel/base/result.h"
#include "tercel/net/pipe_pool.h"
#include "tercel/net/syscalls.h"
#include "tercel/net/timer_wheel.h"
#include "tercel/net/watch_table.h"

struct epoll_event;

namespace tercel::net {

// What a descriptor is ready for, as epoll reports it. kHangup and kError are always reported.
enum Readiness : std::uint32_t {
  kReadable = 0x001,     // EPOLLIN
  kWritable = 0x004,     // EPOLLOUT
  kError = 0x008,        // EPOLLERR
  kHangup = 0x010,       // EPOLLHUP: both directions are shut down.
  kPeerClosed = 0x2000,  // EPOLLRDHUP: the peer will send nothing more.
  // EPOLLEXCLUSIVE, a wish and no event: of the loops that watch one file, one that waits is woken
  // and not all. Not for rewatch().
  kExclusive = 0x10000000
};

enum class Trigger : std::uint8_t { kLevel, kEdge };

// Receives the events of one descriptor.
class Watcher {
 public:
  // `readiness` is a set of Readiness bits. May add and remove any watcher, itself included.
  virtual void on_ready(std::uint32_t readiness) noexcept = 0;

 protected:
  ~Watcher() = default;
};

// Names a registration of one descriptor. It stays harmless when somebody else closes the
// descriptor and its number comes back as another file: whoever registers the number next takes it
// over, and the old id is ignored.
enum class WatchId : std::uint32_t { kNone = 0 };

// Something to do once, at the start of the next dispatch(), before any event. Intrusive: an object
// is queued at most once at a time, and leaves the queue when it is destroyed.
class Deferred : private ListNode {
 public:
  Deferred() noexcept = default;
  Deferred(const Deferred&) = delete;
  Deferred& operator=(const Deferred&) = delete;
  virtual ~Deferred() = default;
  // May defer any work, itself included: that runs in the next turn.
  virtual void run_deferred() noexcept = 0;
  [[nodiscard]] bool queued() const noexcept { return linked(); }
  // Leaves the queue.
  void cancel_deferred() noexcept { unlink(); }

 private:
  friend class Loop;
  friend class IntrusiveList<Deferred>;
};
static_assert(sizeof(Deferred) <= 16 + sizeof(void*), "exists per connection");

class Loop final : private TimerWheel::Observer {
 public:
  // Events taken per turn, at most: bounds how long a turn can starve its neighbours.
  static constexpr int kEventsMax = 128;
  // The shared receive buffer.
  static constexpr std::size_t kScratchBytes = 65536;
  // Turns in which timers wait because the kernel had more events than one turn takes, at most.
  // After a stall, a peer whose bytes are already here is read before its time limit fires.
  static constexpr int kFullTurnsMax = 64;

  // Fails with kTooManyFiles, kNoMemory or kSystem. `clock` and `syscalls` outlive the loop.
  [[nodiscard]] static Result<std::unique_ptr<Loop>> create(const Clock& clock, Syscalls& syscalls);
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;
  ~Loop();

  // --- descriptors
  // One registration a descriptor. Fails with kNoMemory, or kSystem when the kernel refuses: closed
  // descriptor, already registered, regular file, fs.epoll.max_user_watches. `watcher` outlives it.
  [[nodiscard]] Result<WatchId> watch(int fd, std::uint32_t readiness, Trigger trigger,
                                      Watcher& watcher) noexcept;
  // As watch(), for a registration that is there.
  [[nodiscard]] Result<void> rewatch(WatchId id, int fd, std::uint32_t readiness,
                                     Trigger trigger) noexcept;
  // Call before closing `fd`. No event of this registration is delivered afterwards, not even one
  // that was already taken from the kernel.
  void unwatch(WatchId id, int fd) noexcept;
  // Whether this turn has an event of the descriptor that its watcher was not told of yet. If not,
  // it knows what the kernel knew when the turn began. Cost: a step for each event of the turn.
  [[nodiscard]] bool has_event(WatchId id, int fd) const noexcept;
  // errno of the last watch(), rewatch() or wait() that failed, for those who must report it.
  [[nodiscard]] int last_errno() const noexcept { return last_errno_; }

  // --- timers and later work
  [[nodiscard]] TimerWheel& timers() noexcept { return timers_; }
  void defer(Deferred& work) noexcept;

  // --- turning
  // Waits for events, at most until `timeout` (negative: no bound of the caller's), the next timer,
  // or wake(). Returns at once when deferred work is queued, or events of the last wait() are not
  // dispatched yet. Returns the number of events there are, 0 when none, or kSystem; EINTR counts
  // as none. A timeout of 0 only looks. Fails in a child of fork(): the events are the parent's.
  [[nodiscard]] Result<int> wait(std::chrono::nanoseconds timeout) noexcept;
  // Runs deferred work, then the events of the last wait(), then due timers. Not reentrant.
  void dispatch() noexcept;
  // wait() and dispatch() until stop(), which may be called from a watcher, or before. Fails as
  // wait().
  [[nodiscard]] Result<void> run() noexcept;
  void stop() noexcept { stopping_ = true; }

  // Ends a wait() in progress, or the next one. Thread: any; also from a signal handler.
  void wake() noexcept;

  // --- being nested
  // Readable, level-triggered, while events are ready.
  [[nodiscard]] int fileno() const noexcept { return epoll_fd_; }
  // Prepares the loop to be turned by a foreign one: whenever fileno() is readable, that one calls
  // wait(0) and dispatch(). While nested, fileno() also becomes readable when a timer is due
  // (a timerfd in the epoll, set anew only when it would ring too late) and when deferred work is
  // left (one wake()), and now() reads the clock between turns. Costs nothing when not nested.
  // Fails with kTooManyFiles, kNoMemory or kSystem, and is then as before.
  [[nodiscard]] Result<void> set_nested(bool nested) noexcept;

  // --- what everybody on this loop shares
  // False in a child of fork(): descriptors and epoll are shared with the parent, and are its own.
  // There a turn in progress handles no further event, and unwatch() only forgets.
  [[nodiscard]] bool in_own_process() const noexcept { return process_.here(); }
  // Constant within a turn: read by wait(), after it waited.
  [[nodiscard]] std::chrono::nanoseconds now() const noexcept {
    return nested_ && !dispatching_ ? clock_.now() : now_;
  }
  [[nodiscard]] BlockPool& blocks() noexcept { return blocks_; }
  [[nodiscard]] PipePool& pipes() noexcept { return pipes_; }
  [[nodiscard]] Syscalls& syscalls() noexcept { return syscalls_; }
  // True while dispatch() runs.
  [[nodiscard]] bool dispatching() const noexcept { return dispatching_; }

  // Borrows the shared receive buffer: empty when somebody further up the stack has it.
  // Give it back with return_scratch().
  [[nodiscard]] std::span<char> borrow_scratch() noexcept;
  void return_scratch() noexcept { scratch_lent_ = false; }

 private:
  // Descriptors of the loop itself. An edge says all: they are never read.
  class WakeWatcher final : public Watcher {
    void on_ready(std::uint32_t) noexcept override {}
  };
  class AlarmWatcher final : public Watcher {
   public:
    explicit AlarmWatcher(Loop& loop) noexcept : loop_{loop} {}

   private:
    void on_ready(std::uint32_t) noexcept override;
    Loop& loop_;
  };

  Loop(const Clock& clock, Syscalls& syscalls);
  [[nodiscard]] Result<void> open() noexcept;
  [[nodiscard]] Failure refused(int result) noexcept;
  [[nodiscard]] WatchTable::Entry* find(WatchId id, int fd) noexcept;
  [[nodiscard]] std::chrono::nanoseconds bounded(std::chrono::nanoseconds timeout) const noexcept;
  void run_deferred() noexcept;
  void run_events() noexcept;
  void run_timers(bool more_events) noexcept;
  [[nodiscard]] Result<void> open_alarm() noexcept;
  void close_alarm() noexcept;
  void set_alarm() noexcept;
  void on_earlier_timer() noexcept override;

  const Clock& clock_;
  Syscalls& syscalls_;
  const ProcessMark process_;
  int epoll_fd_ = -1;
  int wake_fd_ = -1;
  int alarm_fd_ = -1;  // The timerfd, while nested.
  int last_errno_ = 0;
  int event_count_ = 0;
  int next_event_ = 0;
  int full_turns_ = 0;
  bool stopping_ = false;
  bool dispatching_ = false;
  bool nested_ = false;
  bool scratch_lent_ = false;
  bool removal_failed_ = false;  // Ever.
  std::chrono::nanoseconds now_;
  std::chrono::nanoseconds alarm_due_ = std::chrono::nanoseconds::max();
  WatchId alarm_id_ = WatchId::kNone;
  WatchTable watches_;
  std::unique_ptr<epoll_event[]> events_;
  Pages scratch_;
  IntrusiveList<Deferred> deferred_;
  WakeWatcher wake_watcher_;
  AlarmWatcher alarm_watcher_{*this};
  TimerWheel timers_;
  BlockPool blocks_;
  PipePool pipes_;
};

}  // namespace tercel::net
