// What becomes of a request when its application is done with it; the second half is for WSGI
// applications too (python/wsgi/visit.cc).
//
// | the application                      | before start | after | logged              | its task  |
// |--------------------------------------|--------------|-------|---------------------|-----------|
// | returned, response complete          | -            | -     | no                  | done      |
// | returned, response not complete      | 500          | cut   | error               | done      |
// | raised                               | 500          | cut   | error and traceback | done      |
// | raised ClientDisconnected            | -            | -     | no                  | done      |
// | raised because of it                 | -            | -     | debug and traceback | done      |
// | was cancelled                        | 500          | cut   | error, if that cuts | cancelled |
// | raised SystemExit, KeyboardInterrupt | 500          | cut   | error and traceback | done      |
// | KeyboardInterrupt, and leaves_loop() | 500          | cut   | no                  | raises it |
//
// In a child of fork() whatever it did ends the process (tercel.server.forked): loop and
// connections are the parent's. "Cut" is an end that the client can tell from a complete response;
// after it and after the 500, a task that the application left behind gets RuntimeError from
// send(). "Because of it": frameworks turn the OSError of send() into exceptions of their own,
// raised from it or while handling it, or put it into an ExceptionGroup. Everything goes to the
// logger "tercel", tracebacks as `exc_info`. Tested by test_asgi_failures.py.
#pragma once

#include <Python.h>

namespace tercel::python::asgi {

class Call;

// The application of `call` returned.
void settle_returned(Call& call) noexcept;

// The application of `call` raised. REQUIRES: the exception is set. Returns whether it still is,
// because it must go on: cancellation to the task, what ends the program out of the loop.
[[nodiscard]] bool settle_raised(Call& call) noexcept;

// Whether `exception` is to leave the loop. One request must not end a server that has others, so
// only KeyboardInterrupt does, where Python's own handler of SIGINT may have raised it.
[[nodiscard]] bool leaves_loop(PyObject* exception) noexcept;

// This process serves from now on: children of it are known for what they are.
void note_own_process() noexcept;

// Whether `thrown`, an exception or its class, is asyncio.CancelledError.
[[nodiscard]] bool is_cancelled_error(PyObject* thrown) noexcept;

// In a child of fork() that comes back from a request: ends the process, as `raised` says if that
// is SystemExit. It may be null: the application returned.
void end_if_child(const char* kind, PyObject* raised) noexcept;

// Whether `raised` is, or comes of, the ClientDisconnected that an application was told.
[[nodiscard]] bool is_disconnect(PyObject* raised) noexcept;

// Logs what an application of `kind`, "ASGI" or "WSGI", raised: nothing, a line for debugging or an
// error, as the table says. REQUIRES: no exception is set.
void log_raised(const char* kind, PyObject* raised) noexcept;

// Logs `text`, with the exception `raised` and its traceback unless that is null. Never fails: what
// goes wrong in logging is reported as unraisable. REQUIRES: no exception is set.
void log_error(const char* text, PyObject* raised) noexcept;
// The same for a str.
void log_error(PyObject* text) noexcept;

// Logs that a body is dropped because no response with this status has one: the first time in a
// process. (Not for HEAD, where leaving the body to the server is what most frameworks do.)
void warn_of_dropped_body(int status) noexcept;

// Finds asyncio.CancelledError. False with a Python exception set.
[[nodiscard]] bool init_failure() noexcept;

}  // namespace tercel::python::asgi
