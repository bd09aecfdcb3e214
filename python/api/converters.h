// Converters of an application's own, for fields of paths: classes of Python.
//
//   {name:slug} or {name:slug(20, strict=True)}
//
// The class is called with the arguments, which are literals of Python; its `convert(text)` gets a
// text, and returns its value, or None or a ValueError for one that it does not take. The lookup of
// a route only asks whether it does; the value is made once more for the argument, by the endpoint.
// So what else it raises is raised there. A KeyboardInterrupt, which may have come while it ran, is
// sent to the process once more.
// Names are looked up in a dict that the application may fill until its routes are added.
//
// Resource: keeps what it made. Thread: one that holds the interpreter lock.
// Tested by test_api_converters.py.
#pragma once

#include <Python.h>

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "python/ref.h"
#include "tercel/route/converter.h"

namespace tercel::python::api {

class Converters final : public route::UserConverters {
 public:
  Converters() = default;
  // `classes`: a dict.
  explicit Converters(PyObject* classes) noexcept : classes_{Ref::share(classes)} {}
  void set_classes(PyObject* classes) noexcept { classes_ = Ref::share(classes); }

  std::optional<std::uint32_t> bind(std::string_view name, std::string_view arguments,
                                    std::string& problem) override;
  std::optional<route::UserValue> convert(std::uint32_t converter,
                                          std::string_view text) noexcept override;
  // The `convert` of one that bind() made. Borrowed.
  [[nodiscard]] PyObject* function(std::uint32_t converter) const noexcept {
    return functions_[converter].get();
  }
  int traverse(visitproc visit, void* arg) const;

 private:
  // Its `convert`; null with an exception set.
  [[nodiscard]] static Ref make(PyObject* made_of, std::string_view arguments) noexcept;

  Ref classes_;
  std::map<std::pair<std::string, std::string>, std::uint32_t> numbers_;
  std::vector<Ref> functions_;
};

}  // namespace tercel::python::api
