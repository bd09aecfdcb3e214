// The event loop: one epoll, one timer wheel, one thread.
//
// A turn has two halves. wait() only waits: it touches no watcher, so a binding may release an
// interpreter lock around it. dispatch() runs what is ready. A program without Python calls run().
// The loop is itself pollable: fileno() becomes readable when dispatch() has work, so another loop
// can nest it (arm_nested() says when that other loop must come back for timers).
//
// Resource: not copied, not moved. Thread: everything on the loop's thread, except wake().
// Source: epoll(7). Tested by loop_test.cc.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "tercel/base/block_pool.h"
#include "tercel/base/clock.h"
#include "tercel/base/result.h"
#include "tercel/net/syscalls.h"
#include "tercel/net/timer_wheel.h"

struct epoll_event;

namespace tercel::net {

// What a descriptor is ready for, as epoll reports it. kHangup and kError are always reported.
enum Readiness : std::uint32_t {
  kReadable = 0x001,    // EPOLLIN
  kWritable = 0x004,    // EPOLLOUT
  kError = 0x008,       // EPOLLERR
  kHangup = 0x010,      // EPOLLHUP: both directions are shut down.
  kPeerClosed = 0x2000  // EPOLLRDHUP: the peer will send nothing more.
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

// Names a registration. Stale ids (descriptor removed, or closed by somebody else) are ignored.
enum class WatchId : std::uint32_t { kNone = 0 };

// Something to do once, at the start of the next dispatch(), before any event. Intrusive: an object
// is queued at most once at a time, and leaves the queue when it is destroyed.
class Deferred {
 public:
  Deferred() noexcept = default;
  Deferred(const Deferred&) = delete;
  Deferred& operator=(const Deferred&) = delete;
  virtual void run_deferred() noexcept = 0;
  [[nodiscard]] bool queued() const noexcept { return next_ != nullptr; }

 protected:
  ~Deferred();

 private:
  friend class Loop;
  void unlink() noexcept;
  Deferred* prev_ = nullptr;
  Deferred* next_ = nullptr;
};

class Loop {
 public:
  // Events taken per turn, at most: bounds how long a turn can starve its neighbours.
  static constexpr int kEventsMax = 128;
  // The shared receive buffer.
  static constexpr std::size_t kScratchBytes = 65536;

  // Fails with kTooManyFiles or kSystem. `clock` and `syscalls` outlive the loop.
  [[nodiscard]] static Result<std::unique_ptr<Loop>> create(const Clock& clock, Syscalls& syscalls);
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;
  ~Loop();

  // --- descriptors
  // Fails with kSystem when the kernel refuses (closed descriptor, regular file, ENOSPC).
  [[nodiscard]] Result<WatchId> watch(int fd, std::uint32_t readiness, Trigger trigger,
                                      Watcher& watcher) noexcept;
  [[nodiscard]] Result<void> rewatch(WatchId id, int fd, std::uint32_t readiness,
                                     Trigger trigger) noexcept;
  // Call before closing `fd`. No event of this registration is delivered afterwards, not even one
  // that was already taken from the kernel.
  void unwatch(WatchId id, int fd) noexcept;

  // --- timers and later work
  [[nodiscard]] TimerWheel& timers() noexcept { return timers_; }
  void defer(Deferred& work) noexcept;

  // --- turning
  // Waits for events, at most until `timeout` (negative: no bound of the caller's), the next timer,
  // or wake(). Returns at once when deferred work is queued. Returns the number of events taken, 0
  // when none, or kSystem; EINTR counts as none.
  [[nodiscard]] Result<int> wait(std::chrono::nanoseconds timeout) noexcept;
  // Runs deferred work, due timers, then the events of the last wait().
  void dispatch() noexcept;
  // wait() and dispatch() until stop(). stop() may be called from a watcher.
  [[nodiscard]] Result<void> run() noexcept;
  void stop() noexcept { stopping_ = true; }

  // Ends a wait() in progress, or the next one. Thread: any; also from a signal handler.
  void wake() noexcept;

  // --- being nested
  [[nodiscard]] int fileno() const noexcept { return epoll_fd_; }

  // --- what everybody on this loop shares
  // Constant within a turn: read by wait(), after it waited.
  [[nodiscard]] std::chrono::nanoseconds now() const noexcept { return now_; }
  [[nodiscard]] BlockPool& blocks() noexcept { return blocks_; }
  [[nodiscard]] Syscalls& syscalls() noexcept { return syscalls_; }
  // True while dispatch() runs.
  [[nodiscard]] bool dispatching() const noexcept { return dispatching_; }

  // Borrows the shared receive buffer: empty when somebody further up the stack has it.
  // Give it back with return_scratch().
  [[nodiscard]] std::span<char> borrow_scratch() noexcept;
  void return_scratch() noexcept { scratch_lent_ = false; }

 private:
  struct Slot {
    Watcher* watcher = nullptr;
    std::uint32_t generation = 0;
    std::uint32_t next_free = 0;
  };
  Loop(const Clock& clock, Syscalls& syscalls) noexcept;

  const Clock& clock_;
  Syscalls& syscalls_;
  // ... to be completed by loop.cc's author.
  int epoll_fd_ = -1;
  int wake_fd_ = -1;
  int event_count_ = 0;
  bool stopping_ = false;
  bool dispatching_ = false;
  bool scratch_lent_ = false;
  std::chrono::nanoseconds now_{0};
  TimerWheel timers_;
  BlockPool blocks_;
  std::vector<Slot> slots_;
};

}  // namespace tercel::net
