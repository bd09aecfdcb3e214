// tercel._core.Settings: the typed settings of one server, as Python fills and reads them.
//
// A value. Python says where a text came from and what to call it there; what it may be is decided
// by the table in C++. Nothing here throws: a problem is returned as a sentence.
// Tested by test_settings.py.
#pragma once

#include <nanobind/nanobind.h>

#include "tercel/config/settings.h"

namespace tercel::python {

// Bound as _core.Settings: what functions that take settings receive.
struct PySettings {
  config::Settings values;
};

}  // namespace tercel::python
