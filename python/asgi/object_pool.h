// Memory of Python objects that are made and dropped with every request.
//
// A bounded free list of one type. Taking an object from it instead of the interpreter's allocator
// saves 10 to 20 ns. Only for types without the garbage collector's header.
// Thread: one that holds the interpreter lock.
#pragma once

#include <Python.h>

#include <array>
#include <cstddef>

namespace tercel::python::asgi {

template <typename Object>
class ObjectPool {
 public:
  // Objects kept for later: as many as one loop commonly has under way at a time.
  static constexpr std::size_t kKeptMax = 128;

  // A new reference to an object of `type` whose fields behind the header are not initialised, or
  // null with MemoryError set.
  [[nodiscard]] Object* make(PyTypeObject* type) noexcept {
    if (count_ == 0) return PyObject_New(Object, type);
    Object* object = kept_[--count_];
    PyObject_Init(reinterpret_cast<PyObject*>(object), type);
    return object;
  }

  // The end of tp_dealloc. REQUIRES: the fields behind the header are destroyed.
  void drop(Object* object) noexcept {
    PyTypeObject* type = Py_TYPE(object);
    if (count_ < kKeptMax) {
      kept_[count_++] = object;
    } else {
      PyObject_Free(object);
    }
    Py_DECREF(type);
  }

 private:
  std::array<Object*, kKeptMax> kept_{};
  std::size_t count_ = 0;
};

}  // namespace tercel::python::asgi
