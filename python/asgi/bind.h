// Prepares the ASGI handler when the module is loaded, and binds tercel.ClientDisconnected.
#pragma once

#include <nanobind/nanobind.h>

namespace tercel::python::asgi {

// Throws the Python exception of what fails.
void bind_asgi(nanobind::module_& module);

}  // namespace tercel::python::asgi
