// Names that the ASGI handler looks up for every request, interned once.
//
//   PyObject* body = PyDict_GetItemWithError(message, keys.body);
//
// An interned key carries its hash and is usually the very object that the application's own
// literal is, so a look-up costs no hashing and no comparison of text. The table is filled when the
// module is loaded and lives as long as the process, as the interpreter's own interned names do.
#pragma once

#include <Python.h>

namespace tercel::python::asgi {

// Version 14 of clang-format lays this macro out anew each time it is run.
// clang-format off
#define TERCEL_ASGI_KEYS(X)                                                                      \
  /* keys of the scope */                                                                        \
  X(type) X(asgi) X(http_version) X(method) X(scheme) X(path) X(raw_path) X(query_string)        \
  X(root_path) X(headers) X(client) X(server) X(extensions) X(state) X(version)                  \
  X(spec_version)                                                                                \
  /* keys of messages */                                                                         \
  X(status) X(trailers) X(body) X(more_body) X(more_trailers) X(links) X(file) X(offset)         \
  X(count) X(text) X(bytes) X(code) X(reason) X(subprotocol) X(subprotocols)                     \
  /* attributes and keyword arguments of asyncio, logging and coroutines */                      \
  X(create_future) X(create_task) X(call_soon) X(get_debug) X(get_task_factory) X(get_loop)      \
  X(set_result) X(done) X(cancel) X(add_done_callback) X(_asyncio_future_blocking)               \
  X(_must_cancel) X(_callbacks) X(_cancel_message) X(_log_destroy_pending) X(loop) X(context)    \
  X(eager_start) X(error) X(warning) X(debug) X(exc_info) X(exceptions) X(args) X(send)          \
  X(close) X(cr_await) X(cr_code) X(cr_frame) X(cr_running) X(__name__) X(__qualname__)
// clang-format on

struct Keys {
#define TERCEL_ASGI_KEY(name) PyObject* name = nullptr;
  TERCEL_ASGI_KEYS(TERCEL_ASGI_KEY)
#undef TERCEL_ASGI_KEY
  PyObject* throw_ = nullptr;       // "throw" is a word of C++.
  PyObject* empty_text = nullptr;   // ""
  PyObject* empty_bytes = nullptr;  // b""
  PyObject* empty_tuple = nullptr;  // ()
};

extern constinit Keys keys;

// Fills `keys`. False with a Python exception set.
[[nodiscard]] bool intern_keys() noexcept;

}  // namespace tercel::python::asgi
