// One WebSocket that the application holds.
//
// | the application         | before accept       | open             | closed by it | by the client
// |
// |-------------------------|---------------------|------------------|--------------|---------------|
// | receive()               | connect, then waits | messages         | waits        | what is left
// | | sends websocket.accept  | 101                 | RuntimeError     | RuntimeError |
// disconnected  | | sends websocket.send    | RuntimeError        | a frame          | RuntimeError
// | disconnected  | | sends websocket.close   | 403                 | the close frame  |
// RuntimeError | disconnected  | | sends a denial response | that response       | RuntimeError |
// RuntimeError | disconnected  | | returns                 | 500, logged         | closed with 1000
// | -            | -             | | raises                  | 500, logged         | closed with
// 1011 | logged       | logged        |
//
// "Disconnected" is ClientDisconnected, an OSError as ASGI 2.4 wants. The last that receive() says,
// for ever, is websocket.disconnect, behind every message that came before it, with the code and
// the reason of edge::WebSocket::end(). An application that is cancelled or fails is reported as
// one of HTTP (failure.h). cancel-on-disconnect is for requests: a WebSocket's application always
// learns.
//
// The engine holds the cycle as the observer of its socket until the exchange ends.
// Source: ASGI HTTP & WebSocket message format 2.5, "WebSocket". Tested by test_websocket_asgi.py.
#pragma once

#include <Python.h>

#include "python/asgi/call.h"
#include "python/ref.h"
#include "tercel/edge/websocket.h"
#include "tercel/http/handler.h"

namespace tercel::python::asgi {

enum class WebSocketMessageType : std::uint8_t;

class WebSocketCycle final : public Call, public edge::WebSocketObserver {
 public:
  WebSocketCycle(PyObject* callable, AsgiHandler& handler, http::Exchange& exchange) noexcept;

  [[nodiscard]] PyObject* send(PyObject* message) noexcept override;
  [[nodiscard]] bool unfinished() const noexcept override;
  [[nodiscard]] const char* leave() noexcept override;
  void abort(Errc error) noexcept override;

  // --- edge::WebSocketObserver
  void on_message() noexcept override { wake(Wait::kMessage); }
  void on_writable() noexcept override { wake(Wait::kWritable); }
  void on_exchange_end(http::Exchange& exchange) noexcept override;
  void on_over() noexcept override;

 private:
  friend WebSocketCycle* make_websocket_cycle(AsgiHandler& handler, http::Exchange& exchange,
                                              const http::WebSocketHandshake& handshake,
                                              const http::Request& request) noexcept;

  [[nodiscard]] Poll poll_message(PyObject** message) noexcept override;
  [[nodiscard]] bool writable() const noexcept override { return socket_.writable(); }
  [[nodiscard]] bool gone() const noexcept override;
  PyObject* raise_gone() const noexcept override;

  // send(): one function a message type. Each null with an exception set.
  [[nodiscard]] PyObject* accept(PyObject* message) noexcept;
  [[nodiscard]] PyObject* send_message(PyObject* message) noexcept;
  [[nodiscard]] PyObject* close(PyObject* message) noexcept;
  [[nodiscard]] PyObject* refuse() noexcept;
  [[nodiscard]] PyObject* start_denial(PyObject* message) noexcept;
  [[nodiscard]] PyObject* send_denial_body(PyObject* message) noexcept;

  [[nodiscard]] bool is_expected(WebSocketMessageType type) const noexcept;
  PyObject* raise_unexpected(PyObject* type, WebSocketMessageType known) const noexcept;
  PyObject* raise_error(Errc error) const noexcept;
  [[nodiscard]] const char* describe() const noexcept;
  // What send() returns for `bytes` that are on their way, or an exception.
  [[nodiscard]] PyObject* passed_on(Result<void> result, std::size_t bytes) noexcept;

  // The loop's, in whose memory are messages that nobody took yet. An application may keep this
  // longer than its server and its loop, as a traceback does.
  Ref engine_;
  edge::WebSocket socket_;
  bool connect_told_ = false;
  bool said_all_ = false;  // The application closed it, or its denial is complete.
  bool aborted_ = false;   // The application ended before that.
};

// Makes the type of `send`. False with a Python exception set.
[[nodiscard]] bool init_websocket_cycle() noexcept;
// A new cycle, which the exchange keeps until it ends; null with MemoryError set.
[[nodiscard]] WebSocketCycle* make_websocket_cycle(AsgiHandler& handler, http::Exchange& exchange,
                                                   const http::WebSocketHandshake& handshake,
                                                   const http::Request& request) noexcept;

}  // namespace tercel::python::asgi
