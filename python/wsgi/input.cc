#include "python/wsgi/input.h"

#include <algorithm>
#include <new>
#include <string_view>

#include "python/asgi/types.h"
#include "python/ref.h"
#include "python/wsgi/callable.h"
#include "python/wsgi/visit.h"

namespace tercel::python::wsgi {
namespace {

PyTypeObject* input_type = nullptr;

constexpr std::size_t kAll = static_cast<std::size_t>(PY_SSIZE_T_MAX);

Input& of(PyObject* self) noexcept {
  return *reinterpret_cast<Input*>(self);
}

std::string_view here(const Input& input) noexcept {
  return std::string_view{*input.rest}.substr(input.begin);
}

// Gets the next part. 1, 0 at the end of the body, or -1 with an exception set.
int fetch(Input& input) noexcept {
  Visit* const visit = require_visit(input.visit);
  if (visit == nullptr) return -1;
  const std::string_view part = visit->read_body();
  if (part.data() == nullptr) return -1;
  if (part.empty()) return 0;
  return add_to_input(input, part) ? 1 : -1;
}

Ref take(Input& input, std::size_t bytes) noexcept {
  Ref taken =
      Ref::steal(PyBytes_FromStringAndSize(here(input).data(), static_cast<Py_ssize_t>(bytes)));
  if (!taken) return {};
  input.begin += bytes;
  if (input.begin == input.rest->size()) {
    input.rest->clear();
    input.begin = 0;
  }
  return taken;
}

// Exactly `bytes` bytes, or what there is until the end.
Ref read_bytes(Input& input, std::size_t bytes) noexcept {
  while (here(input).size() < bytes) {
    const int fetched = fetch(input);
    if (fetched < 0) return {};
    if (fetched == 0) break;
  }
  return take(input, std::min(bytes, here(input).size()));
}

// To the next line end, which is kept, at most `bytes` bytes.
Ref read_line(Input& input, std::size_t bytes) noexcept {
  for (std::size_t looked_at = 0;;) {
    const std::string_view known = here(input);
    const std::size_t end = known.find('\n', looked_at);
    if (end != std::string_view::npos) return take(input, std::min(end + 1, bytes));
    if (known.size() >= bytes) return take(input, bytes);
    looked_at = known.size();
    const int fetched = fetch(input);
    if (fetched < 0) return {};
    if (fetched == 0) return take(input, known.size());
  }
}

// The optional size of a method: negative, None and absent mean all. False with TypeError set.
bool read_size(const char* method, PyObject* const* arguments, Py_ssize_t count,
               std::size_t& bytes) noexcept {
  bytes = kAll;
  if (count > 1) {
    PyErr_Format(PyExc_TypeError, "%s() takes at most 1 argument (%zd given)", method, count);
    return false;
  }
  if (count == 0 || arguments[0] == Py_None) return true;
  const Py_ssize_t size = PyNumber_AsSsize_t(arguments[0], nullptr);
  if (size == -1 && PyErr_Occurred()) return false;
  if (size >= 0) bytes = static_cast<std::size_t>(size);
  return true;
}

PyObject* read(PyObject* self, PyObject* const* arguments, Py_ssize_t count) noexcept {
  std::size_t bytes = 0;
  if (!read_size("read", arguments, count, bytes)) return nullptr;
  return read_bytes(of(self), bytes).release();
}

PyObject* readline(PyObject* self, PyObject* const* arguments, Py_ssize_t count) noexcept {
  std::size_t bytes = 0;
  if (!read_size("readline", arguments, count, bytes)) return nullptr;
  return read_line(of(self), bytes).release();
}

PyObject* readlines(PyObject* self, PyObject* const* arguments, Py_ssize_t count) noexcept {
  std::size_t hint = 0;
  if (!read_size("readlines", arguments, count, hint)) return nullptr;
  if (hint == 0) hint = kAll;
  Ref lines = Ref::steal(PyList_New(0));
  if (!lines) return nullptr;
  for (std::size_t total = 0; total < hint;) {
    const Ref line = read_line(of(self), kAll);
    if (!line) return nullptr;
    if (PyBytes_GET_SIZE(line.get()) == 0) break;
    if (PyList_Append(lines.get(), line.get()) < 0) return nullptr;
    total += static_cast<std::size_t>(PyBytes_GET_SIZE(line.get()));
  }
  return lines.release();
}

PyObject* next(PyObject* self) noexcept {
  Ref line = read_line(of(self), kAll);
  if (!line || PyBytes_GET_SIZE(line.get()) == 0) return nullptr;
  return line.release();
}

void dealloc(PyObject* self) noexcept {
  PyTypeObject* const type = Py_TYPE(self);
  delete of(self).rest;
  PyObject_Free(self);
  Py_DECREF(type);
}

PyMethodDef methods[] = {
    {"read", asgi::fast_method(&read), METH_FASTCALL,
     PyDoc_STR("read($self, size=-1, /)\n--\n\nReads `size` bytes, or all, waiting for them.")},
    {"readline", asgi::fast_method(&readline), METH_FASTCALL,
     PyDoc_STR("readline($self, size=-1, /)\n--\n\nReads a line with its end.")},
    {"readlines", asgi::fast_method(&readlines), METH_FASTCALL,
     PyDoc_STR("readlines($self, hint=-1, /)\n--\n\nReads lines of `hint` bytes in sum, or all.")},
    {nullptr, nullptr, 0, nullptr}};

}  // namespace

bool add_to_input(Input& input, std::string_view part) noexcept {
  try {
    input.rest->erase(0, input.begin);
    input.begin = 0;
    input.rest->append(part);
    return true;
  } catch (const std::bad_alloc&) {
    PyErr_NoMemory();
    return false;
  }
}

bool init_input() noexcept {
  if (input_type != nullptr) return true;
  PyType_Slot slots[] = {{Py_tp_methods, methods},
                         {Py_tp_iter, asgi::slot(&PyObject_SelfIter)},
                         {Py_tp_iternext, asgi::slot(&next)},
                         {Py_tp_dealloc, asgi::slot(&dealloc)},
                         {Py_tp_doc, const_cast<char*>("The body of a WSGI request.")},
                         {0, nullptr}};
  input_type = asgi::make_type("tercel._core.WsgiInput", sizeof(Input), slots);
  return input_type != nullptr;
}

Input* make_input(Visit& visit) noexcept {
  Input* const object = PyObject_New(Input, input_type);
  if (object == nullptr) return nullptr;
  object->visit = &visit;
  object->begin = 0;
  object->rest = new (std::nothrow) std::string;
  if (object->rest != nullptr) return object;
  Py_DECREF(reinterpret_cast<PyObject*>(object));
  PyErr_NoMemory();
  return nullptr;
}

}  // namespace tercel::python::wsgi
