// tercel._core.LoopCore: the part of tercel.EventLoop that is written in C++.
//
// EventLoop derives from LoopCore and from asyncio.SelectorEventLoop. The fields that the fast
// methods need are members of this struct under the names that asyncio gives them (`_ready`,
// `_scheduled`, `_stopping` ...), so that asyncio's own Python code and the C++ code work on the
// same state and either may run at any time.
//
// Each method does what its inherited namesake does, and calls that one when a precondition fails:
// debug mode, a closed loop, an unknown layout of Handle, a subclass or a mixin or a patch that
// replaces a method they depend on, unusual arguments. What each is worth:
// docs/internals/event-loop.md. Resource: one an event loop. Thread: the loop's. Source: CPython,
// asyncio/base_events.py. Tested by test_event_loop.py, test_asyncio_suite.py.
#pragma once

#include <Python.h>

#include "python/engine.h"
#include "python/gil.h"
#include "python/handle_layout.h"

namespace tercel::python {

// A Python object: created and destroyed by CPython, zeroed before use. Owns the objects it names.
struct LoopCore {
  PyObject_HEAD
      // --- asyncio's state, under asyncio's names
      PyObject* ready;  // _ready: collections.deque of Handle.
  PyObject* scheduled;  // _scheduled: list of TimerHandle, a heap by time.
  PyObject* stopping;   // _stopping: bool.
  PyObject* debug;      // _debug: bool.
  PyObject* closed;     // _closed: bool.
  PyObject* timer_cancelled_count;
  PyObject* clock_resolution;

  // --- ours
  PyObject* engine_object;  // _core.Engine, from attach() to detach().
  Engine* engine;           // The engine in it.
  PyTypeObject* fast_type;  // The type whose methods were found to be asyncio's. Borrowed.
  PyObject* captured_task;  // The task whose first step is wanted (CallSoonCapture), borrowed.
  PyObject* captured_step;  // The step, once call_soon() saw it.

  // True while the C++ methods may stand in for the inherited ones.
  [[nodiscard]] bool fast() const noexcept {
    return fast_type == Py_TYPE(&ob_base) && debug == Py_False && closed == Py_False &&
           ready != nullptr && scheduled != nullptr && engine != nullptr;
  }
};

// The Python objects that the methods use, looked up once and never freed.
struct LoopObjects {
  PyTypeObject* loop_core;
  PyObject *call_soon, *call_at;  // Of LoopCore, to see whether a subclass has its own.

  // Found when the first loop is made, because they need asyncio.
  bool sought, known;
  HandleLayout layout;  // Valid if known, as those below.
  PyTypeObject* future;

  PyTypeObject* deque;
  PyCFunction deque_append;   // collections.deque.append, called without its descriptor.
  PyCFunction deque_popleft;  // collections.deque.popleft.
  PyObject *heappop, *heappush;
  PyObject* empty_tuple;
  PyObject* loop_keyword;  // ("loop",)

  // Interned names.
  PyObject *str_call_at, *str_call_later, *str_call_soon, *str_call_soon_threadsafe, *str_context,
      *str_create_future, *str_process_events, *str_remove_reader, *str_remove_writer, *str_run,
      *str_run_once, *str_self, *str_time, *str_timer_handle_cancelled, *str_write_to_self;
};
[[nodiscard]] const LoopObjects& loop_objects() noexcept;

// The event loop in `object`, or nullptr when it is not a tercel.EventLoop.
[[nodiscard]] LoopCore* loop_core_of(Gil& gil, PyObject* object) noexcept;

// Calls the method of the next class that has one, as super() does.
[[nodiscard]] PyObject* call_inherited(LoopCore& loop, PyObject* name, PyObject* const* args,
                                       Py_ssize_t count, PyObject* kwnames) noexcept;

// True when `task` is waited for and `callback` is its step: then it is kept, not to be queued.
[[nodiscard]] bool capture_step(LoopCore& loop, PyObject* callback) noexcept;

// LoopCore's `name` is what its own class uses: no subclass has another.
[[nodiscard]] bool is_own(const LoopCore& loop, PyObject* name, PyObject* method) noexcept;

// Adds to the end of _ready and takes from its front. They return false or nullptr with an
// exception set. REQUIRES: loop.ready is not nullptr.
[[nodiscard]] bool append_ready(Gil& gil, LoopCore& loop, PyObject* handle) noexcept;
[[nodiscard]] PyObject* pop_ready(Gil& gil, LoopCore& loop) noexcept;

// Takes the first step of a new task out of the event loop, so that it can be run at once instead
// of one turn later. asyncio.Task.__init__ gives its step to loop.call_soon(); between construction
// and destruction of this object, the call of that one task is kept instead of queued. Other calls
// (a finalizer may make some) are queued as always.
//
//   CallSoonCapture capture{gil, loop, task};
//   if (PyObject_Call(task_init, args, kwargs) ...)
//   PyObject* step = capture.take();   // nullptr: it was queued, asyncio will run it.
class CallSoonCapture {
 public:
  // True when `loop` is a tercel.EventLoop whose call_soon() is the C++ one, now.
  [[nodiscard]] static bool possible(Gil& gil, PyObject* loop) noexcept;

  // Does nothing when !possible(). `loop` and `task` outlive this.
  CallSoonCapture(Gil& gil, PyObject* loop, PyObject* task) noexcept;
  CallSoonCapture(const CallSoonCapture&) = delete;
  CallSoonCapture& operator=(const CallSoonCapture&) = delete;
  ~CallSoonCapture();

  // The step, a callable without arguments that must run in the task's context; the caller owns
  // it. nullptr without an exception when there is none.
  [[nodiscard]] PyObject* take() noexcept;

 private:
  LoopCore* loop_;
};

}  // namespace tercel::python
