// One request at a WSGI application: what start_response(), write() and wsgi.input do, and how the
// iterable that the application returns is sent.
//
// Lives on the stack of its thread. What Python may keep of it (callable.h, input.h) is told when
// it is over. The application may act on other threads than its own, as frameworks do that run a
// coroutine for it, one at a time: while one waits for the client, others are refused.
// Source: PEP 3333. Thread: one that holds the interpreter lock. Tested by test_wsgi_response.py,
// test_wsgi_input.py, test_wsgi_threads.py.
#pragma once

#include <Python.h>

#include <cstdint>
#include <optional>
#include <string_view>

#include "python/ref.h"
#include "python/wsgi/environ.h"
#include "python/wsgi/head.h"
#include "tercel/http/handler.h"
#include "tercel/server/pool_thread.h"

namespace tercel::python::wsgi {

struct Input;

class Visit final : private http::Observer {
 public:
  Visit(const http::Request& request, http::Exchange& exchange, server::Blocking& thread) noexcept;
  Visit(const Visit&) = delete;
  Visit& operator=(const Visit&) = delete;
  ~Visit() = default;

  // Calls the application and sees the response through. Logs what goes wrong.
  void run(PyObject* app, EnvironBuilder& environs) noexcept;

  // --- for what the application calls. Null, or false, with an exception set.
  // A thread waits for the client: nobody else may call.
  [[nodiscard]] bool waiting() const noexcept { return waiting_; }
  [[nodiscard]] bool start_response(PyObject* status, PyObject* headers,
                                    PyObject* exc_info) noexcept;
  [[nodiscard]] bool write(PyObject* bytes) noexcept;
  [[nodiscard]] bool send_early_hints(PyObject* headers) noexcept;
  // The next part of the request body, waiting for it; empty at its end. Null data with
  // ClientDisconnected set when it will never be complete.
  [[nodiscard]] std::string_view read_body() noexcept;

 private:
  void on_body() noexcept override {}
  void on_writable() noexcept override {}
  void on_notice(http::Notice) noexcept override {}
  void on_end(http::Outcome outcome) noexcept override;

  [[nodiscard]] Ref make_environ(EnvironBuilder& environs, Input& input, PyObject* start) noexcept;
  // The length of a body that did not tell it, if all of it is here. False with an exception set.
  [[nodiscard]] bool measure_body(Input& input, std::optional<std::uint64_t>& length) noexcept;
  void respond(PyObject* app, PyObject* environ, PyObject* start) noexcept;
  // The whole of what the application returned. False with an exception set.
  [[nodiscard]] bool send_all(PyObject* result) noexcept;
  [[nodiscard]] bool send_list(PyObject* list) noexcept;
  [[nodiscard]] bool send_iterable(PyObject* iterable) noexcept;
  // Sends the rest of a file that the application wrapped, if it is one that the kernel can send.
  enum class Sent : std::uint8_t { kYes, kNo, kFailed };
  [[nodiscard]] Sent send_file(PyObject* wrapper) noexcept;
  // One part, on its way at once; waits until the client has taken enough of what was sent. `last`:
  // nothing follows.
  [[nodiscard]] bool send(PyObject* bytes, bool last) noexcept;
  // The same, to leave with what follows.
  [[nodiscard]] bool put(PyObject* bytes, bool last) noexcept;
  [[nodiscard]] bool send_end() noexcept;
  [[nodiscard]] bool send_head() noexcept;
  [[nodiscard]] bool settle(const Result<void>& written) noexcept;
  // False with RuntimeError set when another thread waits.
  [[nodiscard]] bool require_free() const noexcept;
  [[nodiscard]] bool wait_until_writable() noexcept;
  // False with RuntimeError set: the request ended on its own thread meanwhile, and this is gone.
  [[nodiscard]] bool wait() noexcept;
  // Sends threads away that still wait here.
  void dismiss_others() noexcept;
  void close(PyObject* result) noexcept;
  void fail(Errc error) noexcept;

  const http::Request& request_;
  http::Exchange& exchange_;  // Gone when over_.
  server::Blocking& thread_;
  const http::ResponseRules rules_;
  Head head_;
  std::uint64_t sent_bytes_ = 0;
  bool head_sent_ = false;
  bool waiting_ = false;
  bool ending_ = false;
  bool over_ = false;
  bool complete_ = false;  // The response is, for the client.
};

}  // namespace tercel::python::wsgi
