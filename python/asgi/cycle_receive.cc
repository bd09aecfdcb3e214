// receive(): what the application hears.
#include "python/asgi/cycle.h"
#include "python/asgi/interned.h"
#include "python/asgi/messages.h"

namespace tercel::python::asgi {
namespace {

Poll deliver(PyObject* message, PyObject** result) noexcept {
  *result = message;
  return Poll::kReady;
}

}  // namespace

Poll Cycle::poll_message(PyObject** message) noexcept {
  if (attached()) [[likely]] {
    if (input_ == Input::kEmptyBody) {
      input_ = Input::kOver;
      return deliver(empty_request_message(), message);
    }
    if (input_ == Input::kBody) return read_body(message);
    if (!disconnect_announced_ && stage_ != Stage::kComplete) return Poll::kPending;
  }
  return deliver(disconnect_message(), message);
}

Poll Cycle::read_body(PyObject** message) noexcept {
  const http::BodyRead read = exchange_->read_body();
  switch (read.state) {
    case http::BodyState::kPending:
      return Poll::kPending;
    case http::BodyState::kMore:
      return deliver(request_message(read.bytes, /*more_body=*/true), message);
    case http::BodyState::kEnd:
      input_ = Input::kOver;
      return deliver(request_message(read.bytes, /*more_body=*/false), message);
    case http::BodyState::kFailed:
      break;
  }
  // The body will never be complete. Saying so with a last http.request would pass off a truncated
  // upload as a whole one.
  input_ = Input::kOver;
  disconnect_announced_ = true;
  request_failed_ = true;
  return deliver(disconnect_message(), message);
}

}  // namespace tercel::python::asgi
