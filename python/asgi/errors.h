// The exceptions that receive() and send() raise.
//
// | what happened                                        | exception                        |
// |------------------------------------------------------|----------------------------------|
// | the client is gone                                   | tercel.ClientDisconnected        |
// | a status, header name, value or length is malformed  | ValueError                       |
// | the body does not match its Content-Length           | RuntimeError                     |
// | a message out of order, or of an unknown type        | RuntimeError                     |
// | the application returned or failed meanwhile         | RuntimeError                     |
// | a value of a message has the wrong type              | TypeError                        |
// | a value of a message is missing                      | KeyError                         |
//
// Source: ASGI HTTP & WebSocket message format 2.5, "Disconnected Client". Tested by
// test_asgi_send.py.
#pragma once

#include <Python.h>

#include <span>

#include "tercel/base/errors.h"
#include "tercel/http/message.h"

namespace tercel::python::asgi {

// tercel.ClientDisconnected, a subclass of OSError. Borrowed; set by init_errors().
[[nodiscard]] PyObject* client_disconnected() noexcept;

// Makes the exception. False with a Python exception set.
[[nodiscard]] bool init_errors() noexcept;

// Raises ClientDisconnected. Returns null.
PyObject* raise_client_disconnected() noexcept;

// Raises the exception for what an exchange answered. Returns null.
PyObject* raise_response_error(Errc error) noexcept;
// The same for what it answered to `fields`: names the field that is malformed.
PyObject* raise_response_error(Errc error, std::span<const http::Field> fields) noexcept;

}  // namespace tercel::python::asgi
