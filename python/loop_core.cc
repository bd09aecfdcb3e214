#include "python/loop_core.h"

#include <structmember.h>

#include <array>
#include <cstddef>

#include <nanobind/nanobind.h>

#include "python/errors.h"

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

// --- call_soon

// A new asyncio.Handle, as Handle.__init__ makes it out of debug mode.
PyObject* new_handle(LoopCore& loop, PyObject* const* args, Py_ssize_t count, PyObject* context) {
  const HandleLayout& layout = objects.layout;
  nb::object arguments = nb::borrow(objects.empty_tuple);
  if (count > 1) {
    arguments = nb::steal(PyTuple_New(count - 1));
    if (!arguments.is_valid()) return nullptr;
    for (Py_ssize_t i = 1; i < count; ++i) {
      PyTuple_SET_ITEM(arguments.ptr(), i - 1, Py_NewRef(args[i]));
    }
  }
  nb::object own_context =
      context != nullptr ? nb::borrow(context) : nb::steal(PyContext_CopyCurrent());
  if (!own_context.is_valid()) return nullptr;
  PyObject* handle = layout.handle->tp_alloc(layout.handle, 0);
  if (handle == nullptr) return nullptr;
  HandleLayout::field(handle, layout.callback) = Py_NewRef(args[0]);
  HandleLayout::field(handle, layout.args) = arguments.release().ptr();
  HandleLayout::field(handle, layout.cancelled) = Py_NewRef(Py_False);
  HandleLayout::field(handle, layout.loop) = Py_NewRef(as_object(loop));
  HandleLayout::field(handle, layout.source_traceback) = Py_NewRef(Py_None);
  HandleLayout::field(handle, layout.repr) = Py_NewRef(Py_None);
  HandleLayout::field(handle, layout.context) = own_context.release().ptr();
  return handle;
}

// True when `callback` is a step of `task`: a builtin object or a method with the task in __self__.
bool is_step_of(PyObject* callback, PyObject* task) noexcept {
  const nb::object owner = nb::steal(PyObject_GetAttr(callback, objects.str_self));
  if (!owner.is_valid()) PyErr_Clear();
  return owner.ptr() == task;
}

bool capture(LoopCore& loop, PyObject* callback) noexcept {
  if (!is_step_of(callback, loop.captured_task)) return false;
  loop.captured_task = nullptr;
  loop.captured_step = Py_NewRef(callback);
  return true;
}

// The value of the one keyword `context`, nullptr for none of any kind. False: other keywords.
bool only_context(PyObject* const* args, Py_ssize_t count, PyObject* kwnames,
                  PyObject*& context) noexcept {
  context = nullptr;
  if (kwnames == nullptr || PyTuple_GET_SIZE(kwnames) == 0) return true;
  if (PyTuple_GET_SIZE(kwnames) != 1) return false;
  PyObject* name = PyTuple_GET_ITEM(kwnames, 0);
  if (name != objects.str_context && PyUnicode_Compare(name, objects.str_context) != 0) {
    return false;
  }
  if (args[count] != Py_None) context = args[count];
  return true;
}

PyObject* call_soon(PyObject* self, PyObject* const* args, Py_ssize_t count,
                    PyObject* kwnames) noexcept {
  Gil gil = Gil::assume_held();
  LoopCore& loop = core(self);
  PyObject* context = nullptr;
  if (!loop.fast() || count < 1 || !only_context(args, count, kwnames, context)) {
    return call_inherited(loop, objects.str_call_soon, args, count, kwnames);
  }
  if (loop.captured_task != nullptr && capture(loop, args[0])) Py_RETURN_NONE;
  PyObject* handle = new_handle(loop, args, count, context);
  if (handle == nullptr) return nullptr;
  if (append_ready(gil, loop, handle)) return handle;
  Py_DECREF(handle);
  return nullptr;
}

// --- the small ones

PyObject* get_debug(PyObject* self, PyObject* /*unused*/) noexcept {
  LoopCore& loop = core(self);
  return Py_NewRef(loop.debug != nullptr ? loop.debug : Py_False);
}

PyObject* monotonic_time(PyObject* /*self*/, PyObject* /*unused*/) noexcept {
  return PyFloat_FromDouble(std::chrono::duration<double>(SteadyClock{}.now()).count());
}

