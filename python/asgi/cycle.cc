#include "python/asgi/cycle.h"

#include <structmember.h>

#include <cstddef>
#include <new>
#include <utility>

#include "python/asgi/coroutine.h"
#include "python/asgi/handler.h"
#include "python/asgi/interned.h"
#include "python/asgi/object_pool.h"
#include "python/asgi/types.h"

namespace tercel::python::asgi {
namespace {

// The callable `receive`.
struct ReceiveCallable {
  PyObject_HEAD vectorcallfunc vectorcall;
  SendCallable* send;  // Owned.
};

constinit ObjectPool<SendCallable> send_pool;
constinit ObjectPool<ReceiveCallable> receive_pool;
PyTypeObject* send_type = nullptr;
PyTypeObject* receive_type = nullptr;

SendCallable& send_of(PyObject* self) noexcept {
  return *reinterpret_cast<SendCallable*>(self);
}

ReceiveCallable& receive_of(PyObject* self) noexcept {
  return *reinterpret_cast<ReceiveCallable*>(self);
}

PyObject* call_send(PyObject* self, PyObject* const* args, std::size_t flagged_count,
                    PyObject* keywords) noexcept {
  if (PyVectorcall_NARGS(flagged_count) != 1 || keywords != nullptr) {
    PyErr_SetString(PyExc_TypeError, "send() takes exactly one positional argument, a message");
    return nullptr;
  }
  return send_of(self).cycle.send(args[0]);
}

PyObject* call_receive(PyObject* self, PyObject* const* /*args*/, std::size_t flagged_count,
                       PyObject* keywords) noexcept {
  if (PyVectorcall_NARGS(flagged_count) != 0 || keywords != nullptr) {
    PyErr_SetString(PyExc_TypeError, "receive() takes no arguments");
    return nullptr;
  }
  return receive_of(self).send->cycle.receive();
}

void dealloc_send(PyObject* self) noexcept {
  send_of(self).cycle.~Cycle();
  send_pool.drop(&send_of(self));
}

void dealloc_receive(PyObject* self) noexcept {
  Py_DECREF(receive_of(self).send);
  receive_pool.drop(&receive_of(self));
}

// offsetof is asked of the part before the cycle only, which has the layout of C.
PyMemberDef callable_members[] = {
    {"__vectorcalloffset__", T_PYSSIZET, offsetof(ReceiveCallable, vectorcall), READONLY, nullptr},
    {nullptr, 0, 0, 0, nullptr}};
static_assert(offsetof(ReceiveCallable, vectorcall) == sizeof(PyObject));

PyType_Slot send_slots[] = {{Py_tp_dealloc, slot(dealloc_send)},
                            {Py_tp_call, slot(PyVectorcall_Call)},
                            {Py_tp_members, callable_members},
                            {0, nullptr}};

PyType_Slot receive_slots[] = {{Py_tp_dealloc, slot(dealloc_receive)},
                               {Py_tp_call, slot(PyVectorcall_Call)},
                               {Py_tp_members, callable_members},
                               {0, nullptr}};

}  // namespace

Cycle::Cycle(PyObject* callable, AsgiHandler& handler, http::Exchange& exchange,
             const http::Request& request) noexcept
    : callable_{callable},
      handler_{&handler},
      exchange_{&exchange},
      input_{request.has_body ? Input::kBody : Input::kEmptyBody},
      takes_trailers_{request.accepts_trailers && request.version != http::Version::kHttp10} {}

Cycle::~Cycle() {
  Py_XDECREF(trailers_);
}

Poll Cycle::poll(Wait wait, PyObject** result) noexcept {
  return wait == Wait::kMessage ? poll_message(result) : poll_writable(result);
}

PyObject* Cycle::create_future() noexcept {
  return PyObject_CallMethodNoArgs(handler_->loop(), keys.create_future);
}

void Cycle::abort(Errc error) noexcept {
  if (!unfinished()) return;
  aborted_ = true;
  exchange_->abort(error);
}

void Cycle::wake(Wait wait) noexcept {
  if (!waiting_.wake(wait)) abort(Errc::kNoMemory);
}

void Cycle::on_body() noexcept {
  wake(Wait::kMessage);
}

void Cycle::on_writable() noexcept {
  wake(Wait::kWritable);
}

void Cycle::on_notice(http::Notice /*notice*/) noexcept {
  announce_disconnect();
}

void Cycle::announce_disconnect() noexcept {
  disconnect_announced_ = true;
  wake(Wait::kMessage);
}

void Cycle::on_end(http::Outcome outcome) noexcept {
  exchange_ = nullptr;
  AsgiHandler& handler = *std::exchange(handler_, nullptr);
  if (outcome == http::Outcome::kComplete) stage_ = Stage::kComplete;
  Py_CLEAR(trailers_);
  forget_stop_value();
  waiting_.wake(Wait::kMessage);
  waiting_.wake(Wait::kWritable);
  if (gone()) handler.on_client_gone(*this, runner_);
  Py_DECREF(callable_);  // The exchange's reference. The cycle may be gone now.
}

bool init_callables() noexcept {
  send_type =
      make_type("tercel._core.Send", sizeof(SendCallable), send_slots, Py_TPFLAGS_HAVE_VECTORCALL);
  receive_type = make_type("tercel._core.Receive", sizeof(ReceiveCallable), receive_slots,
                           Py_TPFLAGS_HAVE_VECTORCALL);
  return send_type != nullptr && receive_type != nullptr;
}

SendCallable* make_send(AsgiHandler& handler, http::Exchange& exchange,
                        const http::Request& request) noexcept {
  SendCallable* send = send_pool.make(send_type);
  if (send == nullptr) return nullptr;
  send->vectorcall = call_send;
  auto* object = reinterpret_cast<PyObject*>(send);
  new (&send->cycle) Cycle{object, handler, exchange, request};
  exchange.observe(&send->cycle);
  Py_INCREF(object);
  return send;
}

PyObject* make_receive(SendCallable& send) noexcept {
  ReceiveCallable* receive = receive_pool.make(receive_type);
  if (receive == nullptr) return nullptr;
  receive->vectorcall = call_receive;
  Py_INCREF(&send);
  receive->send = &send;
  return reinterpret_cast<PyObject*>(receive);
}

}  // namespace tercel::python::asgi
