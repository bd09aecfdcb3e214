#include "python/loop_calls.h"

#include <iterator>

#include <nanobind/nanobind.h>

#include "python/gil.h"
#include "python/loop_core.h"
#include "python/timer_heap.h"

namespace nb = nanobind;

namespace tercel::python {
namespace {

LoopCore& core(PyObject* self) noexcept {
  return *reinterpret_cast<LoopCore*>(self);
}

// The positional arguments after those that a method takes itself: a callback and its arguments.
struct Call {
  PyObject* const* args;
  Py_ssize_t count;
  PyObject* context;  // Borrowed; nullptr: a copy of the current one.
};

// What a method was called with. False: not `taken` + 1 positional arguments at least, or another
// keyword than `context`.
bool parse(PyObject* const* args, Py_ssize_t count, PyObject* kwnames, Py_ssize_t taken,
           Call& call) noexcept {
  call = {args + taken, count - taken, nullptr};
  if (call.count < 1) return false;
  if (kwnames == nullptr || PyTuple_GET_SIZE(kwnames) == 0) return true;
  PyObject* name = PyTuple_GET_ITEM(kwnames, 0);
  PyObject* context = loop_objects().str_context;
  if (PyTuple_GET_SIZE(kwnames) != 1 ||
      (name != context && PyUnicode_Compare(name, context) != 0)) {
    return false;
  }
  if (args[count] != Py_None) call.context = args[count];
  return true;
}

nb::object arguments_of(const Call& call) noexcept {
  if (call.count == 1) return nb::borrow(loop_objects().empty_tuple);
  nb::object tuple = nb::steal(PyTuple_New(call.count - 1));
  if (!tuple.is_valid()) return tuple;
  for (Py_ssize_t i = 1; i < call.count; ++i) {
    PyTuple_SET_ITEM(tuple.ptr(), i - 1, Py_NewRef(call.args[i]));
  }
  return tuple;
}

// A new Handle or TimerHandle, as Handle.__init__ makes it out of debug mode.
nb::object new_handle(LoopCore& loop, PyTypeObject* type, const Call& call) noexcept {
  const HandleLayout& layout = loop_objects().layout;
  nb::object arguments = arguments_of(call);
  nb::object context =
      call.context != nullptr ? nb::borrow(call.context) : nb::steal(PyContext_CopyCurrent());
  if (!arguments.is_valid() || !context.is_valid()) return {};
  nb::object handle = nb::steal(type->tp_alloc(type, 0));
  if (!handle.is_valid()) return handle;
  const auto set = [&](Py_ssize_t offset, PyObject* value) {
    HandleLayout::field(handle.ptr(), offset) = value;
  };
  set(layout.callback, Py_NewRef(call.args[0]));
  set(layout.args, arguments.release().ptr());
  set(layout.cancelled, Py_NewRef(Py_False));
  set(layout.loop, Py_NewRef(&loop.ob_base));
  set(layout.source_traceback, Py_NewRef(Py_None));
  set(layout.repr, Py_NewRef(Py_None));
  set(layout.context, context.release().ptr());
  return handle;
}

PyObject* queue(Gil& gil, LoopCore& loop, const Call& call) noexcept {
  nb::object handle = new_handle(loop, loop_objects().layout.handle, call);
  if (!handle.is_valid() || !append_ready(gil, loop, handle.ptr())) return nullptr;
  return handle.release().ptr();
}

// The same with the class that CPython has for it, which has Python methods and a lock.
PyObject* queue_threadsafe(Gil& gil, LoopCore& loop, const Call& call) noexcept {
  PyObject* type = loop_objects().layout.threadsafe_handle;
  if (type == nullptr) return queue(gil, loop, call);
  const nb::object arguments = arguments_of(call);
  if (!arguments.is_valid()) return nullptr;
  PyObject* args[] = {call.args[0], arguments.ptr(), &loop.ob_base,
                      call.context != nullptr ? call.context : Py_None};
  nb::object handle = nb::steal(
      entering_python([&] { return PyObject_Vectorcall(type, args, std::size(args), nullptr); }));
  if (!handle.is_valid() || !append_ready(gil, loop, handle.ptr())) return nullptr;
  return handle.release().ptr();
}

// A timer for `when`, a float.
PyObject* schedule(Gil& gil, LoopCore& loop, PyObject* when, const Call& call) noexcept {
  const HandleLayout& layout = loop_objects().layout;
  nb::object timer = new_handle(loop, layout.timer_handle, call);
  if (!timer.is_valid()) return nullptr;
  HandleLayout::field(timer.ptr(), layout.when) = Py_NewRef(when);
  HandleLayout::field(timer.ptr(), layout.scheduled) = Py_NewRef(Py_True);
  if (!push_timer(gil, loop.scheduled, timer.ptr())) return nullptr;
  return timer.release().ptr();
}

bool has_heap(const LoopCore& loop) noexcept {
  return loop.fast() && PyList_CheckExact(loop.scheduled);
}

}  // namespace

PyObject* call_soon(PyObject* self, PyObject* const* args, Py_ssize_t count,
                    PyObject* kwnames) noexcept {
  Gil gil = Gil::assume_held();
  LoopCore& loop = core(self);
  Call call{};
  if (!loop.fast() || !parse(args, count, kwnames, 0, call)) {
    return call_inherited(loop, loop_objects().str_call_soon, args, count, kwnames);
  }
  if (loop.captured_task != nullptr && capture_step(loop, args[0])) Py_RETURN_NONE;
  return queue(gil, loop, call);
}

PyObject* call_soon_threadsafe(PyObject* self, PyObject* const* args, Py_ssize_t count,
                               PyObject* kwnames) noexcept {
  Gil gil = Gil::assume_held();
  LoopCore& loop = core(self);
  Call call{};
  if (!loop.fast() || !parse(args, count, kwnames, 0, call)) {
    return call_inherited(loop, loop_objects().str_call_soon_threadsafe, args, count, kwnames);
  }
  PyObject* handle = queue_threadsafe(gil, loop, call);
  // The loop may have been closed while Python code made the handle.
  if (handle != nullptr && loop.engine != nullptr) loop.engine->wake(gil);
  return handle;
}

PyObject* call_at(PyObject* self, PyObject* const* args, Py_ssize_t count,
                  PyObject* kwnames) noexcept {
  Gil gil = Gil::assume_held();
  LoopCore& loop = core(self);
  Call call{};
  if (!has_heap(loop) || !parse(args, count, kwnames, 1, call) || !PyFloat_CheckExact(args[0])) {
    return call_inherited(loop, loop_objects().str_call_at, args, count, kwnames);
  }
  return schedule(gil, loop, args[0], call);
}

PyObject* call_later(PyObject* self, PyObject* const* args, Py_ssize_t count,
                     PyObject* kwnames) noexcept {
  Gil gil = Gil::assume_held();
  LoopCore& loop = core(self);
  const LoopObjects& objects = loop_objects();
  Call call{};
  if (!has_heap(loop) || !parse(args, count, kwnames, 1, call) ||
      !(PyFloat_CheckExact(args[0]) || PyLong_CheckExact(args[0])) ||
      !is_own(loop, objects.str_call_at, objects.call_at)) {
    return call_inherited(loop, objects.str_call_later, args, count, kwnames);
  }
  const nb::object now =
      nb::steal(entering_python([&] { return PyObject_CallMethodNoArgs(self, objects.str_time); }));
  if (!now.is_valid()) return nullptr;
  const nb::object when = nb::steal(PyNumber_Add(now.ptr(), args[0]));
  if (!when.is_valid()) return nullptr;
  return schedule(gil, loop, when.ptr(), call);
}

PyObject* timer_handle_cancelled(PyObject* self, PyObject* handle) noexcept {
  LoopCore& loop = core(self);
  const LoopObjects& objects = loop_objects();
  if (!loop.fast() || Py_TYPE(handle) != objects.layout.timer_handle ||
      loop.timer_cancelled_count == nullptr || !PyLong_CheckExact(loop.timer_cancelled_count)) {
    return call_inherited(loop, objects.str_timer_handle_cancelled, &handle, 1, nullptr);
  }
  if (HandleLayout::field(handle, objects.layout.scheduled) == Py_True) {
    PyObject* count = PyLong_FromLong(PyLong_AsLong(loop.timer_cancelled_count) + 1);
    if (count == nullptr) return nullptr;
    Py_XSETREF(loop.timer_cancelled_count, count);
  }
  Py_RETURN_NONE;
}

PyObject* write_to_self(PyObject* self, PyObject* /*unused*/) noexcept {
  Gil gil = Gil::assume_held();
  LoopCore& loop = core(self);
  if (loop.engine == nullptr || loop.fast_type != Py_TYPE(self)) {
    return call_inherited(loop, loop_objects().str_write_to_self, nullptr, 0, nullptr);
  }
  loop.engine->wake(gil);
  Py_RETURN_NONE;
}

PyObject* create_future(PyObject* self, PyObject* /*unused*/) noexcept {
  LoopCore& loop = core(self);
  const LoopObjects& objects = loop_objects();
  if (!loop.fast()) {
    return call_inherited(loop, objects.str_create_future, nullptr, 0, nullptr);
  }
  return PyObject_Vectorcall(reinterpret_cast<PyObject*>(objects.future), &self, 0,
                             objects.loop_keyword);
}

}  // namespace tercel::python
