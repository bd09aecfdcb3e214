// One call of a coroutine function: what the dispatcher calls and drives in place of an
// application.
//
// Called with (None, None, send) it calls the function, and is from then on the awaitable of its
// coroutine: it hands on what that yields, and answers with what it returns. When that is a stream,
// the coroutine that sends it follows. Looks like the
// coroutine from outside (cr_frame and the like), so that a Task shows the function.
// Source: PEP 492. Tested by test_api_app.py.
#pragma once

#include <Python.h>

#include "python/api/endpoint.h"

namespace tercel::python::api {

// Makes the type. False with a Python exception set.
[[nodiscard]] bool init_invocation() noexcept;

// New reference; null with MemoryError set. `owner` keeps `endpoint`
// alive, and outlives its server.
[[nodiscard]] PyObject* make_invocation(const PyEndpoint& endpoint, PyObject* owner, Ref arguments,
                                        const http::Request& request) noexcept;
// The same for a stream that a plain function returned.
// `head`: the request was HEAD.
[[nodiscard]] PyObject* make_stream(const PyEndpoint& endpoint, PyObject* owner, PyObject* stream,
                                    bool head) noexcept;

}  // namespace tercel::python::api
