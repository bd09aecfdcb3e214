// wsgi.file_wrapper: a file as the iterable of a response.
//
//   return environ["wsgi.file_wrapper"](open(path, "rb"), 65536)
//
// Reads blocks of any object with read(). What open() made of a regular file is sent by the kernel
// instead, as long as nothing was sent before. Other objects with a descriptor are not: what read()
// returns may be no bytes of that file, as with gzip.GzipFile. Source: PEP 3333, "Optional
// Platform-Specific File Handling". Tested by test_wsgi_files.py.
#pragma once

#include <Python.h>

namespace tercel::python::wsgi {

// The class. Borrowed; set by init_file_wrapper().
[[nodiscard]] PyObject* file_wrapper_type() noexcept;
[[nodiscard]] bool init_file_wrapper() noexcept;
[[nodiscard]] bool is_file_wrapper(PyObject* object) noexcept;
// Borrowed. REQUIRES: is_file_wrapper().
[[nodiscard]] PyObject* wrapped_file(PyObject* wrapper) noexcept;
// Whether reading `file` gives the bytes of its descriptor, from tell() on.
[[nodiscard]] bool is_plain_file(PyObject* file) noexcept;

}  // namespace tercel::python::wsgi
