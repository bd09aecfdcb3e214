#include "python/asgi/coroutine.h"

#include "python/ref.h"

namespace tercel::python::asgi {
namespace {

#if PY_VERSION_HEX >= 0x030C0000
// Since 3.12 a raised StopIteration is always an instance, and making one costs about 200 ns: as
// much as building a whole scope. `await` takes the value out and drops the instance at once, so
// this one can be raised again.
PyObject* spare_stop = nullptr;

PyStopIterationObject* stop_of(PyObject* exception) noexcept {
  return reinterpret_cast<PyStopIterationObject*>(exception);
}

// False when somebody kept the instance, or a tracer or an except clause left marks on it.
bool reusable(PyObject* exception) noexcept {
  if (exception == nullptr || Py_REFCNT(exception) != 1) return false;
  const PyStopIterationObject* stop = stop_of(exception);
  return stop->traceback == nullptr && stop->context == nullptr && stop->cause == nullptr &&
         stop->dict == nullptr && stop->notes == nullptr;
}

void raise_stop(Ref value) noexcept {
  if (!reusable(spare_stop)) {
    Py_XDECREF(spare_stop);
    spare_stop = PyObject_CallNoArgs(PyExc_StopIteration);
    if (spare_stop == nullptr) return;
  }
  Py_XSETREF(stop_of(spare_stop)->value, value.release());
  PyErr_SetRaisedException(Py_NewRef(spare_stop));
}
#else
// The interpreter makes an instance only when somebody looks. The values are never tuples or
// exceptions, which would be taken for its arguments.
void raise_stop(Ref value) noexcept {
  PyErr_SetObject(PyExc_StopIteration, value.get());
}
#endif

}  // namespace

PyObject* return_self(PyObject* self) noexcept {
  return Py_NewRef(self);
}

PyObject* await_self(PyObject* self, PyObject* /*unused*/) noexcept {
  return Py_NewRef(self);
}

PyObject* next_result(PySendResult sent, PyObject* result) noexcept {
  if (sent == PYGEN_NEXT) return result;
  if (sent == PYGEN_ERROR) return nullptr;
  if (result == Py_None) {
    Py_DECREF(result);
  } else {
    raise_stop(Ref::steal(result));
  }
  return nullptr;
}

PyObject* send_result(PySendResult sent, PyObject* result) noexcept {
  PyObject* next = next_result(sent, result);
  if (next == nullptr && !PyErr_Occurred()) PyErr_SetNone(PyExc_StopIteration);
  return next;
}

PyObject* raise_thrown(PyObject* const* args, Py_ssize_t count) noexcept {
  if (count < 1 || count > 3) {
    PyErr_Format(PyExc_TypeError, "throw() takes 1 to 3 arguments, got %zd", count);
  } else if (PyExceptionInstance_Check(args[0])) {
    PyErr_SetObject(reinterpret_cast<PyObject*>(Py_TYPE(args[0])), args[0]);
  } else if (PyExceptionClass_Check(args[0])) {
    PyErr_SetObject(args[0], count > 1 && args[1] != Py_None ? args[1] : nullptr);
  } else {
    PyErr_SetString(PyExc_TypeError, "exceptions must derive from BaseException");
  }
  return nullptr;
}

PyObject* await_iterator(PyObject* awaitable) noexcept {
  if (PyCoro_CheckExact(awaitable)) return Py_NewRef(awaitable);
  const PyAsyncMethods* methods = Py_TYPE(awaitable)->tp_as_async;
  if (methods == nullptr || methods->am_await == nullptr) {
    PyErr_Format(PyExc_TypeError, "object %.100s can't be used in 'await' expression",
                 Py_TYPE(awaitable)->tp_name);
    return nullptr;
  }
  return methods->am_await(awaitable);
}

void forget_stop_value() noexcept {
#if PY_VERSION_HEX >= 0x030C0000
  if (spare_stop != nullptr && Py_REFCNT(spare_stop) == 1) Py_CLEAR(stop_of(spare_stop)->value);
#endif
}

}  // namespace tercel::python::asgi
