#include "python/api/invocation.h"

#include <structmember.h>

#include <cstddef>
#include <memory>
#include <string_view>
#include <utility>

#include "python/api/conditions.h"
#include "python/api/kept_path.h"
#include "python/asgi/object_pool.h"
#include "python/asgi/types.h"

namespace tercel::python::api {
namespace {

using asgi::fast_method;
using asgi::slot;

struct Invocation {
  PyObject_HEAD vectorcallfunc vectorcall;
  const PyEndpoint* endpoint;
  PyObject* owner;      // Owned, as all of these. Keeps `endpoint`.
  PyObject* arguments;  // Until the function is called.
  PyObject* stream;     // Until it is opened.
  PyObject* send;       // From then on, until its end.
  PyObject* coroutine;
  Conditions* conditions;  // Of the request; null: none.
  KeptPath path;
  bool streaming;  // It is the stream's, not the function's.
  bool head;       // The request was HEAD.
};

constinit asgi::ObjectPool<Invocation> pool;
PyTypeObject* invocation_type = nullptr;
PyObject* throw_key = nullptr;
PyObject* close_key = nullptr;

Invocation& invocation_of(PyObject* self) noexcept {
  return *reinterpret_cast<Invocation*>(self);
}

void dealloc(PyObject* self) noexcept {
  Invocation& invocation = invocation_of(self);
  Py_CLEAR(invocation.coroutine);
  Py_CLEAR(invocation.send);
  Py_CLEAR(invocation.arguments);
  Py_CLEAR(invocation.stream);
  Py_CLEAR(invocation.owner);
  delete invocation.conditions;
  std::destroy_at(&invocation.path);
  pool.drop(&invocation);
}

PyObject* call(PyObject* self, PyObject* const* args, std::size_t flagged_count,
               PyObject* /*keywords*/) noexcept {
  Invocation& invocation = invocation_of(self);
  if (PyVectorcall_NARGS(flagged_count) != 3 || invocation.send != nullptr ||
      (invocation.arguments == nullptr && invocation.stream == nullptr)) {
    PyErr_SetString(PyExc_TypeError, "an invocation is called once, by the server");
    return nullptr;
  }
  invocation.send = Py_NewRef(args[2]);
  return Py_NewRef(self);
}

// Takes what the function or its stream did, which ended if it did not yield.
PySendResult conclude(Invocation& invocation, PySendResult sent, PyObject** result) noexcept {
  if (sent == PYGEN_NEXT) return sent;
  const Ref coroutine = Ref::steal(std::exchange(invocation.coroutine, nullptr));
  const Ref send = Ref::steal(std::exchange(invocation.send, nullptr));
  const Ref returned = Ref::steal(std::exchange(*result, nullptr));
  bool done = sent == PYGEN_RETURN;
  if (!invocation.streaming) {
    edge::Asked asked;
    if (invocation.conditions != nullptr) asked = invocation.conditions->asked();
    asked.path = invocation.path.view();
    done = invocation.endpoint->answer(send.get(), done ? returned.get() : nullptr, asked);
  }
  if (!done) return PYGEN_ERROR;
  *result = Py_NewRef(Py_None);
  return PYGEN_RETURN;
}

// Whether the function ended with a stream, which is to be opened then.
bool take_stream(Invocation& invocation, PySendResult sent, PyObject** result) noexcept {
  if (sent != PYGEN_RETURN || invocation.streaming) return false;
  if (!invocation.endpoint->is_stream(*result)) return false;
  Py_CLEAR(invocation.coroutine);
  invocation.stream = std::exchange(*result, nullptr);
  return true;
}

// Calls the function, or opens the stream. False with an exception set.
bool begin(Invocation& invocation) noexcept {
  if (invocation.stream != nullptr) {
    const Ref stream = Ref::steal(std::exchange(invocation.stream, nullptr));
    invocation.streaming = true;
    invocation.coroutine =
        invocation.endpoint->open_stream(stream.get(), invocation.send, invocation.head);
  } else {
    const Ref arguments = Ref::steal(std::exchange(invocation.arguments, nullptr));
    invocation.coroutine = invocation.endpoint->run(arguments.get());
  }
  return invocation.coroutine != nullptr;
}

PySendResult step(Invocation& invocation, PyObject* value, PyObject** result) noexcept {
  const Ref coroutine = Ref::share(invocation.coroutine);
  return entering_python([&] { return PyIter_Send(coroutine.get(), value, result); });
}

PySendResult am_send(PyObject* self, PyObject* value, PyObject** result) noexcept {
  Invocation& invocation = invocation_of(self);
  *result = nullptr;
  if (invocation.send == nullptr) {
    PyErr_SetString(PyExc_RuntimeError, "cannot reuse already awaited coroutine");
    return PYGEN_ERROR;
  }
  for (;;) {
    if (invocation.coroutine == nullptr && !begin(invocation)) {
      return conclude(invocation, PYGEN_ERROR, result);
    }
    const PySendResult sent = step(invocation, value, result);
    if (!take_stream(invocation, sent, result)) return conclude(invocation, sent, result);
    value = Py_None;
  }
}

// As the method send() of a coroutine has it.
PyObject* raise_stop(PySendResult sent, PyObject* result) noexcept {
  if (sent == PYGEN_NEXT || sent == PYGEN_ERROR) return result;
  Py_DECREF(result);
  PyErr_SetNone(PyExc_StopIteration);
  return nullptr;
}

PyObject* next(PyObject* self) noexcept {
  PyObject* result = nullptr;
  return raise_stop(am_send(self, Py_None, &result), result);
}

PyObject* send(PyObject* self, PyObject* value) noexcept {
  PyObject* result = nullptr;
  return raise_stop(am_send(self, value, &result), result);
}

PyObject* throw_in(PyObject* self, PyObject* const* args, Py_ssize_t count) noexcept {
  Invocation& invocation = invocation_of(self);
  const Ref coroutine = Ref::share(invocation.coroutine);
  const Ref method = Ref::steal(coroutine ? PyObject_GetAttr(coroutine.get(), throw_key) : nullptr);
  if (!method) {
    if (!PyErr_Occurred() && count > 0)
      PyErr_SetObject(PyExceptionInstance_Check(args[0])
                          ? reinterpret_cast<PyObject*>(Py_TYPE(args[0]))
                          : args[0],
                      PyExceptionInstance_Check(args[0]) ? args[0] : nullptr);
    return nullptr;
  }
  PyObject* result = entering_python([&] {
    return PyObject_Vectorcall(method.get(), args, static_cast<std::size_t>(count), nullptr);
  });
  if (result != nullptr) return result;
  PySendResult sent = PYGEN_ERROR;
  if (PyErr_ExceptionMatches(PyExc_StopIteration)) {
    // The value that it returned.
    const Ref stop = take_raised();
    result = PyObject_GetAttrString(stop.get(), "value");
    if (result != nullptr) sent = PYGEN_RETURN;
  }
  if (take_stream(invocation, sent, &result)) {
    sent = am_send(self, Py_None, &result);
  } else {
    sent = conclude(invocation, sent, &result);
  }
  return raise_stop(sent, result);
}

PyObject* close(PyObject* self, PyObject* /*unused*/) noexcept {
  const Ref coroutine = Ref::share(invocation_of(self).coroutine);
  if (!coroutine) Py_RETURN_NONE;
  return entering_python([&] { return PyObject_CallMethodNoArgs(coroutine.get(), close_key); });
}

PyObject* return_self(PyObject* self) noexcept {
  return Py_NewRef(self);
}

// Attributes of coroutines, by which tools look into suspended tasks.
PyObject* get_attribute(PyObject* self, PyObject* name) noexcept {
  PyObject* const found = PyObject_GenericGetAttr(self, name);
  const Ref coroutine = Ref::share(invocation_of(self).coroutine);
  if (found != nullptr || !coroutine || !PyErr_ExceptionMatches(PyExc_AttributeError)) return found;
  PyErr_Clear();
  return PyObject_GetAttr(coroutine.get(), name);
}

PyMethodDef methods[] = {{"send", send, METH_O, nullptr},
                         {"throw", fast_method(throw_in), METH_FASTCALL, nullptr},
                         {"close", close, METH_NOARGS, nullptr},
                         {nullptr, nullptr, 0, nullptr}};

PyMemberDef members[] = {
    {"__vectorcalloffset__", T_PYSSIZET, offsetof(Invocation, vectorcall), READONLY, nullptr},
    {nullptr, 0, 0, 0, nullptr}};

PyType_Slot slots[] = {{Py_tp_dealloc, slot(dealloc)},
                       {Py_tp_call, slot(PyVectorcall_Call)},
                       {Py_tp_getattro, slot(get_attribute)},
                       {Py_tp_iter, slot(return_self)},
                       {Py_tp_iternext, slot(next)},
                       {Py_am_await, slot(return_self)},
                       {Py_am_send, slot(am_send)},
                       {Py_tp_methods, methods},
                       {Py_tp_members, members},
                       {0, nullptr}};

Invocation* make(const PyEndpoint& endpoint, PyObject* owner, bool head,
                 std::string_view path) noexcept {
  Invocation* const invocation = pool.make(invocation_type);
  if (invocation == nullptr) return nullptr;
  invocation->vectorcall = call;
  invocation->endpoint = &endpoint;
  invocation->owner = Py_NewRef(owner);
  invocation->arguments = nullptr;
  invocation->stream = nullptr;
  invocation->send = nullptr;
  invocation->coroutine = nullptr;
  invocation->conditions = nullptr;
  std::construct_at(&invocation->path, path);
  invocation->streaming = false;
  invocation->head = head;
  return invocation;
}

}  // namespace

bool init_invocation() noexcept {
  throw_key = PyUnicode_InternFromString("throw");
  close_key = PyUnicode_InternFromString("close");
  invocation_type = asgi::make_type("tercel._api.Invocation", sizeof(Invocation), slots,
                                    Py_TPFLAGS_HAVE_VECTORCALL);
  return throw_key != nullptr && close_key != nullptr && invocation_type != nullptr;
}

PyObject* make_invocation(const PyEndpoint& endpoint, PyObject* owner, Ref arguments,
                          const http::Request& request) noexcept {
  Invocation* const invocation = make(endpoint, owner, request.method == "HEAD", request.path);
  if (invocation != nullptr) {
    invocation->arguments = arguments.release();
    invocation->conditions = Conditions::keep(request).release();
  }
  return reinterpret_cast<PyObject*>(invocation);
}

PyObject* make_stream(const PyEndpoint& endpoint, PyObject* owner, PyObject* stream,
                      bool head) noexcept {
  Invocation* const invocation = make(endpoint, owner, head, {});  // Nothing is answered of it.
  if (invocation != nullptr) invocation->stream = Py_NewRef(stream);
  return reinterpret_cast<PyObject*>(invocation);
}

}  // namespace tercel::python::api
