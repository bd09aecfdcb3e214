#include "python/asgi/errors.h"

#include <algorithm>

#include "python/ref.h"
#include "tercel/http/h1_writer.h"

namespace tercel::python::asgi {
namespace {

PyObject* client_disconnected_type = nullptr;

PyObject* type_of(Errc error) noexcept {
  switch (error) {
    case Errc::kBadResponseStatus:
    case Errc::kBadResponseField:
    case Errc::kBadResponseLength:
    case Errc::kBadSubprotocol:
      return PyExc_ValueError;
    default:
      return PyExc_RuntimeError;
  }
}

// The texts of the error table are literals, so they end with a zero byte.
const char* text_of(Errc error) noexcept {
  return info(error).text.data();
}

bool malformed(const http::Field& field) noexcept {
  return !http::inspect_trailers({&field, 1});
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
  PyErr_SetString(type_of(error), text_of(error));
  return nullptr;
}

PyObject* raise_response_error(Errc error, std::span<const http::Field> fields) noexcept {
  constexpr std::size_t kShownMax = 64;
  const auto field = std::find_if(fields.begin(), fields.end(), malformed);
  if (error != Errc::kBadResponseField || field == fields.end()) return raise_response_error(error);
  const std::string_view shown = field->name.substr(0, kShownMax);
  const Ref name =
      Ref::steal(PyBytes_FromStringAndSize(shown.data(), static_cast<Py_ssize_t>(shown.size())));
  if (!name) return nullptr;
  // The repr of bytes is printable ASCII, whatever they are.
  PyErr_Format(type_of(error), "%s: %R%s", text_of(error), name.get(),
               shown.size() < field->name.size() ? "..." : "");
  return nullptr;
}

}  // namespace tercel::python::asgi
