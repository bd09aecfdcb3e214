#include "python/asgi/handler.h"

#include <utility>

#include "python/asgi/cycle.h"
#include "python/asgi/failure.h"
#include "python/asgi/websocket_cycle.h"

namespace tercel::python::asgi {

AsgiHandler::AsgiHandler(Engine& engine, PyObject* app, PyObject* loop, PyObject* state,
                         PyObject* context, const HandlerOptions& options)
    : engine_{engine},
      scopes_{options.root_path, state},
      dispatcher_{engine, app, loop, context, options.dispatch},
      cancel_on_disconnect_{options.cancel_on_disconnect},
      websockets_{options.websockets},
      websocket_{options.websocket} {}

bool AsgiHandler::init() noexcept {
  note_own_process();
  return scopes_.init() && dispatcher_.init();
}

void AsgiHandler::handle(const http::Request& request, http::Exchange& exchange) noexcept {
  if (websockets_ && http::asks_for_websocket(request)) {
    return handle_websocket(request, exchange);
  }
  Ref scope = scopes_.build(request, exchange.endpoints());
  Call* const call = scope ? make_cycle(*this, exchange, request) : nullptr;
  run(call, std::move(scope), exchange);
}

void AsgiHandler::handle_websocket(const http::Request& request,
                                   http::Exchange& exchange) noexcept {
  const auto handshake = http::read_handshake(request, websocket_.deflate);
  if (!handshake) return exchange.abort(handshake.error());
  Ref scope = scopes_.build_websocket(request, exchange.endpoints());
  Call* const call = scope ? make_websocket_cycle(*this, exchange, *handshake, request) : nullptr;
  run(call, std::move(scope), exchange);
}

void AsgiHandler::run(Call* call, Ref scope, http::Exchange& exchange) noexcept {
  const Ref owned = Ref::steal(call != nullptr ? call->callable() : nullptr);
  Ref receive = Ref::steal(call != nullptr ? make_receive(send_of(*call)) : nullptr);
  if (!receive) return out_of_memory(exchange);
  dispatcher_.run(send_of(*call), std::move(scope), std::move(receive));
}

void AsgiHandler::run(PyObject* callable, const http::Request& request,
                      http::Exchange& exchange) noexcept {
  Call* const call = make_cycle(*this, exchange, request);
  if (call == nullptr) return out_of_memory(exchange);
  const Ref owned = Ref::steal(call->callable());
  dispatcher_.run(callable, send_of(*call), Ref::share(Py_None), Ref::share(Py_None));
}

void AsgiHandler::out_of_memory(http::Exchange& exchange) noexcept {
  log_error("out of memory for a request", take_raised().get());
  exchange.abort(Errc::kNoMemory);
}

void AsgiHandler::on_client_gone(const Call& call, Runner* runner) noexcept {
  if (cancel_on_disconnect_) dispatcher_.cancel(call, runner);
}

}  // namespace tercel::python::asgi
