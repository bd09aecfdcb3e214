#include "python/api/converters.h"

#include "python/gil.h"

namespace tercel::python::api {
namespace {

// What the exception that is set says; it is cleared.
std::string take_message() noexcept {
  const Ref raised = take_raised();
  const Ref text = Ref::steal(PyObject_Str(raised.get()));
  const char* const message = text ? PyUnicode_AsUTF8(text.get()) : nullptr;
  PyErr_Clear();
  return message != nullptr ? message : "its arguments are wrong";
}

}  // namespace

std::optional<std::uint32_t> Converters::bind(std::string_view name, std::string_view arguments,
                                              std::string& problem) {
  std::pair<std::string, std::string> key{name, arguments};
  if (const auto known = numbers_.find(key); known != numbers_.end()) return known->second;
  if (!classes_) return std::nullopt;
  // Kept, as what runs next may change the dict.
  const Ref made_of = Ref::share(PyDict_GetItemString(classes_.get(), key.first.c_str()));
  if (!made_of) return std::nullopt;
  Ref function = make(made_of.get(), arguments);
  if (!function) {
    problem = "cannot be made: " + take_message();
    return std::nullopt;
  }
  const auto number = static_cast<std::uint32_t>(functions_.size());
  functions_.push_back(std::move(function));
  numbers_.emplace(std::move(key), number);
  return number;
}

Ref Converters::make(PyObject* made_of, std::string_view arguments) noexcept {
  const Ref text = Ref::steal(
      PyUnicode_FromStringAndSize(arguments.data(), static_cast<Py_ssize_t>(arguments.size())));
  const Ref module = Ref::steal(text ? PyImport_ImportModule("tercel.api.converters") : nullptr);
  if (!module) return {};
  return Ref::steal(entering_python(
      [&] { return PyObject_CallMethod(module.get(), "bind", "OO", made_of, text.get()); }));
}

std::optional<route::UserValue> Converters::convert(std::uint32_t converter,
                                                    std::string_view text) noexcept {
  const Ref given =
      Ref::steal(PyUnicode_DecodeUTF8(text.data(), static_cast<Py_ssize_t>(text.size()), nullptr));
  const Ref value = Ref::steal(given ? entering_python([&] {
    return PyObject_CallOneArg(functions_[converter].get(), given.get());
  })
                                     : nullptr);
  if (value) return value.get() == Py_None ? std::nullopt : std::optional{route::UserValue{}};
  const Ref raised = take_raised();
  // A text that is no UTF-8 is one, too.
  if (PyErr_GivenExceptionMatches(raised.get(), PyExc_ValueError) != 0) return std::nullopt;
  // Of others, the log hears when the value is made; but who pressed Ctrl-C does so once, and a
  // lookup raises nothing. So it is as if they had not done so yet.
  if (PyErr_GivenExceptionMatches(raised.get(), PyExc_KeyboardInterrupt) != 0) PyErr_SetInterrupt();
  return route::UserValue{};
}

int Converters::traverse(visitproc visit, void* arg) const {
  Py_VISIT(classes_.get());
  for (const Ref& function : functions_) Py_VISIT(function.get());
  return 0;
}

}  // namespace tercel::python::api
