// One request at a WSGI application: what start_response(), write() and wsgi.input do, and how the
// iterable that the application returns is sent.
//
// Lives on the stack of its thread. What Python may keep of it (callable.h, input.h) is told when
// it is over. Source: PEP 3333. Thread: the pool's thread that made it, holding the interpreter
// lock. Tested by test_wsgi_response.py, test_wsgi_input.py.
#pragma once

#include <Python.h>

#include <cstdint>
#include <string_view>

#include "python/ref.h"
#include "python/wsgi/environ.h"
#include "python/wsgi/head.h"
#include "tercel/http/handler.h"
#include "tercel/server/pool_thread.h"

namespace tercel::python::wsgi {

class Visit final : private http::Observer {
 public:
  Visit(const http::Request& request, http::Exchange& exchange, server::Blocking& thread) noexcept;
  Visit(const Visit&) = delete;
  Visit& operator=(const Visit&) = delete;
  ~Visit() = default;

  // Calls the application and sees the response through. Logs what goes wrong.
  void run(PyObject* app, EnvironBuilder& environs) noexcept;

  // --- for what the application calls. Null, or false, with an exception set.
  // Which thread may call.
  [[nodiscard]] bool here() const noexcept;
  [[nodiscard]] bool start_response(PyObject* status, PyObject* headers,
                                    PyObject* exc_info) noexcept;
  [[nodiscard]] bool write(PyObject* bytes) noexcept;
  // The next part of the request body, waiting for it; empty at its end. Null data with
  // ClientDisconnected set when it will never be complete.
  [[nodiscard]] std::string_view read_body() noexcept;

 private:
  void on_body() noexcept override {}
  void on_writable() noexcept override {}
  void on_notice(http::Notice) noexcept override {}
  void on_end(http::Outcome outcome) noexcept override;

  void respond(PyObject* app, PyObject* environ, PyObject* start) noexcept;
  // The whole of what the application returned. False with an exception set.
  [[nodiscard]] bool send_all(PyObject* result) noexcept;
  [[nodiscard]] bool send_list(PyObject* list) noexcept;
  [[nodiscard]] bool send_iterable(PyObject* iterable) noexcept;
  // Sends the rest of a file that the application wrapped, if it is one that the kernel can send.
  enum class Sent : std::uint8_t { kYes, kNo, kFailed };
  [[nodiscard]] Sent send_file(PyObject* wrapper) noexcept;
  // One part; `last`: nothing follows.
  [[nodiscard]] bool send(PyObject* bytes, bool last) noexcept;
  [[nodiscard]] bool send_end() noexcept;
  [[nodiscard]] bool send_head() noexcept;
  [[nodiscard]] bool settle(const Result<void>& written) noexcept;
  // Until the client has taken enough of what was sent.
  [[nodiscard]] bool wait_until_writable() noexcept;
  void wait() noexcept;
  void close(PyObject* result) noexcept;
  void fail(Errc error, const char* text, PyObject* raised) noexcept;

  const http::Request& request_;
  http::Exchange& exchange_;  // Gone when over_.
  server::Blocking& thread_;
  const http::ResponseRules rules_;
  const unsigned long owner_;
  Head head_;
  std::uint64_t sent_bytes_ = 0;
  bool head_sent_ = false;
  bool over_ = false;
  bool complete_ = false;  // The response is, for the client.
};

}  // namespace tercel::python::wsgi
