#include "python/api/values.h"

#include <string>

#include "python/ref.h"

namespace tercel::python::api {
namespace {

PyObject* to_str(std::string_view text) noexcept {
  return PyUnicode_DecodeUTF8(text.data(), static_cast<Py_ssize_t>(text.size()), nullptr);
}

PyObject* to_int(std::string_view digits) noexcept {
  // PyLong_FromString() wants a NUL behind them.
  const std::string text{digits};
  return PyLong_FromString(text.c_str(), nullptr, 10);
}

PyObject* to_list(json::Value array) noexcept {
  Ref list = Ref::steal(PyList_New(static_cast<Py_ssize_t>(array.size())));
  if (!list) return nullptr;
  Py_ssize_t index = 0;
  for (const json::Value element : array.elements()) {
    PyObject* const item = to_python(element);
    if (item == nullptr) return nullptr;
    PyList_SET_ITEM(list.get(), index++, item);
  }
  return list.release();
}

PyObject* to_dict(json::Value object) noexcept {
  Ref dict = Ref::steal(PyDict_New());
  if (!dict) return nullptr;
  for (const json::Member member : object.members()) {
    const Ref key = Ref::steal(to_str(member.key()));
    const Ref value = Ref::steal(key ? to_python(member.value()) : nullptr);
    if (!value || PyDict_SetItem(dict.get(), key.get(), value.get()) < 0) return nullptr;
  }
  return dict.release();
}

}  // namespace

PyObject* to_python(json::Value value) noexcept {
  switch (value.kind()) {
    case json::Kind::kNull:
      return Py_NewRef(Py_None);
    case json::Kind::kFalse:
      return Py_NewRef(Py_False);
    case json::Kind::kTrue:
      return Py_NewRef(Py_True);
    case json::Kind::kInteger:
      return PyLong_FromLongLong(value.int64());
    case json::Kind::kUnsigned:
      return PyLong_FromUnsignedLongLong(value.uint64());
    case json::Kind::kBigInteger:
      return to_int(value.number_text());
    case json::Kind::kDecimal:
      return PyFloat_FromDouble(value.float64());
    case json::Kind::kString:
      return to_str(value.string());
    case json::Kind::kArray:
      return to_list(value);
    case json::Kind::kObject:
      return to_dict(value);
  }
  Py_UNREACHABLE();
}

}  // namespace tercel::python::api
