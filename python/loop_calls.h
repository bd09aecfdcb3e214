// The methods of tercel.EventLoop that queue a callback, in C++: what a running program calls most.
//
// For loop_core.cc alone. They do as asyncio.BaseEventLoop's methods of the same names, and call
// those when the loop is not fast() or the arguments are unusual.
// Source: CPython, asyncio/base_events.py, asyncio/events.py. Tested by test_event_loop.py.
#pragma once

#include <Python.h>

namespace tercel::python {

// call_soon(callback, *args, context=None)
PyObject* call_soon(PyObject* self, PyObject* const* args, Py_ssize_t count,
                    PyObject* kwnames) noexcept;
// call_soon_threadsafe(callback, *args, context=None). Wakes a loop that waits, and only then.
PyObject* call_soon_threadsafe(PyObject* self, PyObject* const* args, Py_ssize_t count,
                               PyObject* kwnames) noexcept;
// call_at(when, callback, *args, context=None)
PyObject* call_at(PyObject* self, PyObject* const* args, Py_ssize_t count,
                  PyObject* kwnames) noexcept;
// call_later(delay, callback, *args, context=None)
PyObject* call_later(PyObject* self, PyObject* const* args, Py_ssize_t count,
                     PyObject* kwnames) noexcept;
// _timer_handle_cancelled(handle): counts, so that many cancelled timers are purged.
PyObject* timer_handle_cancelled(PyObject* self, PyObject* handle) noexcept;
// _write_to_self(): ends the wait of another thread's loop.
PyObject* write_to_self(PyObject* self, PyObject* unused) noexcept;
// create_future()
PyObject* create_future(PyObject* self, PyObject* unused) noexcept;
// _run_once(): in run_once.cc.
PyObject* run_once(PyObject* self, PyObject* unused) noexcept;

}  // namespace tercel::python
