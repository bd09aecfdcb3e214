#include "python/errors.h"

#include <cerrno>
#include <string>

#include <nanobind/nanobind.h>

namespace nb = nanobind;

namespace tercel::python {
namespace {

nb::str to_str(std::string_view text) {
  return nb::str(text.data(), text.size());
}

const char* to_text(Blame blame) noexcept {
  switch (blame) {
    case Blame::kClient:
      return "client";
    case Blame::kUpstream:
      return "upstream";
    case Blame::kServer:
      return "server";
  }
  return "";
}

nb::list error_table() {
#define TERCEL_CODE(name, blame, status, text) Errc::name,
  constexpr Errc kAll[] = {TERCEL_ERRORS(TERCEL_CODE)};
#undef TERCEL_CODE
  nb::list rows;
  for (const Errc error : kAll) {
    const ErrorInfo row = info(error);
    rows.append(
        nb::make_tuple(to_str(row.name), to_text(row.blame), row.http_status, to_str(row.text)));
  }
  return rows;
}

// The errno that stands for `error`, or 0 when it is not a failure of the system.
int errno_of(Errc error) noexcept {
  switch (error) {
    case Errc::kAddressInUse:
      return EADDRINUSE;
    case Errc::kAddressInvalid:
      return EADDRNOTAVAIL;
    case Errc::kPermission:
      return EACCES;
    case Errc::kTooManyFiles:
      return EMFILE;
    case Errc::kSystem:
      return errno != 0 ? errno : EIO;
    default:
      return 0;
  }
}

}  // namespace

PyObject* raise(Gil& /*gil*/, Errc error) noexcept {
  if (error == Errc::kNoMemory) return PyErr_NoMemory();
  if (const int number = errno_of(error); number != 0) {
    errno = number;
    return PyErr_SetFromErrno(PyExc_OSError);
  }
  PyObject* type = error == Errc::kNotANumber ? PyExc_ValueError : PyExc_RuntimeError;
  PyErr_SetString(type, std::string(info(error).text).c_str());
  return nullptr;
}

void throw_error(Gil& gil, Errc error) {
  raise(gil, error);
  throw_python_error();
}

void throw_python_error() {
  throw nb::python_error();
}

PyObject* take_exception(Gil& /*gil*/) noexcept {
#if PY_VERSION_HEX >= 0x030C0000
  return PyErr_GetRaisedException();
#else
  PyObject* type = nullptr;
  PyObject* value = nullptr;
  PyObject* traceback = nullptr;
  PyErr_Fetch(&type, &value, &traceback);
  if (type == nullptr) return nullptr;
  PyErr_NormalizeException(&type, &value, &traceback);
  if (traceback != nullptr) PyException_SetTraceback(value, traceback);
  Py_DECREF(type);
  Py_XDECREF(traceback);
  return value;
#endif
}

void restore_exception(Gil& /*gil*/, PyObject* exception) noexcept {
#if PY_VERSION_HEX >= 0x030C0000
  PyErr_SetRaisedException(exception);
#else
  PyErr_Restore(Py_NewRef(reinterpret_cast<PyObject*>(Py_TYPE(exception))), exception,
                PyException_GetTraceback(exception));
#endif
}

void bind_errors(nb::module_& module);

void bind_errors(nb::module_& module) {
  module.def("error_table", &error_table,
             nb::sig("def error_table() -> list[tuple[str, str, int, str]]"),
             "Every failure of the engine: name, who is to blame, HTTP status (0: none), text.");
}

}  // namespace tercel::python
