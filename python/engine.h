// tercel._core.Engine: the event loop of the engine, as Python sees it.
//
// Two kinds of event loop drive it. tercel.EventLoop has it as its selector: one epoll for the
// engine's sockets and asyncio's own. Any other loop (uvloop) nests it: `engine.set_nested(True)`,
// then `loop.add_reader(engine.fileno(), engine.on_ready)`.
//
// A turn waits, then dispatches: the engine's handlers run inside select(), application code with
// them. The interpreter lock is held while there is work and released around a wait that really
// blocks, never to look whether there is work: with a busy thread beside, releasing it each time
// costs more than half of the throughput (157k requests a second become 27k instead of 56k).
//
// An engine belongs to the thread that runs its loop; wake() may be called from any. After a fork
// only the parent may use it: the kernel shares the epoll between the two.
// Resource: one an event loop. Source: docs of `selectors`. Tested by test_engine.py.
#pragma once

#include <chrono>
#include <memory>

#include <nanobind/nanobind.h>

#include "python/foreign.h"
#include "python/gil.h"
#include "tercel/base/clock.h"
#include "tercel/net/loop.h"

namespace tercel::python {

// Whether it pays to look for events before the lock is released to wait for them. A look that
// finds nothing costs a system call (0.1 us), so after two vain looks only every fourth turn looks.
class LookFirst {
 public:
  [[nodiscard]] bool worth_it() noexcept {
    return vain_looks_ < kVainLooksMax || ++skipped_ % kLookEvery == 0;
  }
  void looked(bool found) noexcept { vain_looks_ = found ? 0 : vain_looks_ + 1; }

 private:
  static constexpr unsigned kVainLooksMax = 2;
  static constexpr unsigned kLookEvery = 4;
  unsigned vain_looks_ = 0;
  unsigned skipped_ = 0;
};

class Engine {
 public:
  // Turns of one on_ready(): a nested engine costs a callback of the outer loop, so it drains.
  static constexpr int kNestedTurns = 4;

  // Throws the Python exception of net::Loop::create()'s failure.
  Engine();
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;
  ~Engine();

  [[nodiscard]] net::Loop& loop() noexcept { return *loop_; }
  [[nodiscard]] ForeignDescriptors& foreign() noexcept { return foreign_; }
  [[nodiscard]] bool closed() const noexcept { return closed_; }

  // One turn: waits at most `timeout` (negative: until something happens), dispatches, and leaves
  // what asyncio has to do in foreign().ready(). Returns false with a Python exception set: that of
  // a signal handler, that of propagate(), or RuntimeError when the engine is closed or this is
  // called from within a turn.
  [[nodiscard]] bool turn(Gil& gil, std::chrono::nanoseconds timeout) noexcept;

  // True when the last turn took no event from the kernel.
  [[nodiscard]] bool was_idle() const noexcept { return was_idle_; }

  // Makes the current Python exception leave the turn in progress, once its other events are
  // handled. For those that must end the program (KeyboardInterrupt, SystemExit), raised by an
  // application that the engine called. Of several, the first leaves and the others are reported
  // as unraisable. REQUIRES: called from a handler, with an exception set.
  void propagate(Gil& gil) noexcept;

  // Ends the wait in progress, or the next one. Costs a system call only when there is a wait to
  // end: the lock tells. Thread: any that holds it; C++ threads use loop().wake().
  void wake(Gil& gil) noexcept;

  // As net::Loop::set_nested().
  [[nodiscard]] Result<void> set_nested(bool nested) noexcept;

  // Forgets the foreign descriptors. The engine's loop lives on, unused, until its last user is
  // gone. May be called twice.
  void close(Gil& gil) noexcept;

  // Descriptor to selectors.SelectorKey, filled by tercel.selector. Borrowed.
  [[nodiscard]] PyObject* keys() const noexcept { return keys_.ptr(); }
  // The key of `descriptor`, borrowed; nullptr when there is none, or with an exception set.
  [[nodiscard]] PyObject* key_of(Gil& gil, int descriptor) noexcept;

  // For the garbage collector: the keys refer to handles, these to the event loop, this to us.
  int traverse(visitproc visit, void* arg) const;
  void clear_keys() noexcept { keys_.reset(); }

 private:
  [[nodiscard]] Result<int> wait(Gil& gil, std::chrono::nanoseconds timeout) noexcept;
  [[nodiscard]] Result<int> wait_unlocked(Gil& gil, std::chrono::nanoseconds timeout) noexcept;
  [[nodiscard]] bool may_turn(Gil& gil) const noexcept;

  SteadyClock clock_;
  std::unique_ptr<net::Loop> loop_;
  ForeignDescriptors foreign_;
  LookFirst look_first_;
  nanobind::object keys_;
  nanobind::object leaving_;  // The exception that leaves this turn, if any.
  bool closed_ = false;
  bool was_idle_ = true;
  bool nested_ = false;
  bool wake_requested_ = false;  // The next wait does not wait.
  bool lock_released_ = false;   // Somebody waits: wake_requested_ alone would come too late.
};

// The engine of a `_core.Engine` or of a tercel.EventLoop. Valid as long as that object is kept.
// nullptr with TypeError set when it is neither.
[[nodiscard]] Engine* engine_of(Gil& gil, PyObject* engine_or_loop) noexcept;

// `seconds` as a timeout of turn(): rounded up, so that a wait never ends before its time; negative
// and NaN are 0; at most 31 years.
[[nodiscard]] std::chrono::nanoseconds to_timeout(double seconds) noexcept;

}  // namespace tercel::python
