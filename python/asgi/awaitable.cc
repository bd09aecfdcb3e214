#include "python/asgi/awaitable.h"

#include <utility>

#include "python/asgi/call.h"
#include "python/asgi/coroutine.h"
#include "python/asgi/interned.h"
#include "python/asgi/object_pool.h"
#include "python/asgi/types.h"
#include "python/ref.h"
#include "tercel/base/assert.h"

namespace tercel::python::asgi {

struct Awaitable {
  PyObject_HEAD Call* call;  // Kept alive through its callable; null once this is finished.
  PyObject* future;          // Owned, while suspended: what is waited for ...
  PyObject* iterator;        // ... and its iterator, which yields it to the task.
  Awaitable* next;           // Owned, in a WaitingList.
  Wait wait;
};

namespace {

constinit ObjectPool<Awaitable> pool;
PyTypeObject* awaitable_type = nullptr;
PyObject* done_singleton = nullptr;

Awaitable& awaitable_of(PyObject* self) noexcept {
  return *reinterpret_cast<Awaitable*>(self);
}

PyObject* object_of(Awaitable& awaitable) noexcept {
  return reinterpret_cast<PyObject*>(&awaitable);
}

void stop_waiting(Awaitable& awaitable) noexcept {
  if (awaitable.future == nullptr) return;
  awaitable.call->waiting().remove(awaitable);
  Py_CLEAR(awaitable.iterator);
  Py_CLEAR(awaitable.future);
}

void finish(Awaitable& awaitable) noexcept {
  if (awaitable.call == nullptr) return;
  stop_waiting(awaitable);
  Py_DECREF(std::exchange(awaitable.call, nullptr)->callable());
}

// Suspends the task that awaits until the call has something new.
PySendResult suspend(Awaitable& awaitable, PyObject** result) noexcept {
  Ref future = Ref::steal(awaitable.call->create_future());
  Ref iterator = Ref::steal(future ? await_iterator(future.get()) : nullptr);
  if (!iterator) return PYGEN_ERROR;
  awaitable.future = future.release();
  awaitable.iterator = iterator.release();
  awaitable.call->waiting().add(awaitable);
  return PyIter_Send(awaitable.iterator, Py_None, result);
}

PySendResult ask(Awaitable& awaitable, PyObject** result) noexcept {
  if (awaitable.wait == Wait::kTurn) {
    // A bare yield, as that of asyncio.sleep(0): the task goes to the end of the queue.
    awaitable.wait = Wait::kWritable;
    *result = Py_NewRef(Py_None);
    return PYGEN_NEXT;
  }
  if (awaitable.call->poll(awaitable.wait, result) == Poll::kPending) {
    const PySendResult sent = suspend(awaitable, result);
    if (sent == PYGEN_NEXT) return sent;
    finish(awaitable);
    return sent;
  }
  finish(awaitable);
  return *result != nullptr ? PYGEN_RETURN : PYGEN_ERROR;
}

PySendResult awaitable_am_send(PyObject* self, PyObject* value, PyObject** result) noexcept {
  Awaitable& awaitable = awaitable_of(self);
  *result = nullptr;
  if (awaitable.call == nullptr) {
    PyErr_SetString(PyExc_RuntimeError, "cannot reuse already awaited receive() or send()");
    return PYGEN_ERROR;
  }
  if (awaitable.iterator == nullptr) return ask(awaitable, result);
  // The iterator of a pending Future raises by itself when it is resumed too early.
  const Ref iterator = Ref::share(awaitable.iterator);
  const PySendResult sent = PyIter_Send(iterator.get(), value, result);
  if (sent == PYGEN_NEXT) return sent;
  if (sent == PYGEN_ERROR) {
    finish(awaitable);
    return sent;
  }
  Py_CLEAR(*result);
  stop_waiting(awaitable);
  return ask(awaitable, result);
}

PyObject* awaitable_next(PyObject* self) noexcept {
  PyObject* result = nullptr;
  const PySendResult sent = awaitable_am_send(self, Py_None, &result);
  return next_result(sent, result);
}

PyObject* awaitable_send(PyObject* self, PyObject* value) noexcept {
  PyObject* result = nullptr;
  const PySendResult sent = awaitable_am_send(self, value, &result);
  return send_result(sent, result);
}

// A cancelled task throws in here. Nothing is lost: a message is taken only when it is returned.
PyObject* awaitable_throw(PyObject* self, PyObject* const* args, Py_ssize_t count) noexcept {
  Awaitable& awaitable = awaitable_of(self);
  const Ref iterator = Ref::share(awaitable.iterator);
  finish(awaitable);
  if (!iterator) return raise_thrown(args, count);
  const Ref method = Ref::steal(PyObject_GetAttr(iterator.get(), keys.throw_));
  if (!method) return nullptr;
  return PyObject_Vectorcall(method.get(), args, static_cast<std::size_t>(count), nullptr);
}

PyObject* awaitable_close(PyObject* self, PyObject* /*unused*/) noexcept {
  finish(awaitable_of(self));
  Py_RETURN_NONE;
}

void awaitable_dealloc(PyObject* self) noexcept {
  finish(awaitable_of(self));
  pool.drop(&awaitable_of(self));
}

PySendResult done_am_send(PyObject* /*self*/, PyObject* /*value*/, PyObject** result) noexcept {
  *result = Py_NewRef(Py_None);
  return PYGEN_RETURN;
}

PyObject* done_next(PyObject* /*self*/) noexcept {
  return nullptr;  // StopIteration(None).
}

PyObject* done_send(PyObject* /*self*/, PyObject* /*value*/) noexcept {
  PyErr_SetNone(PyExc_StopIteration);
  return nullptr;
}

PyObject* done_throw(PyObject* /*self*/, PyObject* const* args, Py_ssize_t count) noexcept {
  return raise_thrown(args, count);
}

PyObject* done_close(PyObject* /*self*/, PyObject* /*unused*/) noexcept {
  Py_RETURN_NONE;
}

PyMethodDef awaitable_methods[] = {{"send", awaitable_send, METH_O, nullptr},
                                   {"throw", fast_method(awaitable_throw), METH_FASTCALL, nullptr},
                                   {"close", awaitable_close, METH_NOARGS, nullptr},
                                   {"__await__", await_self, METH_NOARGS, nullptr},
                                   {nullptr, nullptr, 0, nullptr}};

PyType_Slot awaitable_slots[] = {{Py_tp_dealloc, slot(awaitable_dealloc)},
                                 {Py_tp_iter, slot(return_self)},
                                 {Py_tp_iternext, slot(awaitable_next)},
                                 {Py_am_await, slot(return_self)},
                                 {Py_am_send, slot(awaitable_am_send)},
                                 {Py_tp_methods, awaitable_methods},
                                 {0, nullptr}};

PyMethodDef done_methods[] = {{"send", done_send, METH_O, nullptr},
                              {"throw", fast_method(done_throw), METH_FASTCALL, nullptr},
                              {"close", done_close, METH_NOARGS, nullptr},
                              {"__await__", await_self, METH_NOARGS, nullptr},
                              {nullptr, nullptr, 0, nullptr}};

PyType_Slot done_slots[] = {{Py_tp_iter, slot(return_self)},  {Py_tp_iternext, slot(done_next)},
                            {Py_am_await, slot(return_self)}, {Py_am_send, slot(done_am_send)},
                            {Py_tp_methods, done_methods},    {0, nullptr}};

bool is_done(PyObject* future) noexcept {
  const Ref answer = Ref::steal(PyObject_CallMethodNoArgs(future, keys.done));
  return answer.get() == Py_True;
}

// False when memory ran out.
bool resolve(PyObject* future) noexcept {
  // A cancelled one is done; its task has yet to see it.
  if (!is_done(future)) {
    const Ref called = Ref::steal(PyObject_CallMethodOneArg(future, keys.set_result, Py_None));
  }
  if (!PyErr_Occurred()) return true;
  // Another error says that the event loop is closed: nobody is left to wake.
  const bool woken = PyErr_ExceptionMatches(PyExc_MemoryError) == 0;
  PyErr_Clear();
  return woken;
}

}  // namespace

bool init_awaitables() noexcept {
  awaitable_type = make_type("tercel._core.Awaitable", sizeof(Awaitable), awaitable_slots);
  PyTypeObject* done_type = make_type("tercel._core.Done", sizeof(PyObject), done_slots);
  if (awaitable_type == nullptr || done_type == nullptr) return false;
  done_singleton = done_type->tp_alloc(done_type, 0);
  return done_singleton != nullptr;
}

PyObject* done() noexcept {
  return Py_NewRef(done_singleton);
}

PyObject* make_awaitable(Call& call, Wait wait) noexcept {
  Awaitable* awaitable = pool.make(awaitable_type);
  if (awaitable == nullptr) return nullptr;
  Py_INCREF(call.callable());
  awaitable->call = &call;
  awaitable->future = nullptr;
  awaitable->iterator = nullptr;
  awaitable->next = nullptr;
  awaitable->wait = wait;
  return object_of(*awaitable);
}

void WaitingList::add(Awaitable& awaitable) noexcept {
  TERCEL_ASSERT(awaitable.next == nullptr);
  Awaitable** end = &first_;
  while (*end != nullptr) end = &(*end)->next;
  Py_INCREF(object_of(awaitable));
  *end = &awaitable;
}

void WaitingList::remove(Awaitable& awaitable) noexcept {
  for (Awaitable** link = &first_; *link != nullptr; link = &(*link)->next) {
    if (*link != &awaitable) continue;
    *link = std::exchange(awaitable.next, nullptr);
    Py_DECREF(object_of(awaitable));
    return;
  }
}

bool WaitingList::wake(Wait wait) noexcept {
  // Taken off first: resolving a Future calls the event loop, which may be written in Python.
  Awaitable* woken = nullptr;
  Awaitable** last_woken = &woken;
  for (Awaitable** link = &first_; *link != nullptr;) {
    Awaitable& awaitable = **link;
    if (awaitable.wait != wait) {
      link = &awaitable.next;
      continue;
    }
    *link = std::exchange(awaitable.next, nullptr);
    *last_woken = &awaitable;
    last_woken = &awaitable.next;
  }
  bool all = true;
  while (woken != nullptr) {
    Awaitable& awaitable = *woken;
    woken = std::exchange(awaitable.next, nullptr);
    if (awaitable.future != nullptr && !resolve(awaitable.future)) all = false;
    Py_DECREF(object_of(awaitable));
  }
  return all;
}

}  // namespace tercel::python::asgi
