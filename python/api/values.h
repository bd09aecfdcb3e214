// JSON values as Python objects.
//
// Tested by test_api_app.py.
#pragma once

#include <Python.h>

#include "tercel/json/value.h"

namespace tercel::python::api {

// None, bool, int (of any size), float, str, list or dict. New reference; null with an exception
// set. Recursion is bounded by the depth of the document.
[[nodiscard]] PyObject* to_python(json::Value value) noexcept;

}  // namespace tercel::python::api
