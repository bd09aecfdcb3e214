#include "python/asgi/cycle.h"

#include <utility>

#include "python/asgi/interned.h"

namespace tercel::python::asgi {

Cycle::Cycle(PyObject* callable, AsgiHandler& handler, http::Exchange& exchange,
             const http::Request& request) noexcept
    : Call{callable, handler},
      exchange_{&exchange},
      input_{request.has_body ? Input::kBody : Input::kEmptyBody},
      takes_trailers_{request.accepts_trailers && request.version != http::Version::kHttp10} {}

Cycle::~Cycle() {
  Py_XDECREF(trailers_);
}

const char* Cycle::leave() noexcept {
  if (!unfinished()) return nullptr;
  return stage_ == Stage::kHead ? "ASGI application returned without starting a response"
                                : "ASGI application returned without completing its response";
}

void Cycle::abort(Errc error) noexcept {
  if (!unfinished()) return;
  aborted_ = true;
  exchange_->abort(error);
}

void Cycle::on_body() noexcept {
  wake(Wait::kMessage);
}

void Cycle::on_writable() noexcept {
  wake(Wait::kWritable);
}

void Cycle::on_notice(http::Notice /*notice*/) noexcept {
  announce_disconnect();
}

void Cycle::announce_disconnect() noexcept {
  disconnect_announced_ = true;
  wake(Wait::kMessage);
}

void Cycle::on_end(http::Outcome outcome) noexcept {
  keep_place(*exchange_);
  exchange_ = nullptr;
  if (outcome == http::Outcome::kComplete) stage_ = Stage::kComplete;
  Py_CLEAR(trailers_);
  if (stage_ != Stage::kComplete) tell_client_gone();
  detach();
}

bool init_cycle() noexcept {
  return SendObjects<Cycle>::init();
}

Cycle* make_cycle(AsgiHandler& handler, http::Exchange& exchange,
                  const http::Request& request) noexcept {
  Cycle* const cycle = SendObjects<Cycle>::make(handler, exchange, request);
  if (cycle == nullptr) return nullptr;
  exchange.observe(cycle);
  Py_INCREF(cycle->callable());
  return cycle;
}

}  // namespace tercel::python::asgi
