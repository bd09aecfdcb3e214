#include "python/asgi/call.h"

#include <structmember.h>

#include <algorithm>
#include <cstddef>
#include <utility>

#include "python/asgi/coroutine.h"
#include "python/asgi/handler.h"
#include "python/asgi/interned.h"
#include "python/gil.h"

namespace tercel::python::asgi {
namespace {

// The callable `receive`.
struct ReceiveCallable {
  PyObject_HEAD vectorcallfunc vectorcall;
  SendCallable* send;  // Owned.
};

constinit ObjectPool<ReceiveCallable> receive_pool;
PyTypeObject* receive_type = nullptr;

ReceiveCallable& receive_of(PyObject* self) noexcept {
  return *reinterpret_cast<ReceiveCallable*>(self);
}

PyObject* call_receive(PyObject* self, PyObject* const* /*args*/, std::size_t flagged_count,
                       PyObject* keywords) noexcept {
  if (PyVectorcall_NARGS(flagged_count) != 0 || keywords != nullptr) {
    PyErr_SetString(PyExc_TypeError, "receive() takes no arguments");
    return nullptr;
  }
  return receive_of(self).send->call->receive();
}

void dealloc_receive(PyObject* self) noexcept {
  Py_DECREF(receive_of(self).send);
  receive_pool.drop(&receive_of(self));
}

PyMemberDef callable_members[] = {
    {"__vectorcalloffset__", T_PYSSIZET, offsetof(ReceiveCallable, vectorcall), READONLY, nullptr},
    {nullptr, 0, 0, 0, nullptr}};
static_assert(offsetof(ReceiveCallable, vectorcall) == offsetof(SendCallable, vectorcall));

PyType_Slot receive_slots[] = {{Py_tp_dealloc, slot(dealloc_receive)},
                               {Py_tp_call, slot(PyVectorcall_Call)},
                               {Py_tp_members, callable_members},
                               {0, nullptr}};

}  // namespace

PyObject* Call::create_future() noexcept {
  return entering_python(
      [this] { return PyObject_CallMethodNoArgs(handler_->loop(), keys.create_future); });
}

void Call::wake(Wait wait) noexcept {
  if (!waiting_.wake(wait)) abort(Errc::kNoMemory);
}

Poll Call::poll_writable(PyObject** none) noexcept {
  if (gone()) {
    *none = raise_gone();
    return Poll::kReady;
  }
  if (attached() && !writable()) return Poll::kPending;
  *none = Py_NewRef(Py_None);
  return Poll::kReady;
}

// An application whose client keeps up would never suspend, and nobody else had a turn.
PyObject* Call::sent(std::size_t bytes) noexcept {
  if (!writable()) return make_awaitable(*this, Wait::kWritable);
  turn_left_ -= static_cast<std::int32_t>(std::min<std::size_t>(bytes, kTurnBytes)) + kSendCost;
  if (turn_left_ > 0) return done();
  turn_left_ = kTurnBytes;
  return make_awaitable(*this, Wait::kTurn);
}

void Call::tell_client_gone() noexcept {
  handler_->on_client_gone(*this, runner_);
}

void Call::detach() noexcept {
  handler_ = nullptr;
  forget_stop_value();
  waiting_.wake(Wait::kMessage);
  waiting_.wake(Wait::kWritable);
  Py_DECREF(callable_);  // The exchange's reference. The call may be gone now.
}

bool init_receive_type() noexcept {
  receive_type = make_type("tercel._core.Receive", sizeof(ReceiveCallable), receive_slots,
                           Py_TPFLAGS_HAVE_VECTORCALL);
  return receive_type != nullptr;
}

PyObject* make_receive(SendCallable& send) noexcept {
  ReceiveCallable* receive = receive_pool.make(receive_type);
  if (receive == nullptr) return nullptr;
  receive->vectorcall = call_receive;
  Py_INCREF(&send);
  receive->send = &send;
  return reinterpret_cast<PyObject*>(receive);
}

PyTypeObject* make_send_type(std::size_t bytes, destructor dealloc) noexcept {
  PyType_Slot slots[] = {{Py_tp_dealloc, slot(dealloc)},
                         {Py_tp_call, slot(PyVectorcall_Call)},
                         {Py_tp_members, callable_members},
                         {0, nullptr}};
  return make_type("tercel._core.Send", bytes, slots, Py_TPFLAGS_HAVE_VECTORCALL);
}

PyObject* call_send(PyObject* self, PyObject* const* args, std::size_t flagged_count,
                    PyObject* keywords) noexcept {
  if (PyVectorcall_NARGS(flagged_count) != 1 || keywords != nullptr) {
    PyErr_SetString(PyExc_TypeError, "send() takes exactly one positional argument, a message");
    return nullptr;
  }
  return reinterpret_cast<SendCallable*>(self)->call->send(args[0]);
}

}  // namespace tercel::python::asgi
