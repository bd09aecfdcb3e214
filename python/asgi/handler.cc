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
  Cycle* const cycle = scope ? make_cycle(*this, exchange, request) : nullptr;
  const Ref owned = Ref::steal(cycle != nullptr ? cycle->callable() : nullptr);
  Ref receive = Ref::steal(cycle != nullptr ? make_receive(send_of(*cycle)) : nullptr);
  if (!receive) {
    log_error("out of memory for a request", take_raised().get());
    exchange.abort(Errc::kNoMemory);
    return;
  }
  dispatcher_.run(send_of(*cycle), std::move(scope), std::move(receive));
}

void AsgiHandler::on_client_gone(const Call& call, Runner* runner) noexcept {
  if (cancel_on_disconnect_) dispatcher_.cancel(call, runner);
}

}  // namespace tercel::python::asgi