// The layout is looked for when the first loop is made, not at import: it needs asyncio.
bool layout_known(Gil& gil) noexcept {
  if (!objects.layout_sought) {
    objects.layout_sought = true;
    const auto layout = HandleLayout::find(gil);
    objects.layout_known =
        layout && objects.deque_append != nullptr && objects.deque_popleft != nullptr;
    if (layout) objects.layout = *layout;
  }
  return objects.layout_known;
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
  loop.fast_type = args[1] == Py_True && layout_known(gil) ? Py_TYPE(self) : nullptr;
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

PyMethodDef methods[] = {
    // NOLINT: CPython keeps pointers to it.
    {"call_soon", as_c_function(&call_soon), METH_FASTCALL | METH_KEYWORDS,
     "call_soon($self, /, callback, *args, context=None)\n--\n\n"
     "As asyncio.BaseEventLoop.call_soon()."},
    {"_run_once", &run_once, METH_NOARGS,
     "_run_once($self, /)\n--\n\nAs asyncio.BaseEventLoop._run_once()."},
    {"get_debug", &get_debug, METH_NOARGS,
     "get_debug($self, /)\n--\n\nAs asyncio.BaseEventLoop.get_debug()."},
    {"time", &monotonic_time, METH_NOARGS,
     "time($self, /)\n--\n\nSeconds of CLOCK_MONOTONIC, as time.monotonic()."},
    {"_attach", as_c_function(&attach), METH_FASTCALL,
     "_attach($self, engine, fast, /)\n--\n\nGives the loop its engine. `fast` says that the\n"
     "methods of the loop's class are asyncio's where the C++ ones count on it."},
    {"_detach", &detach, METH_NOARGS, "_detach($self, /)\n--\n\nLets the engine go."},
    {nullptr, nullptr, 0, nullptr},
};

PyMemberDef members[] = {
    // NOLINT: CPython keeps pointers to it.
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
    // NOLINT: CPython keeps pointers to it.
    {"engine", &get_engine, nullptr, "The engine of this loop; None when it is closed.", nullptr},
    {"fast", &get_fast, nullptr,
     "True while call_soon() and _run_once() are the C++ ones: not in debug mode, not when a\n"
     "subclass replaces what they depend on, not on an unknown version of CPython.",
     nullptr},
    {nullptr, nullptr, nullptr, nullptr, nullptr},
};

PyType_Slot slots[] = {
    // NOLINT: CPython keeps pointers to it.
    {Py_tp_doc, const_cast<char*>("The part of tercel.EventLoop that is written in C++.")},
    {Py_tp_methods, methods},
    {Py_tp_members, members},
    {Py_tp_getset, properties},
    {Py_tp_traverse, reinterpret_cast<void*>(&traverse)},
    {Py_tp_clear, reinterpret_cast<void*>(&clear)},
    {Py_tp_dealloc, reinterpret_cast<void*>(&dealloc)},
    {0, nullptr},
};

PyType_Spec spec = {  // NOLINT: CPython keeps pointers to it.
    "tercel._core.LoopCore", static_cast<int>(sizeof(LoopCore)), 0,
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
  nb::object heappop = nb::module_::import_("heapq").attr("heappop");
  objects.heappop = heappop.release().ptr();
  objects.empty_tuple = PyTuple_New(0);
  objects.str_call_soon = interned("call_soon");
  objects.str_context = interned("context");
  objects.str_process_events = interned("_process_events");
  objects.str_remove_reader = interned("_remove_reader");
  objects.str_remove_writer = interned("_remove_writer");
  objects.str_run = interned("_run");
  objects.str_run_once = interned("_run_once");
  objects.str_self = interned("__self__");
  objects.str_time = interned("time");
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
  return PyObject_Vectorcall(method.ptr(), args, static_cast<std::size_t>(count), kwnames);
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

bool CallSoonCapture::possible(Gil& gil, PyObject* loop) noexcept {
  const LoopCore* found = loop_core_of(gil, loop);
  return found != nullptr && found->fast() &&
         _PyType_Lookup(Py_TYPE(loop), objects.str_call_soon) == objects.call_soon;
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
  module.attr("LoopCore") = type;
  module.def("capture_for_test", &capture_for_test, nb::arg("loop"), nb::arg("task"),
             nb::arg("function"));
}

}  // namespace tercel::python
