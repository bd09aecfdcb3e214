// The Python type _core.Engine. Its hot methods are written for the C API, the others bound.
#include <cerrno>

#include <nanobind/nanobind.h>

#include "python/engine.h"
#include "python/errors.h"
#include "python/traverse.h"

namespace nb = nanobind;

namespace tercel::python {

void bind_engine(nb::module_& module);

namespace {

// The engine of `self`; nullptr with RuntimeError set when __init__ did not run.
Engine* engine_in(PyObject* self) noexcept {
  if (nb::inst_ready(self)) return nb::inst_ptr<Engine>(self);
  PyErr_SetString(PyExc_RuntimeError, "Engine.__init__() was not called");
  return nullptr;
}

// What asyncio has to do: [(key, events)].
PyObject* ready_list(Gil& gil, Engine& engine) noexcept {
  nb::object list = nb::steal(PyList_New(0));
  if (!list.is_valid()) return nullptr;
  for (const ReadyDescriptor& ready : engine.foreign().ready()) {
    PyObject* key = engine.key_of(gil, ready.descriptor);
    if (key == nullptr && PyErr_Occurred() != nullptr) return nullptr;
    if (key == nullptr) continue;
    const nb::object pair = nb::steal(Py_BuildValue("(OI)", key, ready.events));
    if (!pair.is_valid() || PyList_Append(list.ptr(), pair.ptr()) < 0) return nullptr;
  }
  return list.release().ptr();
}

// select(timeout) -> list[tuple[SelectorKey, int]]
PyObject* select(PyObject* self, PyObject* const* args, Py_ssize_t count) noexcept {
  Gil gil = Gil::assume_held();
  if (count > 1) {
    PyErr_SetString(PyExc_TypeError, "select() takes at most one argument");
    return nullptr;
  }
  Engine* engine = engine_in(self);
  if (engine == nullptr) return nullptr;
  std::chrono::nanoseconds timeout{-1};
  if (count == 1 && args[0] != Py_None) {
    const double seconds = PyFloat_AsDouble(args[0]);
    if (seconds == -1.0 && PyErr_Occurred() != nullptr) return nullptr;
    timeout = to_timeout(seconds);
  }
  if (!engine->turn(gil, timeout)) return nullptr;
  return ready_list(gil, *engine);
}

// on_ready() -> None
PyObject* on_ready(PyObject* self, PyObject* /*unused*/) noexcept {
  Gil gil = Gil::assume_held();
  Engine* engine = engine_in(self);
  if (engine == nullptr) return nullptr;
  for (int turn = 0; turn < Engine::kNestedTurns; ++turn) {
    if (!engine->turn(gil, std::chrono::nanoseconds{0})) return nullptr;
    if (engine->was_idle()) break;
  }
  Py_RETURN_NONE;
}

template <typename Function>
PyCFunction as_c_function(Function function) noexcept {
  return reinterpret_cast<PyCFunction>(reinterpret_cast<void (*)()>(function));
}

PyMethodDef hot_methods[] = {
    {"select", as_c_function(&select), METH_FASTCALL,
     "select($self, timeout=None, /)\n--\n\n"
     "One turn of the engine: waits at most `timeout` seconds (None: until something happens),\n"
     "runs the engine's handlers, and returns the (key, events) of asyncio's own descriptors that\n"
     "are ready. Raises what a signal handler raised, what of an application has to leave the "
     "loop\n"
     "(asgi/failure.h), RuntimeError when the engine is closed or already turning."},
    {"on_ready", &on_ready, METH_NOARGS,
     "on_ready($self, /)\n--\n\n"
     "Runs what is ready, in up to four turns, without waiting. For a foreign event loop:\n"
     "`engine.set_nested(True); loop.add_reader(engine.fileno(), engine.on_ready)`. Raises as\n"
     "select()."},
};

int clear(PyObject* self) noexcept {
  if (nb::inst_ready(self)) nb::inst_ptr<Engine>(self)->clear_keys();
  return 0;
}

PyType_Slot slots[] = {
    {Py_tp_traverse, reinterpret_cast<void*>(&traverse_instance<Engine>)},
    {Py_tp_clear, reinterpret_cast<void*>(&clear)},
    {0, nullptr},
};

void add_hot_methods(nb::handle type) {
  auto* type_object = reinterpret_cast<PyTypeObject*>(type.ptr());
  for (PyMethodDef& method : hot_methods) {
    nb::object descriptor = nb::steal(PyDescr_NewMethod(type_object, &method));
    if (!descriptor.is_valid()) throw_python_error();
    nb::setattr(type, method.ml_name, descriptor);
  }
}

void check(Engine& engine, Result<void> result) {
  Gil gil = Gil::assume_held();
  errno = engine.loop().last_errno();
  or_throw(gil, result);
}

void watch(Engine& engine, int descriptor, std::uint32_t events) {
  if (engine.closed()) {
    PyErr_SetString(PyExc_RuntimeError, "the engine is closed");
    throw_python_error();
  }
  check(engine, engine.foreign().add(descriptor, events));
}

void rewatch(Engine& engine, int descriptor, std::uint32_t events) {
  check(engine, engine.foreign().change(descriptor, events));
}

void set_nested(Engine& engine, bool nested) {
  check(engine, engine.set_nested(nested));
}

void wake(Engine& engine) {
  Gil gil = Gil::assume_held();
  engine.wake(gil);
}

void close(Engine& engine) {
  Gil gil = Gil::assume_held();
  engine.close(gil);
}

}  // namespace

void bind_engine(nb::module_& module) {
  auto engine =
      nb::class_<Engine>(module, "Engine", nb::type_slots(slots), nb::is_weak_referenceable(),
                         "The engine's event loop: the selector of tercel.EventLoop, or nested in "
                         "another loop by its descriptor.")
          .def(nb::init<>())
          .def(
              "fileno", [](Engine& self) { return self.loop().fileno(); },
              "A descriptor that is readable when the engine has something to do.")
          .def_prop_ro("closed", &Engine::closed)
          .def_prop_ro(
              "keys", [](Engine& self) { return nb::borrow(self.keys()); },
              nb::sig("def keys(self) -> dict[int, selectors.SelectorKey]"),
              "What select() reports for each watched descriptor. The selector fills it.")
          .def("watch", &watch, nb::arg("descriptor"), nb::arg("events"),
               "Adds a descriptor to select(). Raises OSError when the kernel refuses it.")
          .def("rewatch", &rewatch, nb::arg("descriptor"), nb::arg("events"),
               "Changes the events of a watched descriptor. Raises OSError.")
          .def(
              "unwatch", [](Engine& self, int fd) { self.foreign().remove(fd); },
              nb::arg("descriptor"), "Forgets a descriptor, open or closed.")
          .def("wake", &wake, "Ends a select() that waits, or the next one. Thread: any.")
          .def("set_nested", &set_nested, nb::arg("nested"),
               "Prepares the engine to be driven by on_ready() from another event loop: its "
               "descriptor then tells of timers too. Raises OSError.")
          .def("close", &close, "Forgets all descriptors. select() fails from now on.");
  add_hot_methods(engine);
}

}  // namespace tercel::python
