// Runs an ASGI application for each request of a server.
//
// An http::Handler, as every door of tercel is: builds the scope, makes the cycle that the exchange
// reports to, and has the dispatcher call the application. Refuses WebSocket handshakes that are
// malformed (400, 426) by itself.
// Source: ASGI 3.0. Tested by tests/python/test_asgi_*.py and
// test_websocket_*.py.
#pragma once

#include <Python.h>

#include <string>
#include <string_view>
#include <vector>

#include "python/asgi/dispatch.h"
#include "python/asgi/scope.h"
#include "python/engine.h"
#include "python/ref.h"
#include "tercel/edge/websocket.h"
#include "tercel/http/handler.h"

namespace tercel::python::asgi {

class Call;

struct HandlerOptions {
  Dispatch dispatch = Dispatch::kAuto;
  RootPath root_path;
  bool cancel_on_disconnect = false;
  bool websockets = true;  // False: who asks for one is answered as if it had not.
  edge::WebSocketOptions websocket;
};

// Resource: outlives every exchange that it was given. Applications may outlive it.
class AsgiHandler final : public http::Handler {
 public:
  // `loop` runs on `engine`. `state` is the lifespan's, or null. `context` is the one that requests
  // inherit their context variables from: the lifespan's.
  AsgiHandler(Engine& engine, PyObject* app, PyObject* loop, PyObject* state, PyObject* context,
              const HandlerOptions& options);
  // False with a Python exception set. To be called once, before handle().
  [[nodiscard]] bool init() noexcept;

  void handle(const http::Request& request, http::Exchange& exchange) noexcept override;
  // Runs `callable(None, None, send)` for a request as it runs the application: an endpoint of
  // another module, which answers with answer() (door.h). Its receive() is made
  // when it is asked for (door.h).
  void run(PyObject* callable, const http::Request& request, http::Exchange& exchange) noexcept;

  // Applications that work on although their exchange has ended. Cost: linear in all that run.
  [[nodiscard]] std::size_t running_detached() const noexcept {
    return dispatcher_.running_detached();
  }
  // Cancels every application that runs.
  void cancel_all() noexcept { dispatcher_.cancel_all(); }
  // For tp_traverse of the Python object that this is part of.
  int traverse(visitproc visit, void* arg) const { return dispatcher_.traverse(visit, arg); }

  // --- for cycles
  [[nodiscard]] PyObject* loop() const noexcept { return dispatcher_.loop(); }
  [[nodiscard]] PyObject* context() const noexcept { return dispatcher_.context(); }
  [[nodiscard]] Engine& engine() const noexcept { return engine_; }
  [[nodiscard]] net::Loop& net_loop() const noexcept { return engine_.loop(); }
  [[nodiscard]] const edge::WebSocketOptions& websocket_options() const noexcept {
    return websocket_;
  }
  // Scratch for the header fields of one response: emptied by whoever uses it.
  [[nodiscard]] std::vector<http::Field>& fields() noexcept { return fields_; }
  // The client of `call` left before the response was complete. `runner` is its application, if
  // that is suspended.
  void on_client_gone(const Call& call, Runner* runner) noexcept;

 private:
  void handle_websocket(const http::Request& request, http::Exchange& exchange) noexcept;
  // Calls the application for a cycle that was just made; null: there was no memory for it.
  void run(Call* call, Ref scope, http::Exchange& exchange) noexcept;
  void out_of_memory(http::Exchange& exchange) noexcept;

  Engine& engine_;
  ScopeBuilder scopes_;
  Dispatcher dispatcher_;
  std::vector<http::Field> fields_;
  bool cancel_on_disconnect_;
  bool websockets_;
  edge::WebSocketOptions websocket_;
};

}  // namespace tercel::python::asgi
