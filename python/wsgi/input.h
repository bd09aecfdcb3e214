// wsgi.input: the request body as a file that is read once, from front to back.
//
// Waits for the client without the interpreter lock. What lines leave over is kept here, so memory
// is that of one part and of what was asked for. Source: PEP 3333, "Input and Error Streams".
// Tested by test_wsgi_input.py.
#pragma once

#include <Python.h>

#include <string>
#include <string_view>

namespace tercel::python::wsgi {

class Visit;

struct Input {
  PyObject_HEAD Visit* visit;  // Null once the request is over.
  std::string* rest;           // Read, and not given out yet, from `begin` on. Owned.
  std::size_t begin;
};

// A new reference, or null with an exception set.
[[nodiscard]] Input* make_input(Visit& visit) noexcept;
[[nodiscard]] bool init_input() noexcept;
// Keeps a part of the body for the application. False with MemoryError set.
[[nodiscard]] bool add_to_input(Input& input, std::string_view part) noexcept;

}  // namespace tercel::python::wsgi
