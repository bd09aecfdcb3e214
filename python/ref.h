// An owned reference to a Python object, given up when it goes out of scope.
//
//   Ref future = Ref::steal(PyObject_CallMethodNoArgs(loop, keys.create_future));
//   if (!future) return nullptr;   // The Python exception is set.
//   return future.release();
//
// For functions written against the C API, where nanobind's handles would cost a call. Moved, not
// copied: share() says where a reference is added. Thread: one that holds the interpreter lock.
#pragma once

#include <Python.h>

#include <utility>

#include "python/errors.h"
#include "python/gil.h"

namespace tercel::python {

class Ref {
 public:
  Ref() noexcept = default;
  // Takes over a new reference; null stands for a Python exception that is set.
  [[nodiscard]] static Ref steal(PyObject* object) noexcept { return Ref{object}; }
  // Adds a reference to a borrowed object, which may be null.
  [[nodiscard]] static Ref share(PyObject* object) noexcept {
    Py_XINCREF(object);
    return Ref{object};
  }

  Ref(const Ref&) = delete;
  Ref& operator=(const Ref&) = delete;
  Ref(Ref&& other) noexcept : object_{std::exchange(other.object_, nullptr)} {}
  Ref& operator=(Ref&& other) noexcept {
    PyObject* old = std::exchange(object_, std::exchange(other.object_, nullptr));
    Py_XDECREF(old);  // Last: it may run Python code that looks at this reference.
    return *this;
  }
  ~Ref() { Py_XDECREF(object_); }

  [[nodiscard]] PyObject* get() const noexcept { return object_; }
  [[nodiscard]] PyObject* release() noexcept { return std::exchange(object_, nullptr); }
  explicit operator bool() const noexcept { return object_ != nullptr; }

 private:
  explicit Ref(PyObject* object) noexcept : object_{object} {}
  PyObject* object_ = nullptr;
};

// Takes the exception that is set, with its traceback. Null when none is.
[[nodiscard]] inline Ref take_raised() noexcept {
  Gil gil = Gil::assume_held();
  return Ref::steal(take_exception(gil));
}

// Sets `exception` again. REQUIRES: not null.
inline void restore_raised(Ref exception) noexcept {
  Gil gil = Gil::assume_held();
  restore_exception(gil, exception.release());
}

}  // namespace tercel::python
