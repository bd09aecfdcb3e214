// One turn of the event loop: asyncio.BaseEventLoop._run_once() and what it calls, in the same
// order: cancelled timers, the wait, descriptors, due timers, callbacks. Functions that return bool
// return false with a Python exception set.
#include <algorithm>
#include <chrono>

#include <nanobind/nanobind.h>

#include "python/errors.h"
#include "python/gil.h"
#include "python/loop_calls.h"
#include "python/loop_core.h"
#include "python/timer_heap.h"

namespace nb = nanobind;

namespace tercel::python {
namespace {

// asyncio: _MIN_SCHEDULED_TIMER_HANDLES, _MIN_CANCELLED_TIMER_HANDLES_FRACTION and
// MAXIMUM_SELECT_TIMEOUT of base_events.py.
constexpr Py_ssize_t kPurgeTimersMin = 100;
constexpr double kPurgeFraction = 0.5;
constexpr double kWaitSecondsMax = 24 * 3600.0;

const HandleLayout& layout() noexcept {
  return loop_objects().layout;
}

PyObject*& field(PyObject* handle, Py_ssize_t offset) noexcept {
  return HandleLayout::field(handle, offset);
}

bool is_cancelled(PyObject* handle) noexcept {
  return field(handle, layout().cancelled) == Py_True;
}

// --- timers

bool read_number(PyObject* object, double& number) noexcept {
  number = PyFloat_AsDouble(object);
  return number != -1.0 || PyErr_Occurred() == nullptr;
}

bool read_when(PyObject* timer, double& seconds) noexcept {
  return read_number(field(timer, layout().when), seconds);
}

// The time of the event loop, which a subclass may define anew.
bool read_time(LoopCore& loop, double& seconds) noexcept {
  PyObject* self = &loop.ob_base;
  const nb::object time = nb::steal(entering_python(
      [&] { return PyObject_VectorcallMethod(loop_objects().str_time, &self, 1, nullptr); }));
  return time.is_valid() && read_number(time.ptr(), seconds);
}

// The earliest timer, borrowed; nullptr when there is none, or one of a type that is not known: the
// next turn is left to asyncio then.
PyObject* first_timer(const LoopCore& loop) noexcept {
  if (PyList_GET_SIZE(loop.scheduled) == 0) return nullptr;
  PyObject* timer = PyList_GET_ITEM(loop.scheduled, 0);
  return Py_TYPE(timer) == layout().timer_handle ? timer : nullptr;
}

// Takes the earliest timer out of the heap; invalid when a comparison failed.
nb::object take_timer(Gil& gil, LoopCore& loop) noexcept {
  nb::object timer = nb::steal(pop_timer(gil, loop.scheduled));
  if (timer.is_valid()) {
    Py_XSETREF(field(timer.ptr(), layout().scheduled), Py_NewRef(Py_False));
  }
  return timer;
}

bool drop_cancelled_timers(Gil& gil, LoopCore& loop) noexcept {
  for (PyObject* timer = first_timer(loop); timer != nullptr && is_cancelled(timer);
       timer = first_timer(loop)) {
    PyObject* count = PyLong_FromLong(PyLong_AsLong(loop.timer_cancelled_count) - 1);
    if (count == nullptr) return false;
    Py_XSETREF(loop.timer_cancelled_count, count);
    if (!take_timer(gil, loop).is_valid()) return false;
  }
  return true;
}

bool queue_due_timers(Gil& gil, LoopCore& loop) noexcept {
  PyObject* timer = first_timer(loop);
  if (timer == nullptr) return true;
  double now = 0;
  double resolution = 0;
  if (!read_time(loop, now) || !read_number(loop.clock_resolution, resolution)) return false;
  for (; timer != nullptr; timer = first_timer(loop)) {
    double when = 0;
    if (!read_when(timer, when)) return false;
    if (when >= now + resolution) return true;
    const nb::object due = take_timer(gil, loop);
    if (!due.is_valid() || !append_ready(gil, loop, due.ptr())) return false;
  }
  return true;
}

// --- the wait

bool find_timeout(LoopCore& loop, std::chrono::nanoseconds& timeout) noexcept {
  timeout = std::chrono::nanoseconds{0};
  if (loop.stopping != Py_False || PyObject_Size(loop.ready) != 0) return true;
  PyObject* timer = first_timer(loop);
  if (timer == nullptr) {
    if (PyList_GET_SIZE(loop.scheduled) == 0) timeout = std::chrono::nanoseconds{-1};
    return true;
  }
  double when = 0;
  double now = 0;
  if (!read_when(timer, when) || !read_time(loop, now)) return false;
  timeout = to_timeout(std::min(when - now, kWaitSecondsMax));
  return true;
}

// --- descriptors

// Queues a reader or a writer; one that was cancelled is removed, by the method `remove`.
bool queue_handle(Gil& gil, LoopCore& loop, PyObject* handle, PyObject* descriptor,
                  PyObject* remove) noexcept {
  if (handle == Py_None) return true;
  if (!is_cancelled(handle)) return append_ready(gil, loop, handle);
  PyObject* args[] = {&loop.ob_base, descriptor};
  const auto call = [&] { return PyObject_VectorcallMethod(remove, args, 2, nullptr); };
  return nb::steal(entering_python(call)).is_valid();
}

// True when `key` is what asyncio registers: data is (reader, writer), each a Handle or None.
bool is_asyncio_key(PyObject* key) noexcept {
  if (!PyTuple_Check(key) || PyTuple_GET_SIZE(key) != 4) return false;
  PyObject* data = PyTuple_GET_ITEM(key, 3);
  if (!PyTuple_CheckExact(data) || PyTuple_GET_SIZE(data) != 2) return false;
  const auto known = [](PyObject* handle) { return handle == Py_None || layout().fits(handle); };
  return known(PyTuple_GET_ITEM(data, 0)) && known(PyTuple_GET_ITEM(data, 1));
}

// `key` is a selectors.SelectorKey: (fileobj, fd, events, data).
bool queue_descriptor(Gil& gil, LoopCore& loop, PyObject* key, std::uint32_t events) noexcept {
  const LoopObjects& objects = loop_objects();
  if (!is_asyncio_key(key)) {
    const nb::object list = nb::steal(Py_BuildValue("[(OI)]", key, events));
    PyObject* args[] = {&loop.ob_base, list.ptr()};
    const auto call = [&] {
      return PyObject_VectorcallMethod(objects.str_process_events, args, 2, nullptr);
    };
    return list.is_valid() && nb::steal(entering_python(call)).is_valid();
  }
  const nb::object kept = nb::borrow(key);
  PyObject* descriptor = PyTuple_GET_ITEM(key, 0);
  PyObject* data = PyTuple_GET_ITEM(key, 3);
  if ((events & kEventRead) != 0 &&
      !queue_handle(gil, loop, PyTuple_GET_ITEM(data, 0), descriptor, objects.str_remove_reader)) {
    return false;
  }
  return (events & kEventWrite) == 0 ||
         queue_handle(gil, loop, PyTuple_GET_ITEM(data, 1), descriptor, objects.str_remove_writer);
}

bool queue_ready_descriptors(Gil& gil, LoopCore& loop) noexcept {
  for (const ReadyDescriptor ready : loop.engine->foreign().ready()) {
    PyObject* key = loop.engine->key_of(gil, ready.descriptor);
    if (key == nullptr && PyErr_Occurred() != nullptr) return false;
    if (key != nullptr && !queue_descriptor(gil, loop, key, ready.events)) return false;
  }
  return true;
}

// --- callbacks

// What Handle._run() does with an exception: KeyboardInterrupt and SystemExit leave the loop,
// others go to its exception handler.
bool report(Gil& gil, PyObject* handle) noexcept {
  if (PyErr_ExceptionMatches(PyExc_SystemExit) != 0 ||
      PyErr_ExceptionMatches(PyExc_KeyboardInterrupt) != 0) {
    return false;
  }
  const nb::object exception = nb::steal(take_exception(gil));
  const nb::object home = nb::steal(PyImport_ImportModule("tercel.loop"));
  if (!home.is_valid()) return false;
  return nb::steal(entering_python([&] {
           return PyObject_CallMethod(home.ptr(), "report_callback_error", "OO", handle,
                                      exception.ptr());
         }))
      .is_valid();
}

// Returns the result of `callback(*args)` in `context`; invalid with an exception set.
nb::object call_in_context(PyObject* callback, PyObject* args, PyObject* context) noexcept {
  if (PyContext_Enter(context) < 0) return {};
  nb::object result = nb::steal(entering_python([&] {
    return PyObject_Vectorcall(callback, &PyTuple_GET_ITEM(args, 0),
                               static_cast<std::size_t>(PyTuple_GET_SIZE(args)), nullptr);
  }));
  if (PyContext_Exit(context) < 0) result.reset();
  return result;
}

bool run_handle(Gil& gil, PyObject* handle) noexcept {
  if (layout().fits(handle)) {
    if (is_cancelled(handle)) return true;
    const nb::object callback = nb::borrow(field(handle, layout().callback));
    const nb::object args = nb::borrow(field(handle, layout().args));
    const nb::object context = nb::borrow(field(handle, layout().context));
    if (callback.is_valid() && args.is_valid() && PyTuple_CheckExact(args.ptr()) &&
        context.is_valid() && PyContext_CheckExact(context.ptr())) {
      return call_in_context(callback.ptr(), args.ptr(), context.ptr()).is_valid() ||
             report(gil, handle);
    }
  }
  const auto run = [&] { return PyObject_CallMethodNoArgs(handle, loop_objects().str_run); };
  return nb::steal(entering_python(run)).is_valid();
}

// Runs what is queued now, not what that queues.
bool run_ready(Gil& gil, LoopCore& loop) noexcept {
  for (Py_ssize_t todo = PyObject_Size(loop.ready); todo > 0; --todo) {
    const nb::object handle = nb::steal(pop_ready(gil, loop));
    if (!handle.is_valid() || !run_handle(gil, handle.ptr())) return false;
  }
  return PyErr_Occurred() == nullptr;
}

// --- the turn

// True while the state is such as the functions above know it. Otherwise, and when asyncio would
// rebuild a heap full of cancelled timers, its own method makes the turn.
bool is_ordinary(const LoopCore& loop) noexcept {
  if (!loop.fast() || Py_TYPE(loop.ready) != loop_objects().deque ||
      !PyList_CheckExact(loop.scheduled) || loop.clock_resolution == nullptr ||
      loop.timer_cancelled_count == nullptr || !PyLong_CheckExact(loop.timer_cancelled_count) ||
      _PyType_Lookup(layout().handle, loop_objects().str_run) != layout().run) {
    return false;
  }
  const Py_ssize_t timers = PyList_GET_SIZE(loop.scheduled);
  if (timers > 0 && first_timer(loop) == nullptr) return false;
  if (timers <= kPurgeTimersMin) return true;
  const auto cancelled = static_cast<double>(PyLong_AsLong(loop.timer_cancelled_count));
  return cancelled <= kPurgeFraction * static_cast<double>(timers);
}

}  // namespace

PyObject* run_once(PyObject* self, PyObject* /*unused*/) noexcept {
  Gil gil = Gil::assume_held();
  LoopCore& loop = *reinterpret_cast<LoopCore*>(self);
  if (!is_ordinary(loop)) {
    return call_inherited(loop, loop_objects().str_run_once, nullptr, 0, nullptr);
  }
  std::chrono::nanoseconds timeout{};
  if (!drop_cancelled_timers(gil, loop) || !find_timeout(loop, timeout) ||
      !loop.engine->turn(gil, timeout) || !queue_ready_descriptors(gil, loop) ||
      !queue_due_timers(gil, loop) || !run_ready(gil, loop)) {
    return nullptr;
  }
  Py_RETURN_NONE;
}

}  // namespace tercel::python
