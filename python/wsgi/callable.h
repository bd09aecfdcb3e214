// start_response and the write() that it returns, as Python objects.
//
// The application may keep them; when the request is over they raise RuntimeError, and so they do
// on other threads than that of the request. Source: PEP 3333. Tested by test_wsgi_response.py.
#pragma once

#include <Python.h>

#include <utility>

namespace tercel::python::wsgi {

class Visit;

struct StartResponse {
  PyObject_HEAD Visit* visit;  // Null once the request is over.
};

// A new reference, or null with an exception set.
[[nodiscard]] StartResponse* make_start_response(Visit& visit) noexcept;
[[nodiscard]] bool init_callable() noexcept;

// The visit that `self` belongs to, or null with RuntimeError set.
[[nodiscard]] Visit* require_here(Visit* visit) noexcept;

// Owns an object that refers to a visit, until the visit is over.
template <typename T>
class Detaching {
 public:
  explicit Detaching(T* object) noexcept : object_{object} {}
  Detaching(const Detaching&) = delete;
  Detaching& operator=(const Detaching&) = delete;
  ~Detaching() {
    if (object_ == nullptr) return;
    object_->visit = nullptr;
    Py_DECREF(get());
  }
  explicit operator bool() const noexcept { return object_ != nullptr; }
  [[nodiscard]] PyObject* get() const noexcept { return reinterpret_cast<PyObject*>(object_); }

 private:
  T* object_;
};

}  // namespace tercel::python::wsgi
