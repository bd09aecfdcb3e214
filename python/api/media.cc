#include "python/api/media.h"

#include <utility>

#include "python/gil.h"

namespace tercel::python::api {

void Media::add(std::string type, Ref function) {
  names_.append(names_.empty() ? "" : " or ").append(type);
  const std::size_t slash = type.find('/');
  types_.push_back({.name = std::move(type), .slash = slash, .function = std::move(function)});
}

std::optional<std::uint32_t> Media::find(const http::MediaType& type) const noexcept {
  for (std::size_t i = 0; i < types_.size(); ++i) {
    const std::string_view name = types_[i].name;
    if (type.is(name.substr(0, types_[i].slash), name.substr(types_[i].slash + 1))) {
      return static_cast<std::uint32_t>(i);
    }
  }
  return std::nullopt;
}

Media::Outcome Media::read(std::uint32_t reader, std::string_view body, std::string& into) {
  const Ref bytes =
      Ref::steal(PyBytes_FromStringAndSize(body.data(), static_cast<Py_ssize_t>(body.size())));
  const Ref made = Ref::steal(bytes ? entering_python([&] {
    return PyObject_CallOneArg(types_[reader].function.get(), bytes.get());
  })
                                    : nullptr);
  if (!made) {
    // Ctrl-C, or there is no memory: the former is as if it were pressed when this is over.
    const Ref raised = take_raised();
    if (PyErr_GivenExceptionMatches(raised.get(), PyExc_KeyboardInterrupt)) PyErr_SetInterrupt();
    return Outcome::kFailed;
  }
  if (PyBytes_Check(made.get())) {
    into.assign(PyBytes_AS_STRING(made.get()),
                static_cast<std::size_t>(PyBytes_GET_SIZE(made.get())));
    return Outcome::kRead;
  }
  Py_ssize_t size = 0;
  const char* const text =
      PyUnicode_Check(made.get()) ? PyUnicode_AsUTF8AndSize(made.get(), &size) : nullptr;
  if (text == nullptr) {
    PyErr_Clear();
    return Outcome::kFailed;
  }
  into.assign(text, static_cast<std::size_t>(size));
  return Outcome::kMalformed;
}

int Media::traverse(visitproc visit, void* arg) const {
  for (const Type& type : types_) Py_VISIT(type.function.get());
  return 0;
}

}  // namespace tercel::python::api
