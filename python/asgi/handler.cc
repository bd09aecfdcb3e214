#include "python/asgi/handler.h"

#include <utility>

#include "python/asgi/cycle.h"
#include "python/asgi/failure.h"

namespace tercel::python::asgi {

AsgiHandler::AsgiHandler(Engine& engine, PyObject* app, PyObject* loop, PyObject* state,
                         PyObject* context, const HandlerOptions& options)
    : scopes_{options.root_path, state},
      dispatcher_{engine, app, loop, context, options.dispatch},
      cancel_on_disconnect_{options.cancel_on_disconnect} {}

bool AsgiHandler::init() noexcept {
  return scopes_.init() && dispatcher_.init();
}

void AsgiHandler::handle(const http::Request& request, http::Exchange& exchange) noexcept {
  Ref scope = scopes_.build(request, exchange.endpoints());
  SendCallable* send = scope ? make_send(*this, exchange, request) : nullptr;
  const Ref owned = Ref::steal(reinterpret_cast<PyObject*>(send));
  Ref receive = Ref::steal(send != nullptr ? make_receive(*send) : nullptr);
  if (!receive) {
    log_error("out of memory for a request", take_raised().get());
    exchange.abort(Errc::kNoMemory);
    return;
  }
  dispatcher_.run(*send, std::move(scope), std::move(receive));
}

void AsgiHandler::on_client_gone(const Cycle& cycle, Runner* runner) noexcept {
  if (cancel_on_disconnect_) dispatcher_.cancel(cycle, runner);
}

}  // namespace tercel::python::asgi
