// Takes the items of a tuple one after the other.
#pragma once

#include <cstddef>

#include <nanobind/nanobind.h>

namespace tercel::python::s3 {

// Outlived by the tuple. Throws what nanobind does for an item that is another one, or missing.
class Items {
 public:
  explicit Items(const nanobind::tuple& tuple) : tuple_{tuple} {}
  template <typename T>
  T next() {
    return nanobind::cast<T>(tuple_[next_++]);
  }

 private:
  const nanobind::tuple& tuple_;
  std::size_t next_ = 0;
};

}  // namespace tercel::python::s3
