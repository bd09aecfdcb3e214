#include "python/wsgi/error_stream.h"

#include <utility>

#include "python/asgi/failure.h"
#include "python/asgi/types.h"
#include "python/ref.h"

namespace tercel::python::wsgi {
namespace {

PyObject* stream = nullptr;

// Longer than a line of anybody's log.
constexpr Py_ssize_t kRestMax = 65536;

thread_local bool keeps_lines = false;
thread_local PyObject* rest = nullptr;  // Owned.
thread_local bool logging = false;

// A handler of the logger may write to wsgi.errors: that ends on standard error.
void emit(PyObject* text) noexcept {
  if (PyUnicode_GET_LENGTH(text) == 0) return;
  if (std::exchange(logging, true)) {
    PyObject* const file = PySys_GetObject("stderr");
    const bool written = file != nullptr && file != Py_None &&
                         PyFile_WriteObject(text, file, Py_PRINT_RAW) == 0 &&
                         PyFile_WriteString("\n", file) == 0;
    if (!written) PyErr_Clear();
    return;
  }
  asgi::log_error(text);
  logging = false;
}

// All of `text` but the end of its last line.
bool emit_lines(PyObject* text) noexcept {
  Py_ssize_t length = PyUnicode_GET_LENGTH(text);
  while (length > 0 && PyUnicode_READ_CHAR(text, length - 1) == '\n') --length;
  const Ref lines = Ref::steal(PyUnicode_Substring(text, 0, length));
  if (!lines) return false;
  emit(lines.get());
  return true;
}

bool write_text(PyObject* text) noexcept {
  if (!PyUnicode_Check(text)) {
    PyErr_Format(PyExc_TypeError, "wsgi.errors takes str, not %.100s", Py_TYPE(text)->tp_name);
    return false;
  }
  if (!keeps_lines) return emit_lines(text);
  const Ref before = Ref::steal(std::exchange(rest, nullptr));
  const Ref all = before ? Ref::steal(PyUnicode_Concat(before.get(), text)) : Ref::share(text);
  if (!all) return false;
  const Py_ssize_t length = PyUnicode_GET_LENGTH(all.get());
  if (length > kRestMax) return emit_lines(all.get());
  const Py_ssize_t end = PyUnicode_FindChar(all.get(), '\n', 0, length, -1);
  rest = PyUnicode_Substring(all.get(), end + 1, length);
  if (rest == nullptr) return false;
  if (PyUnicode_GET_LENGTH(rest) == 0) Py_CLEAR(rest);
  if (end < 0) return true;
  const Ref lines = Ref::steal(PyUnicode_Substring(all.get(), 0, end));
  return lines && emit_lines(lines.get());
}

PyObject* write(PyObject* /*self*/, PyObject* text) noexcept {
  return write_text(text) ? PyLong_FromSsize_t(PyUnicode_GET_LENGTH(text)) : nullptr;
}

PyObject* writelines(PyObject* /*self*/, PyObject* texts) noexcept {
  const Ref iterator = Ref::steal(PyObject_GetIter(texts));
  if (!iterator) return nullptr;
  while (const Ref text = Ref::steal(PyIter_Next(iterator.get()))) {
    if (!write_text(text.get())) return nullptr;
  }
  return PyErr_Occurred() ? nullptr : Py_NewRef(Py_None);
}

PyObject* flush(PyObject* /*self*/, PyObject* /*unused*/) noexcept {
  flush_error_stream();
  return Py_NewRef(Py_None);
}

PyMethodDef methods[] = {
    {"write", &write, METH_O,
     PyDoc_STR("write($self, text, /)\n--\n\nLogs the lines of `text`, as errors of `tercel`.")},
    {"writelines", &writelines, METH_O,
     PyDoc_STR("writelines($self, texts, /)\n--\n\nwrite() for each of `texts`.")},
    {"flush", &flush, METH_NOARGS,
     PyDoc_STR("flush($self, /)\n--\n\nLogs what was written without the end of its line.")},
    {nullptr, nullptr, 0, nullptr}};

}  // namespace

PyObject* error_stream() noexcept {
  return stream;
}

bool init_error_stream() noexcept {
  if (stream != nullptr) return true;
  PyType_Slot slots[] = {{Py_tp_methods, methods},
                         {Py_tp_doc, const_cast<char*>("The log, as wsgi.errors.")},
                         {0, nullptr}};
  PyTypeObject* const type = asgi::make_type("tercel._core.ErrorStream", sizeof(PyObject), slots);
  if (type != nullptr) stream = PyObject_New(PyObject, type);
  return stream != nullptr;
}

void keep_error_lines() noexcept {
  keeps_lines = true;
}

void flush_error_stream() noexcept {
  if (rest == nullptr) return;
  const Ref text = Ref::steal(std::exchange(rest, nullptr));
  emit(text.get());
}

}  // namespace tercel::python::wsgi
