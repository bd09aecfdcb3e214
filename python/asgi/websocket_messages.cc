#include "python/asgi/websocket_messages.h"

#include <array>

#include "python/asgi/interned.h"
#include "python/asgi/messages.h"
#include "python/ref.h"

namespace tercel::python::asgi {
namespace {

using std::string_view_literals::operator""sv;

PyObject* connect_template = nullptr;
PyObject* receive_template = nullptr;
PyObject* disconnect_template = nullptr;

constexpr std::array kTypes = {"websocket.accept"sv, "websocket.send"sv, "websocket.close"sv,
                               "websocket.http.response.start"sv, "websocket.http.response.body"sv};
static_assert(kTypes.size() == static_cast<std::size_t>(WebSocketMessageType::kUnknown));

// From here on a text is sent by reference to its str.
constexpr std::size_t kReferenceBytesMin = std::size_t{64} * 1024;

void release_text(void* owner) noexcept {
  Py_DECREF(static_cast<PyObject*>(owner));
}

// A value that is str or None. Empty data: absent or None, unless an exception is set.
std::string_view find_text(PyObject* message, PyObject* key, const char* name) noexcept {
  PyObject* value = find(message, key);
  if (value == nullptr || value == Py_None) return {};
  if (!PyUnicode_Check(value)) {
    PyErr_Format(PyExc_TypeError, "%s must be str or None, not %.100s", name,
                 Py_TYPE(value)->tp_name);
    return {};
  }
  Py_ssize_t bytes = 0;
  const char* text = PyUnicode_AsUTF8AndSize(value, &bytes);
  return text != nullptr ? std::string_view{text, static_cast<std::size_t>(bytes)}
                         : std::string_view{};
}

std::optional<OutgoingMessage> outgoing_text(PyObject* text) noexcept {
  if (!PyUnicode_Check(text)) {
    PyErr_Format(PyExc_TypeError, "text must be str, not %.100s", Py_TYPE(text)->tp_name);
    return std::nullopt;
  }
  Py_ssize_t size = 0;
  const char* data = PyUnicode_AsUTF8AndSize(text, &size);
  if (data == nullptr) return std::nullopt;
  const std::string_view bytes{data, static_cast<std::size_t>(size)};
  if (bytes.size() < kReferenceBytesMin) {
    return OutgoingMessage{http::MessageKind::kText, http::Payload::borrow(bytes)};
  }
  // A str keeps its UTF-8 as long as it lives.
  Py_INCREF(text);
  return OutgoingMessage{http::MessageKind::kText, http::Payload::own(bytes, text, &release_text)};
}

}  // namespace

bool init_websocket_messages() noexcept {
  connect_template = Py_BuildValue("{Os}", keys.type, "websocket.connect");
  receive_template = Py_BuildValue("{Os}", keys.type, "websocket.receive");
  disconnect_template = Py_BuildValue("{OsOiOO}", keys.type, "websocket.disconnect", keys.code, 0,
                                      keys.reason, keys.empty_text);
  return connect_template != nullptr && receive_template != nullptr &&
         disconnect_template != nullptr;
}

PyObject* connect_message() noexcept {
  return PyDict_Copy(connect_template);
}

PyObject* received_message(const http::Message& message) noexcept {
  const bool is_text = message.kind == http::MessageKind::kText;
  const auto size = static_cast<Py_ssize_t>(message.bytes.size());
  const Ref value = Ref::steal(is_text ? PyUnicode_DecodeUTF8(message.bytes.data(), size, "strict")
                                       : PyBytes_FromStringAndSize(message.bytes.data(), size));
  Ref dict = Ref::steal(value ? PyDict_Copy(receive_template) : nullptr);
  if (!dict) return nullptr;
  PyObject* const key = is_text ? keys.text : keys.bytes;
  return PyDict_SetItem(dict.get(), key, value.get()) == 0 ? dict.release() : nullptr;
}

PyObject* websocket_disconnect_message(const http::Closing& end) noexcept {
  Ref dict = Ref::steal(PyDict_Copy(disconnect_template));
  const Ref code = Ref::steal(dict ? PyLong_FromLong(static_cast<long>(end.code)) : nullptr);
  if (!code || PyDict_SetItem(dict.get(), keys.code, code.get()) < 0) return nullptr;
  if (end.reason.empty()) return dict.release();
  const Ref reason = Ref::steal(PyUnicode_DecodeUTF8(
      end.reason.data(), static_cast<Py_ssize_t>(end.reason.size()), "strict"));
  if (!reason || PyDict_SetItem(dict.get(), keys.reason, reason.get()) < 0) return nullptr;
  return dict.release();
}

WebSocketMessageType websocket_message_type(std::string_view text) noexcept {
  std::size_t index = 0;
  while (index < kTypes.size() && kTypes[index] != text) ++index;
  return static_cast<WebSocketMessageType>(index);
}

std::optional<OutgoingMessage> read_outgoing(PyObject* message, BodyBytes& bytes) noexcept {
  PyObject* text = find(message, keys.text);
  PyObject* binary = text == nullptr && PyErr_Occurred() ? nullptr : find(message, keys.bytes);
  if (PyErr_Occurred()) return std::nullopt;
  const bool has_text = text != nullptr && text != Py_None;
  const bool has_bytes = binary != nullptr && binary != Py_None;
  if (has_text == has_bytes) {
    PyErr_SetString(PyExc_ValueError, has_text ? "websocket.send has both text and bytes"
                                               : "websocket.send has neither text nor bytes");
    return std::nullopt;
  }
  if (has_text) return outgoing_text(text);
  if (!bytes.read(binary)) return std::nullopt;
  return OutgoingMessage{http::MessageKind::kBinary, bytes.payload()};
}

std::optional<http::Closing> read_closing(PyObject* message) noexcept {
  http::Closing closing{.code = http::CloseCode::kNormal, .reason = {}};
  PyObject* code = find(message, keys.code);
  if (code == nullptr && PyErr_Occurred()) return std::nullopt;
  if (code != nullptr && code != Py_None) {
    if (!PyLong_Check(code)) {
      PyErr_Format(PyExc_TypeError, "code must be int, not %.100s", Py_TYPE(code)->tp_name);
      return std::nullopt;
    }
    int overflow = 0;
    const long value = PyLong_AsLongAndOverflow(code, &overflow);
    if (overflow != 0 || value < 0 || value > UINT16_MAX ||
        !http::is_sendable(static_cast<std::uint16_t>(value))) {
      PyErr_Format(PyExc_ValueError, "a WebSocket cannot be closed with code %S", code);
      return std::nullopt;
    }
    closing.code = static_cast<http::CloseCode>(value);
  }
  closing.reason = find_text(message, keys.reason, "reason");
  if (PyErr_Occurred()) return std::nullopt;
  return closing;
}

std::optional<std::string_view> read_subprotocol(PyObject* message) noexcept {
  const std::string_view text = find_text(message, keys.subprotocol, "subprotocol");
  if (PyErr_Occurred()) return std::nullopt;
  return text;
}

}  // namespace tercel::python::asgi
