// The coroutine that a Task of the application runs in.
//
// asyncio drives it as any coroutine; it drives the application's, and sees its end at once: a done
// callback on the Task would cost one more turn of the loop. It also is what lets a Task take over
// an application whose first step ran without one: it hands the Task what that step yielded, as if
// the step had happened in the Task.
//
// Looks like the application's coroutine from outside (cr_frame and the like), so that the repr and
// the stack of a Task show the application. Tested by test_asgi_dispatch.py.
#pragma once

#include <Python.h>

#include <cstddef>
#include <cstdint>

#include "python/ref.h"

namespace tercel::python::asgi {

struct SendCallable;
struct Runner;

// The runners whose applications are suspended. Keeps them, and through them their tasks: asyncio
// itself refers to tasks weakly only.
class RunnerList {
 public:
  RunnerList() noexcept = default;
  RunnerList(const RunnerList&) = delete;
  RunnerList& operator=(const RunnerList&) = delete;
  ~RunnerList();

  // Those whose exchange has ended.
  [[nodiscard]] std::size_t count_detached() const noexcept;
  // `task` runs `runner`, which is suspended.
  void add(Runner& runner, PyObject* task) noexcept;
  // Asks every task to cancel.
  void cancel_all() noexcept;

 private:
  friend struct Runner;
  Runner* first_ = nullptr;
};

enum class RunnerState : std::uint8_t {
  kFresh,     // The application has not been called.
  kHandover,  // Its first step ran before the Task: the Task has yet to see what that yielded.
  kRunning,   // asyncio drives it.
  kEnding,    // It ended in its first step: the Task has yet to end in the same way.
  kOver
};

struct Runner {
  PyObject_HEAD SendCallable* send;  // Owned: keeps the call.
  PyObject* app;                     // Owned, while kFresh; `scope` and `receive` too.
  PyObject* scope;
  PyObject* receive;
  PyObject* coroutine;  // Owned, while there is one: the application's.
  PyObject* yielded;    // Owned, while kHandover: a Future, or whatever was awaited.
  PyObject* ending;     // Owned, while kEnding: CancelledError, or null to return None.
  PyObject* task;       // Owned, while in `list`.
  RunnerList* list;     // Holds a reference to the runner. Null when in none.
  Runner* previous;     // In `list`.
  Runner* next;
  RunnerState state;
  bool parked;  // See park().

  void join(RunnerList& joined) noexcept;
  void leave() noexcept;
};

[[nodiscard]] bool init_runner() noexcept;

// A runner that calls `app` when its task first runs. Null with MemoryError set.
[[nodiscard]] Runner* make_runner(SendCallable& send, PyObject* app, Ref scope,
                                  Ref receive) noexcept;
// A runner of an application whose first step is under way: hand_over() or end() follows.
[[nodiscard]] Runner* make_runner(SendCallable& send) noexcept;

// The first step suspended: `coroutine` yielded `yielded`.
void hand_over(Runner& runner, Ref coroutine, Ref yielded) noexcept;
// The Task will take `yielded` over in a later turn. Until then the Future must not look as if it
// was in the middle of that: others may await it. REQUIRES: kHandover.
void park(Runner& runner) noexcept;
// The first step ended: the task is to end with `exception`, or with None when that is null.
void end(Runner& runner, Ref exception) noexcept;

}  // namespace tercel::python::asgi
