// Where asyncio's Handle and TimerHandle keep their fields, so that C++ can create and run them
// without going through Python.
//
// The offsets come from the member descriptors of the two classes. Only a class that looks exactly
// as expected is used: another set of slots, another kind of descriptor, or a CPython newer than
// those tested means "unknown", and the event loop then uses the methods it inherits.
// Tested by test_event_loop.py, test_asyncio_suite.py.
#pragma once

#include <Python.h>

#include <optional>

#include "python/gil.h"

namespace tercel::python {

struct HandleLayout {
  // Nothing when the classes are not the known ones; no exception is set then.
  [[nodiscard]] static std::optional<HandleLayout> find(Gil& gil) noexcept;

  PyTypeObject* handle;        // asyncio.Handle, kept.
  PyTypeObject* timer_handle;  // asyncio.TimerHandle, kept.
  PyObject* run;               // Handle._run as asyncio defines it, kept.
  // What call_soon_threadsafe() makes since CPython 3.14: a Handle with a lock, whose cancel()
  // waits for a callback that runs. Kept; nullptr where it is a Handle as others.
  PyObject* threadsafe_handle;

  // Offsets in bytes.
  Py_ssize_t callback, args, cancelled, loop, source_traceback, repr, context;
  Py_ssize_t when, scheduled;

  // True for the two classes themselves, the only objects whose fields the offsets name.
  [[nodiscard]] bool fits(PyObject* object) const noexcept {
    return Py_TYPE(object) == handle || Py_TYPE(object) == timer_handle;
  }
  // The field at `offset`, borrowed; may be nullptr. REQUIRES: fits(object).
  [[nodiscard]] static PyObject*& field(PyObject* object, Py_ssize_t offset) noexcept {
    return *reinterpret_cast<PyObject**>(reinterpret_cast<char*>(object) + offset);
  }
};

}  // namespace tercel::python
