#include "python/asgi/errors.h"

namespace tercel::python::asgi {
namespace {

PyObject* client_disconnected_type = nullptr;

PyObject* type_of(Errc error) noexcept {
  switch (error) {
    case Errc::kBadResponseStatus:
    case Errc::kBadResponseField:
    case Errc::kBadResponseLength:
      return PyExc_ValueError;
    default:
      return PyExc_RuntimeError;
  }
}

}  // namespace

PyObject* client_disconnected() noexcept {
  return client_disconnected_type;
}

bool init_errors() noexcept {
  client_disconnected_type = PyErr_NewExceptionWithDoc(
      "tercel.ClientDisconnected",
      "Raised by send() when the client is gone, or the server has given the request up.\n\n"
      "An application need not catch it: one that ends with it is not reported as failed.\n"
      "Source: ASGI HTTP & WebSocket message format 2.4, \"Disconnected Client\".",
      PyExc_OSError, nullptr);
  return client_disconnected_type != nullptr;
}

PyObject* raise_client_disconnected() noexcept {
  PyErr_SetString(client_disconnected_type, "the client disconnected");
  return nullptr;
}

PyObject* raise_response_error(Errc error) noexcept {
  if (error == Errc::kClosed) return raise_client_disconnected();
  if (error == Errc::kNoMemory) return PyErr_NoMemory();
  // The texts of the error table are literals, so they end with a zero byte.
  PyErr_SetString(type_of(error), info(error).text.data());
  return nullptr;
}

}  // namespace tercel::python::asgi
