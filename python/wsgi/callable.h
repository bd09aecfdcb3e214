// start_response, the write() that it returns, and wsgi.early_hints, as Python objects.
//
// The application may keep them; when the request is over they raise RuntimeError, and so they do
// while another thread waits for the client of the request.
// Source: PEP 3333. Tested by test_wsgi_response.py, test_wsgi_threads.py.
#pragma once

#include <Python.h>

#include <utility>

#include "python/ref.h"

namespace tercel::python::wsgi {

class Visit;

struct StartResponse {
  PyObject_HEAD Visit* visit;  // Null once the request is over.
};

// A new reference, or null with an exception set.
[[nodiscard]] StartResponse* make_start_response(Visit& visit) noexcept;
// early_hints(headers), for the request of `start_response`.
[[nodiscard]] Ref make_early_hints(PyObject* start_response) noexcept;
[[nodiscard]] bool init_callable() noexcept;

// `visit`, if it may be used now; else null with RuntimeError set.
[[nodiscard]] Visit* require_visit(Visit* visit) noexcept;

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
  [[nodiscard]] T& object() const noexcept { return *object_; }
  [[nodiscard]] PyObject* get() const noexcept { return reinterpret_cast<PyObject*>(object_); }

 private:
  T* object_;
};

}  // namespace tercel::python::wsgi
