// wsgi.file_wrapper: a file as the iterable of a response.
//
//   return environ["wsgi.file_wrapper"](open(path, "rb"), 65536)
//
// Reads blocks of any object with read(). What is a regular file of the system is sent by the
// kernel instead, as long as nothing was sent before. Source: PEP 3333, "Optional Platform-Specific
// File Handling". Tested by test_wsgi_files.py.
#pragma once

#include <Python.h>

namespace tercel::python::wsgi {

// The class. Borrowed; set by init_file_wrapper().
[[nodiscard]] PyObject* file_wrapper_type() noexcept;
[[nodiscard]] bool init_file_wrapper() noexcept;
[[nodiscard]] bool is_file_wrapper(PyObject* object) noexcept;
// Borrowed. REQUIRES: is_file_wrapper().
[[nodiscard]] PyObject* wrapped_file(PyObject* wrapper) noexcept;

}  // namespace tercel::python::wsgi
