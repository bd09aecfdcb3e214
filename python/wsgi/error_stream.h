// wsgi.errors: what applications write there goes to the logger "tercel", as errors.
//
// One object for all requests. A line is one record, or several that are written at once; half a
// line waits for the rest, for flush(), or for the end of the request. Each thread has its own.
// Source: PEP 3333, "Input and Error Streams". Thread: one that holds the interpreter lock. Tested
// by test_wsgi_server.py.
#pragma once

#include <Python.h>

namespace tercel::python::wsgi {

// Borrowed; set by init_error_stream(), which returns false with a Python exception set.
[[nodiscard]] PyObject* error_stream() noexcept;
[[nodiscard]] bool init_error_stream() noexcept;
// This thread calls flush_error_stream() after each request: half a line may wait here.
void keep_error_lines() noexcept;
void flush_error_stream() noexcept;

}  // namespace tercel::python::wsgi
