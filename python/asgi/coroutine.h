// What the awaitables of this folder share: pieces of the coroutine protocol.
//
// CPython drives an awaitable in one of two ways. Up to 3.11 `await` calls am_send, which returns
// value and outcome at once. Since 3.12 it calls tp_iternext, where a value leaves inside a
// StopIteration; asyncio's Task calls am_send on all of them. Each type here implements am_send and
// gets the rest from this file. Source: PEP 492, PEP 380, `PyIter_Send` in the C API reference.
#pragma once

#include <Python.h>

namespace tercel::python::asgi {

// tp_iter and am_await: a new reference to the object itself.
PyObject* return_self(PyObject* self) noexcept;

// The method __await__.
PyObject* await_self(PyObject* self, PyObject* unused) noexcept;

// Ends tp_iternext with what am_send said: a yielded value is returned; a returned one becomes
// StopIteration(value), and None becomes no exception at all, which tp_iternext allows.
PyObject* next_result(PySendResult sent, PyObject* result) noexcept;

// The same for the method send(), which has to raise even for None.
PyObject* send_result(PySendResult sent, PyObject* result) noexcept;

// Raises the exception that the arguments of throw(type[, value[, traceback]]) or throw(exception)
// describe. Returns null.
PyObject* raise_thrown(PyObject* const* args, Py_ssize_t count) noexcept;

// The iterator behind `awaitable`, as `await` gets it, or null with TypeError set.
PyObject* await_iterator(PyObject* awaitable) noexcept;

// Lets go of the value that the last StopIteration carried: the instance is used again.
void forget_stop_value() noexcept;

}  // namespace tercel::python::asgi
