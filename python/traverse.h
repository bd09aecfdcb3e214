// For classes of nanobind whose objects keep others that may lead back to them: the collector of
// cycles goes through T::traverse(visitproc, void*).
//
//   nb::class_<T>(module, "T", nb::type_slots(traversed<T>))
//
// Thread: one that holds the interpreter lock.
#pragma once

#include <nanobind/nanobind.h>

namespace tercel::python {

template <typename T>
int traverse_instance(PyObject* self, visitproc visit, void* arg) noexcept {
  Py_VISIT(Py_TYPE(self));
  return nanobind::inst_ready(self) ? nanobind::inst_ptr<T>(self)->traverse(visit, arg) : 0;
}

template <typename T>
inline PyType_Slot traversed[] = {  // NOLINT: CPython keeps pointers to them.
    {Py_tp_traverse, reinterpret_cast<void*>(&traverse_instance<T>)},
    {0, nullptr}};

}  // namespace tercel::python
