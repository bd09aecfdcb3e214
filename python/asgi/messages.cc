#include "python/asgi/messages.h"

#include <array>

#include "python/asgi/errors.h"
#include "python/asgi/interned.h"
#include "python/gil.h"

namespace tercel::python::asgi {
namespace {

using std::string_view_literals::operator""sv;

// Copied for each message: copying a dict costs a third of filling one.
PyObject* request_template = nullptr;
PyObject* disconnect_template = nullptr;

constexpr std::array kTypes = {"http.response.start"sv,    "http.response.body"sv,
                               "http.response.trailers"sv, "http.response.early_hint"sv,
                               "http.response.pathsend"sv, "http.response.zerocopysend"sv,
                               "http.response.push"sv};
static_assert(kTypes.size() == static_cast<std::size_t>(MessageType::kUnknown));

// The two items of a tuple or list, borrowed. False when it is something else.
bool exact_pair(PyObject* item, PyObject*& name, PyObject*& value) noexcept {
  if (PyTuple_CheckExact(item) && PyTuple_GET_SIZE(item) == 2) {
    name = PyTuple_GET_ITEM(item, 0);
    value = PyTuple_GET_ITEM(item, 1);
    return true;
  }
  if (PyList_CheckExact(item) && PyList_GET_SIZE(item) == 2) {
    name = PyList_GET_ITEM(item, 0);
    value = PyList_GET_ITEM(item, 1);
    return true;
  }
  return false;
}

// Adds the fields of a tuple or list of pairs of bytes, as all frameworks send them, without
// running any Python code. False, with no exception set, at the first item that is not such a pair.
bool read_exact_fields(PyObject* headers, std::vector<http::Field>& fields) noexcept {
  if (!PyList_CheckExact(headers) && !PyTuple_CheckExact(headers)) return false;
  const Py_ssize_t count = PySequence_Fast_GET_SIZE(headers);
  if (count > static_cast<Py_ssize_t>(kResponseFieldsMax)) return false;
  PyObject** items = PySequence_Fast_ITEMS(headers);
  for (Py_ssize_t i = 0; i < count; ++i) {
    PyObject* name = nullptr;
    PyObject* value = nullptr;
    if (!exact_pair(items[i], name, value)) return false;
    if (!PyBytes_Check(name) || !PyBytes_Check(value)) return false;
    fields.push_back({view_of(name), view_of(value)});
  }
  return true;
}

Ref to_bytes(PyObject* object) noexcept {
  if (PyBytes_Check(object)) return Ref::share(object);
  if (PyByteArray_Check(object) || PyMemoryView_Check(object)) {
    return Ref::steal(PyBytes_FromObject(object));
  }
  PyErr_Format(PyExc_TypeError, "a header name or value must be bytes, not %.100s",
               Py_TYPE(object)->tp_name);
  return {};
}

// (name, value) as a tuple of bytes.
Ref to_pair(PyObject* item) noexcept {
  if (PyBytes_Check(item) || PyUnicode_Check(item)) {
    PyErr_Format(PyExc_TypeError, "a header must be a pair of bytes, not %.100s",
                 Py_TYPE(item)->tp_name);
    return {};
  }
  const Ref two = Ref::steal(PySequence_Fast(item, "a header must be a pair of bytes"));
  if (!two) return {};
  if (PySequence_Fast_GET_SIZE(two.get()) != 2) {
    PyErr_SetString(PyExc_TypeError, "a header must be a pair: its name and its value");
    return {};
  }
  const Ref name = to_bytes(PySequence_Fast_GET_ITEM(two.get(), 0));
  const Ref value = name ? to_bytes(PySequence_Fast_GET_ITEM(two.get(), 1)) : Ref{};
  return value ? Ref::steal(PyTuple_Pack(2, name.get(), value.get())) : Ref{};
}

// Any iterable as a list of what `convert` makes of its items.
Ref convert_all(PyObject* iterable, Ref (*convert)(PyObject*) noexcept) noexcept {
  const Ref iterator = Ref::steal(PyObject_GetIter(iterable));
  Ref list = Ref::steal(iterator ? PyList_New(0) : nullptr);
  if (!list) return {};
  const auto next = [&] { return PyIter_Next(iterator.get()); };
  while (const Ref item = Ref::steal(entering_python(next))) {
    if (PyList_GET_SIZE(list.get()) == static_cast<Py_ssize_t>(kResponseFieldsMax)) {
      PyErr_Format(PyExc_ValueError, "a response has at most %zu headers", kResponseFieldsMax);
      return {};
    }
    const Ref converted = convert(item.get());
    if (!converted || PyList_Append(list.get(), converted.get()) < 0) return {};
  }
  return PyErr_Occurred() ? Ref{} : std::move(list);
}

// A reference to a bytes object that a payload holds.
void release_bytes(void* owner) noexcept {
  Py_DECREF(static_cast<PyObject*>(owner));
}

}  // namespace

bool init_messages() noexcept {
  request_template = Py_BuildValue("{OsOOOO}", keys.type, "http.request", keys.body,
                                   keys.empty_bytes, keys.more_body, Py_False);
  disconnect_template = Py_BuildValue("{Os}", keys.type, "http.disconnect");
  return request_template != nullptr && disconnect_template != nullptr;
}

PyObject* empty_request_message() noexcept {
  return PyDict_Copy(request_template);
}

PyObject* request_message(std::string_view body, bool more_body) noexcept {
  Ref message = Ref::steal(PyDict_Copy(request_template));
  if (!message) return nullptr;
  if (!body.empty()) {
    const Ref bytes =
        Ref::steal(PyBytes_FromStringAndSize(body.data(), static_cast<Py_ssize_t>(body.size())));
    if (!bytes || PyDict_SetItem(message.get(), keys.body, bytes.get()) < 0) return nullptr;
  }
  if (more_body && PyDict_SetItem(message.get(), keys.more_body, Py_True) < 0) return nullptr;
  return message.release();
}

PyObject* disconnect_message() noexcept {
  return PyDict_Copy(disconnect_template);
}

MessageType message_type(std::string_view text) noexcept {
  std::size_t index = 0;
  while (index < kTypes.size() && kTypes[index] != text) ++index;
  return static_cast<MessageType>(index);
}

PyObject* require(PyObject* message, PyObject* key) noexcept {
  PyObject* value = find(message, key);
  if (value == nullptr && !PyErr_Occurred()) PyErr_SetObject(PyExc_KeyError, key);
  return value;
}

int find_flag(PyObject* message, PyObject* key) noexcept {
  PyObject* value = find(message, key);
  if (value == Py_True) return 1;
  if (value == Py_False) return 0;
  if (value != nullptr) return PyObject_IsTrue(value);
  return PyErr_Occurred() ? -1 : 0;
}

std::string_view read_type(PyObject* message, PyObject** type) noexcept {
  if (!PyDict_Check(message)) {
    PyErr_Format(PyExc_TypeError, "a message must be dict, not %.100s", Py_TYPE(message)->tp_name);
    return {};
  }
  *type = require(message, keys.type);
  if (*type == nullptr) return {};
  if (!PyUnicode_Check(*type)) {
    PyErr_Format(PyExc_TypeError, "the type of a message must be str, not %.100s",
                 Py_TYPE(*type)->tp_name);
    return {};
  }
  Py_ssize_t bytes = 0;
  const char* text = PyUnicode_AsUTF8AndSize(*type, &bytes);
  return text != nullptr ? std::string_view{text, static_cast<std::size_t>(bytes)}
                         : std::string_view{};
}

int read_status(PyObject* status) noexcept {
  if (status == nullptr) return -1;
  if (!PyLong_Check(status)) {
    PyErr_Format(PyExc_TypeError, "status must be int, not %.100s", Py_TYPE(status)->tp_name);
    return -1;
  }
  int overflow = 0;
  const long value = PyLong_AsLongAndOverflow(status, &overflow);
  if (value == -1 && PyErr_Occurred()) return -1;
  if (overflow != 0 || value < 0 || value > UINT16_MAX || value == 101) {
    raise_response_error(Errc::kBadResponseStatus);
    return -1;
  }
  return static_cast<int>(value);
}

bool read_fields(PyObject* headers, std::vector<http::Field>& fields, Ref& keep) noexcept {
  fields.clear();
  if (headers == nullptr) return true;
  if (read_exact_fields(headers, fields)) [[likely]]
    return true;
  keep = read_pairs(headers);
  // That may have run Python code, and that may have sent a response through the same `fields`.
  fields.clear();
  return keep && read_exact_fields(keep.get(), fields);
}

Ref read_pairs(PyObject* headers) noexcept {
  return convert_all(headers, &to_pair);
}

Ref read_values(PyObject* values) noexcept {
  return convert_all(values, &to_bytes);
}

bool BodyBytes::read(PyObject* body) noexcept {
  if (body == nullptr) return true;
  if (PyBytes_Check(body)) [[likely]] {
    bytes_ = view_of(body);
    immutable_ = body;
    return true;
  }
  if (!PyByteArray_Check(body) && !PyMemoryView_Check(body)) {
    PyErr_Format(PyExc_TypeError, "body must be bytes, bytearray or memoryview, not %.100s",
                 Py_TYPE(body)->tp_name);
    return false;
  }
  if (PyObject_GetBuffer(body, &view_, PyBUF_SIMPLE) < 0) return false;
  has_view_ = true;
  bytes_ = {static_cast<const char*>(view_.buf), static_cast<std::size_t>(view_.len)};
  if (PyMemoryView_Check(body)) {
    PyObject* base = PyMemoryView_GET_BASE(body);
    if (base != nullptr && PyBytes_CheckExact(base)) immutable_ = base;
  }
  return true;
}

http::Payload BodyBytes::payload() const noexcept {
  if (immutable_ == nullptr || bytes_.size() < kReferenceBytesMin) {
    return http::Payload::borrow(bytes_);
  }
  Py_INCREF(immutable_);
  return http::Payload::own(bytes_, immutable_, &release_bytes);
}

bool read_body_message(PyObject* message, BodyBytes& bytes, http::Final& final) noexcept {
  PyObject* body = find(message, keys.body);
  if (body == nullptr && PyErr_Occurred()) return false;
  const int more_body = find_flag(message, keys.more_body);
  if (more_body < 0) return false;
  final = more_body != 0 ? http::Final::kNo : http::Final::kYes;
  return bytes.read(body);
}

}  // namespace tercel::python::asgi
