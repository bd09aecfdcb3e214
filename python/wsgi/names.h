// Strings that every request needs, made once a process.
// Thread: one that holds the interpreter lock.
#pragma once

#include <Python.h>

namespace tercel::python::wsgi {

struct Names {
  PyObject* request_method;
  PyObject* script_name;
  PyObject* path_info;
  PyObject* query_string;
  PyObject* request_uri;
  PyObject* raw_uri;
  PyObject* server_protocol;
  PyObject* server_name;
  PyObject* server_port;
  PyObject* remote_addr;
  PyObject* remote_port;
  PyObject* content_type;
  PyObject* content_length;
  PyObject* url_scheme;
  PyObject* input;
  PyObject* early_hints;
  PyObject* close;
  PyObject* raw;
};
extern Names names;

// False with a Python exception set. May be called again.
[[nodiscard]] bool init_names() noexcept;

}  // namespace tercel::python::wsgi
