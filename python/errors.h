// From tercel's error values to Python exceptions. This is the only place that throws.
//
// Two forms, because two kinds of code call it: functions bound by nanobind throw (or_throw), hot
// functions written for the C API set the exception and return nullptr (raise).
//
// | error                              | exception                       |
// |------------------------------------|---------------------------------|
// | kAddressInUse, kAddressInvalid,    | OSError with the errno of that  |
// | kPermission, kTooManyFiles         | meaning (its subclass if any)   |
// | kSystem                            | OSError with the current errno  |
// | kNoMemory                          | MemoryError                     |
// | kNotANumber                        | ValueError                      |
// | any other                          | RuntimeError                    |
//
// Tested by test_engine.py and test_server_object.py.
#pragma once

#include <Python.h>

#include <utility>

#include "python/gil.h"
#include "tercel/base/result.h"

namespace tercel::python {

// Sets the Python exception of `error`. Returns nullptr, so that a C function can return it.
// `errno` must still be that of the failed call when `error` is kSystem.
PyObject* raise(Gil& gil, Errc error) noexcept;

// The same as a C++ exception, which nanobind turns into the Python one.
[[noreturn]] void throw_error(Gil& gil, Errc error);

// REQUIRES: a Python exception is set. Leaves it to nanobind.
[[noreturn]] void throw_python_error();

// Takes the current Python exception out, with its traceback; nullptr when there is none. The
// caller owns it.
[[nodiscard]] PyObject* take_exception(Gil& gil) noexcept;
// Makes `exception` the current one, and takes its reference.
void restore_exception(Gil& gil, PyObject* exception) noexcept;

template <typename T>
T or_throw(Gil& gil, Result<T> result) {  // NOLINT(performance-unnecessary-value-param)
  if (!result) throw_error(gil, result.error());
  if constexpr (!std::is_void_v<T>) return *std::move(result);
}

// For functions that nanobind bound: it calls them with the lock held.
template <typename T>
T or_throw(Result<T> result) {
  Gil gil = Gil::assume_held();
  return or_throw(gil, std::move(result));
}

}  // namespace tercel::python
