#include "python/loop_core.h"

#include <structmember.h>

#include <array>
#include <cstddef>

#include <nanobind/nanobind.h>

#include "python/errors.h"
#include "python/gil.h"
#include "python/loop_calls.h"

namespace nb = nanobind;

namespace tercel::python {

nb::object capture_for_test(nb::handle loop, nb::handle task, nb::handle function);
void bind_loop_core(nb::module_& module);

namespace {

LoopObjects objects;  // Filled once, when the module is imported; never freed.

LoopCore& core(PyObject* self) noexcept {
  return *reinterpret_cast<LoopCore*>(self);
}

PyObject* as_object(LoopCore& loop) noexcept {
  return &loop.ob_base;
}

// The C functions behind its methods do not check their argument.
bool is_deque(PyObject* object) noexcept {
  if (object != nullptr && Py_TYPE(object) == objects.deque) return true;
  PyErr_SetString(PyExc_TypeError, "_ready must be a collections.deque");
  return false;
}

// --- the small ones

PyObject* get_debug(PyObject* self, PyObject* /*unused*/) noexcept {
  LoopCore& loop = core(self);
  return Py_NewRef(loop.debug != nullptr ? loop.debug : Py_False);
}

PyObject* monotonic_time(PyObject* /*self*/, PyObject* /*unused*/) noexcept {
  return PyFloat_FromDouble(std::chrono::duration<double>(SteadyClock{}.now()).count());
}

// asyncio.Future, kept, or nullptr.
PyTypeObject* find_future() noexcept {
  const nb::object futures = nb::steal(PyImport_ImportModule("asyncio.futures"));
  nb::object future = futures.is_valid() ? nb::getattr(futures, "Future", {}) : nb::object{};
  if (future.is_valid() && PyType_Check(future.ptr())) {
    return reinterpret_cast<PyTypeObject*>(future.release().ptr());
  }
  PyErr_Clear();
  return nullptr;
}

// True when asyncio is one that the fast methods know.
bool asyncio_is_known(Gil& gil) noexcept {
  if (objects.sought) return objects.known;
  objects.sought = true;
  const auto layout = HandleLayout::find(gil);
  if (!layout) return false;
  objects.layout = *layout;
  objects.future = find_future();
  objects.known = objects.future != nullptr && objects.deque_append != nullptr &&
                  objects.deque_popleft != nullptr;
  return objects.known;
}

// _attach(engine, fast)
PyObject* attach(PyObject* self, PyObject* const* args, Py_ssize_t count) noexcept {
  Gil gil = Gil::assume_held();
  LoopCore& loop = core(self);
  if (count != 2) {
    PyErr_SetString(PyExc_TypeError, "_attach() takes an engine and a bool");
    return nullptr;
  }
  Engine* engine = engine_of(gil, args[0]);
  if (engine == nullptr) return nullptr;
  Py_XSETREF(loop.engine_object, Py_NewRef(args[0]));
  loop.engine = engine;
  loop.fast_type = args[1] == Py_True && asyncio_is_known(gil) ? Py_TYPE(self) : nullptr;
  Py_RETURN_NONE;
}

PyObject* detach(PyObject* self, PyObject* /*unused*/) noexcept {
  LoopCore& loop = core(self);
  loop.engine = nullptr;
  Py_CLEAR(loop.engine_object);
  Py_RETURN_NONE;
}

PyObject* get_engine(PyObject* self, void* /*closure*/) noexcept {
  PyObject* engine = core(self).engine_object;
  return Py_NewRef(engine != nullptr ? engine : Py_None);
}

PyObject* get_fast(PyObject* self, void* /*closure*/) noexcept {
  return PyBool_FromLong(core(self).fast() ? 1 : 0);
}

// --- the type

std::array<PyObject**, 9> owned(LoopCore& loop) noexcept {
  return {&loop.ready,
          &loop.scheduled,
          &loop.stopping,
          &loop.debug,
          &loop.closed,
          &loop.timer_cancelled_count,
          &loop.clock_resolution,
          &loop.engine_object,
          &loop.captured_step};
}

int traverse(PyObject* self, visitproc visit, void* arg) noexcept {
  Py_VISIT(Py_TYPE(self));
  for (PyObject** object : owned(core(self))) Py_VISIT(*object);
  return 0;
}

int clear(PyObject* self) noexcept {
  core(self).engine = nullptr;
  for (PyObject** object : owned(core(self))) Py_CLEAR(*object);
  return 0;
}

void dealloc(PyObject* self) noexcept {
  PyTypeObject* type = Py_TYPE(self);
  PyObject_GC_UnTrack(self);
  clear(self);
  type->tp_free(self);
  Py_DECREF(type);
}

template <typename Function>
PyCFunction as_c_function(Function function) noexcept {
  return reinterpret_cast<PyCFunction>(reinterpret_cast<void (*)()>(function));
}

// CPython keeps pointers to these tables.
PyMethodDef methods[] = {
    {"call_soon", as_c_function(&call_soon), METH_FASTCALL | METH_KEYWORDS,
     "call_soon($self, /, callback, *args, context=None)\n--\n\n"
     "As asyncio.BaseEventLoop.call_soon()."},
    {"call_soon_threadsafe", as_c_function(&call_soon_threadsafe), METH_FASTCALL | METH_KEYWORDS,
     "call_soon_threadsafe($self, /, callback, *args, context=None)\n--\n\n"
     "As asyncio.BaseEventLoop.call_soon_threadsafe()."},
    {"call_at", as_c_function(&call_at), METH_FASTCALL | METH_KEYWORDS,
     "call_at($self, /, when, callback, *args, context=None)\n--\n\n"
     "As asyncio.BaseEventLoop.call_at()."},
    {"call_later", as_c_function(&call_later), METH_FASTCALL | METH_KEYWORDS,
     "call_later($self, /, delay, callback, *args, context=None)\n--\n\n"
     "As asyncio.BaseEventLoop.call_later()."},
    {"create_future", &create_future, METH_NOARGS,
     "create_future($self, /)\n--\n\nAs asyncio.BaseEventLoop.create_future()."},
    {"get_debug", &get_debug, METH_NOARGS,
     "get_debug($self, /)\n--\n\nAs asyncio.BaseEventLoop.get_debug()."},
    {"time", &monotonic_time, METH_NOARGS,
     "time($self, /)\n--\n\nSeconds of CLOCK_MONOTONIC, as time.monotonic()."},
    {"_run_once", &run_once, METH_NOARGS,
     "_run_once($self, /)\n--\n\nAs asyncio.BaseEventLoop._run_once()."},
    {"_timer_handle_cancelled", &timer_handle_cancelled, METH_O,
     "_timer_handle_cancelled($self, handle, /)\n--\n\n"
     "As asyncio.BaseEventLoop._timer_handle_cancelled()."},
    {"_write_to_self", &write_to_self, METH_NOARGS,
     "_write_to_self($self, /)\n--\n\nEnds the wait of the loop. Thread: any."},
    {"_attach", as_c_function(&attach), METH_FASTCALL,
     "_attach($self, engine, fast, /)\n--\n\nGives the loop its engine. `fast` says that the\n"
     "methods of the loop's class are asyncio's where the C++ ones count on it."},
    {"_detach", &detach, METH_NOARGS, "_detach($self, /)\n--\n\nLets the engine go."},
    {nullptr, nullptr, 0, nullptr},
};

PyMemberDef members[] = {
    {"_ready", T_OBJECT_EX, offsetof(LoopCore, ready), 0, nullptr},
    {"_scheduled", T_OBJECT_EX, offsetof(LoopCore, scheduled), 0, nullptr},
    {"_stopping", T_OBJECT_EX, offsetof(LoopCore, stopping), 0, nullptr},
    {"_debug", T_OBJECT_EX, offsetof(LoopCore, debug), 0, nullptr},
    {"_closed", T_OBJECT_EX, offsetof(LoopCore, closed), 0, nullptr},
    {"_timer_cancelled_count", T_OBJECT_EX, offsetof(LoopCore, timer_cancelled_count), 0, nullptr},
    {"_clock_resolution", T_OBJECT_EX, offsetof(LoopCore, clock_resolution), 0, nullptr},
    {nullptr, 0, 0, 0, nullptr},
};

PyGetSetDef properties[] = {
    {"engine", &get_engine, nullptr, "The engine of this loop; None when it is closed.", nullptr},
    {"fast", &get_fast, nullptr,
     "True while call_soon() and _run_once() are the C++ ones: not in debug mode, not when a\n"
     "subclass replaces what they depend on, not on an unknown version of CPython.",
     nullptr},
    {nullptr, nullptr, nullptr, nullptr, nullptr},
};

PyType_Slot slots[] = {
    {Py_tp_doc, const_cast<char*>("The part of tercel.EventLoop that is written in C++.")},
    {Py_tp_methods, methods},
    {Py_tp_members, members},
    {Py_tp_getset, properties},
    {Py_tp_traverse, reinterpret_cast<void*>(&traverse)},
    {Py_tp_clear, reinterpret_cast<void*>(&clear)},
    {Py_tp_dealloc, reinterpret_cast<void*>(&dealloc)},
    {0, nullptr},
};

PyType_Spec spec = {"tercel._core.LoopCore", static_cast<int>(sizeof(LoopCore)), 0,
                    Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_HAVE_GC, slots};

// --- what the methods need, looked up at import

// The C function behind a method of a builtin type; nullptr when it has another form.
PyCFunction builtin_method(nb::handle type, const char* name, int flags) {
  const nb::object method = nb::getattr(type, name, {});
  if (!method.is_valid() || Py_TYPE(method.ptr()) != &PyMethodDescr_Type) return nullptr;
  const PyMethodDef* definition = reinterpret_cast<PyMethodDescrObject*>(method.ptr())->d_method;
  return definition->ml_flags == flags ? definition->ml_meth : nullptr;
}

PyObject* interned(const char* text) {
  PyObject* string = PyUnicode_InternFromString(text);
  if (string == nullptr) throw_python_error();
  return string;
}

void find_objects() {
  nb::object deque = nb::module_::import_("collections").attr("deque");
  objects.deque_append = builtin_method(deque, "append", METH_O);
  objects.deque_popleft = builtin_method(deque, "popleft", METH_NOARGS);
  objects.deque = reinterpret_cast<PyTypeObject*>(deque.release().ptr());
  const nb::module_ heapq = nb::module_::import_("heapq");
  objects.heappop = nb::object(heapq.attr("heappop")).release().ptr();
  objects.heappush = nb::object(heapq.attr("heappush")).release().ptr();
  objects.empty_tuple = PyTuple_New(0);
  objects.loop_keyword = nb::make_tuple("loop").release().ptr();
  objects.str_call_at = interned("call_at");
  objects.str_call_later = interned("call_later");
  objects.str_call_soon = interned("call_soon");
  objects.str_call_soon_threadsafe = interned("call_soon_threadsafe");
  objects.str_context = interned("context");
  objects.str_create_future = interned("create_future");
  objects.str_process_events = interned("_process_events");
  objects.str_remove_reader = interned("_remove_reader");
  objects.str_remove_writer = interned("_remove_writer");
  objects.str_run = interned("_run");
  objects.str_run_once = interned("_run_once");
  objects.str_self = interned("__self__");
  objects.str_time = interned("time");
  objects.str_timer_handle_cancelled = interned("_timer_handle_cancelled");
  objects.str_write_to_self = interned("_write_to_self");
}

}  // namespace

const LoopObjects& loop_objects() noexcept {
  return objects;
}

LoopCore* loop_core_of(Gil& /*gil*/, PyObject* object) noexcept {
  return PyObject_TypeCheck(object, objects.loop_core) != 0 ? &core(object) : nullptr;
}

PyObject* call_inherited(LoopCore& loop, PyObject* name, PyObject* const* args, Py_ssize_t count,
                         PyObject* kwnames) noexcept {
  PyObject* super_args[] = {reinterpret_cast<PyObject*>(objects.loop_core), as_object(loop)};
  const nb::object next = nb::steal(
      PyObject_Vectorcall(reinterpret_cast<PyObject*>(&PySuper_Type), super_args, 2, nullptr));
  if (!next.is_valid()) return nullptr;
  const nb::object method = nb::steal(PyObject_GetAttr(next.ptr(), name));
  if (!method.is_valid()) return nullptr;
  return entering_python([&] {
    return PyObject_Vectorcall(method.ptr(), args, static_cast<std::size_t>(count), kwnames);
  });
}

bool is_own(const LoopCore& loop, PyObject* name, PyObject* method) noexcept {
  return _PyType_Lookup(Py_TYPE(&loop.ob_base), name) == method;
}

bool append_ready(Gil& /*gil*/, LoopCore& loop, PyObject* handle) noexcept {
  if (!is_deque(loop.ready)) return false;
  return nb::steal(objects.deque_append(loop.ready, handle)).is_valid();
}

PyObject* pop_ready(Gil& /*gil*/, LoopCore& loop) noexcept {
  return is_deque(loop.ready) ? objects.deque_popleft(loop.ready, nullptr) : nullptr;
}

Engine* engine_of(Gil& gil, PyObject* engine_or_loop) noexcept {
  if (LoopCore* loop = loop_core_of(gil, engine_or_loop); loop != nullptr) {
    if (loop->engine == nullptr) PyErr_SetString(PyExc_RuntimeError, "the event loop is closed");
    return loop->engine;
  }
  Engine* engine = nullptr;
  if (nb::try_cast(nb::handle(engine_or_loop), engine) && engine != nullptr) return engine;
  PyErr_SetString(PyExc_TypeError, "expected a tercel.EventLoop or its engine");
  return nullptr;
}

// --- CallSoonCapture

// A step is a builtin object or a method with the task in __self__.
bool capture_step(LoopCore& loop, PyObject* callback) noexcept {
  const nb::object owner = nb::steal(PyObject_GetAttr(callback, objects.str_self));
  if (!owner.is_valid()) PyErr_Clear();
  if (owner.ptr() != loop.captured_task) return false;
  loop.captured_task = nullptr;
  loop.captured_step = Py_NewRef(callback);
  return true;
}

bool CallSoonCapture::possible(Gil& gil, PyObject* loop) noexcept {
  const LoopCore* found = loop_core_of(gil, loop);
  return found != nullptr && found->fast() &&
         is_own(*found, objects.str_call_soon, objects.call_soon);
}

CallSoonCapture::CallSoonCapture(Gil& gil, PyObject* loop, PyObject* task) noexcept
    : loop_{possible(gil, loop) ? loop_core_of(gil, loop) : nullptr} {
  if (loop_ != nullptr) loop_->captured_task = task;
}

CallSoonCapture::~CallSoonCapture() {
  if (loop_ == nullptr) return;
  loop_->captured_task = nullptr;
  Py_CLEAR(loop_->captured_step);
}

PyObject* CallSoonCapture::take() noexcept {
  if (loop_ == nullptr) return nullptr;
  loop_->captured_task = nullptr;
  return std::exchange(loop_->captured_step, nullptr);
}

// Calls `function()` and returns the first step that `task` gave to `loop` meanwhile, or None.
nb::object capture_for_test(nb::handle loop, nb::handle task, nb::handle function) {
  Gil gil = Gil::assume_held();
  CallSoonCapture step{gil, loop.ptr(), task.ptr()};
  function();
  PyObject* captured = step.take();
  return captured != nullptr ? nb::steal(captured) : nb::none();
}

void bind_loop_core(nb::module_& module) {
  find_objects();
  nb::object type = nb::steal(PyType_FromSpec(&spec));
  if (!type.is_valid()) throw_python_error();
  objects.loop_core = reinterpret_cast<PyTypeObject*>(type.inc_ref().ptr());
  objects.call_soon = nb::getattr(type, "call_soon").release().ptr();
  objects.call_at = nb::getattr(type, "call_at").release().ptr();
  module.attr("LoopCore") = type;
  module.def("capture_for_test", &capture_for_test, nb::arg("loop"), nb::arg("task"),
             nb::arg("function"));
}

}  // namespace tercel::python
