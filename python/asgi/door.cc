#include "python/asgi/door.h"

#include "python/asgi/cycle.h"
#include "python/asgi/failure.h"
#include "python/asgi/handler.h"
#include "python/ref.h"

namespace tercel::python::asgi {
namespace {

http::Handler* as_handler(AsgiHandler& handler) noexcept {
  return &handler;
}

void run(AsgiHandler& handler, PyObject* callable, const http::Request& request,
         http::Exchange& exchange) noexcept {
  handler.run(callable, request, exchange);
}

PyObject* receive(PyObject* send) noexcept {
  return make_receive(*reinterpret_cast<SendCallable*>(send));
}

bool answer(PyObject* send, const http::Response& response, http::Payload payload) noexcept {
  Call* const call = reinterpret_cast<SendCallable*>(send)->call;
  return static_cast<Cycle*>(call)->answer(response, payload);
}

bool answer_through(PyObject* send, Door::Write write, void* self) noexcept {
  Call* const call = reinterpret_cast<SendCallable*>(send)->call;
  return static_cast<Cycle*>(call)->answer_through(write, self);
}

PyObject* context(AsgiHandler& handler) noexcept {
  return handler.context();
}

net::Loop& loop(AsgiHandler& handler) noexcept {
  return handler.net_loop();
}

void log_raised_by_app(PyObject* raised) noexcept {
  end_if_child("ASGI", raised);
  log_raised("ASGI", raised);
}

constinit Door the_door{.handler = as_handler,
                        .run = run,
                        .receive = receive,
                        .answer = answer,
                        .answer_through = answer_through,
                        .context = context,
                        .log_raised = log_raised_by_app,
                        .front = front_of,
                        .loop = loop,
                        .log = tercel::log};

}  // namespace

PyObject* make_door() noexcept {
  return PyCapsule_New(&the_door, Door::kCapsule, nullptr);
}

const Front* front_of(PyObject* app) noexcept {
  auto* const type = reinterpret_cast<PyObject*>(Py_TYPE(app));
  const Ref capsule = Ref::steal(PyObject_GetAttrString(type, Front::kAttribute));
  const void* front = nullptr;
  if (capsule && PyCapsule_IsValid(capsule.get(), Front::kCapsule) != 0) {
    front = PyCapsule_GetPointer(capsule.get(), Front::kCapsule);
  }
  PyErr_Clear();
  return static_cast<const Front*>(front);
}

}  // namespace tercel::python::asgi
