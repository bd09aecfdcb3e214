// Makes Python types from slots. The types of this folder are private, final and immutable.
#pragma once

#include <Python.h>

#include <cstddef>

namespace tercel::python::asgi {

// PyType_Slot and PyMethodDef keep functions of different types in one field.
template <typename Function>
[[nodiscard]] void* slot(Function* function) noexcept {
  return reinterpret_cast<void*>(function);
}

[[nodiscard]] inline PyCFunction fast_method(PyObject* (*method)(PyObject*, PyObject* const*,
                                                                 Py_ssize_t)) noexcept {
  return reinterpret_cast<PyCFunction>(reinterpret_cast<void (*)()>(method));
}

// A new type of objects of `bytes` bytes, which Python code can neither call nor derive from.
// `flags` is added to the default. Null with an exception set.
[[nodiscard]] inline PyTypeObject* make_type(const char* name, std::size_t bytes,
                                             PyType_Slot* slots, unsigned long flags = 0) noexcept {
  PyType_Spec spec{
      .name = name,
      .basicsize = static_cast<int>(bytes),
      .itemsize = 0,
      .flags = static_cast<unsigned int>(Py_TPFLAGS_DEFAULT | Py_TPFLAGS_DISALLOW_INSTANTIATION |
                                         Py_TPFLAGS_IMMUTABLETYPE | flags),
      .slots = slots};
  return reinterpret_cast<PyTypeObject*>(PyType_FromSpec(&spec));
}

}  // namespace tercel::python::asgi
