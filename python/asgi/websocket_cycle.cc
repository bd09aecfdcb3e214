#include "python/asgi/websocket_cycle.h"

#include <utility>

#include <nanobind/nanobind.h>

#include "python/asgi/errors.h"
#include "python/asgi/handler.h"
#include "python/asgi/interned.h"
#include "python/asgi/messages.h"
#include "python/asgi/websocket_messages.h"

namespace tercel::python::asgi {
namespace {

using http::CloseCode;
using http::Final;
using http::Payload;
using Stage = edge::WebSocketStage;
using Type = WebSocketMessageType;

}  // namespace

WebSocketCycle::WebSocketCycle(PyObject* callable, AsgiHandler& handler,
                               http::Exchange& exchange) noexcept
    : Call{callable, handler},
      engine_{Ref::steal(nanobind::find(handler.engine()).release().ptr())},
      socket_{handler.net_loop(), handler.websocket_options(), exchange, *this} {}

// --- receive()

Poll WebSocketCycle::poll_message(PyObject** message) noexcept {
  if (!std::exchange(connect_told_, true)) {
    *message = connect_message();
    return Poll::kReady;
  }
  if (socket_.has_message()) {
    *message = received_message(socket_.front());
    // One that there is no memory for stays.
    if (*message != nullptr) socket_.pop();
    return Poll::kReady;
  }
  socket_.expect_more();
  if (!socket_.end()) return Poll::kPending;
  *message = websocket_disconnect_message(*socket_.end());
  return Poll::kReady;
}

// --- send()

bool WebSocketCycle::is_expected(Type type) const noexcept {
  switch (type) {
    case Type::kAccept:
    case Type::kDenialStart:
      return socket_.stage() == Stage::kConnecting;
    case Type::kSend:
      return socket_.stage() == Stage::kOpen;
    case Type::kClose:
      return socket_.stage() == Stage::kConnecting || socket_.stage() == Stage::kOpen;
    case Type::kDenialBody:
      return socket_.stage() == Stage::kDenied;
    case Type::kUnknown:
      break;
  }
  return false;
}

const char* WebSocketCycle::describe() const noexcept {
  switch (socket_.stage()) {
    case Stage::kConnecting:
      return "the WebSocket is not accepted yet";
    case Stage::kDenied:
      return "the WebSocket is refused: the body of that response is due";
    case Stage::kOpen:
      return "the WebSocket is open";
    case Stage::kClosing:
    case Stage::kClosed:
      return "the WebSocket is closed";
  }
  return "";
}

PyObject* WebSocketCycle::raise_unexpected(PyObject* type, Type known) const noexcept {
  if (known == Type::kUnknown) {
    PyErr_Format(PyExc_RuntimeError, "unknown ASGI message type %R", type);
  } else {
    PyErr_Format(PyExc_RuntimeError, "unexpected ASGI message %R: %s", type, describe());
  }
  return nullptr;
}

bool WebSocketCycle::gone() const noexcept {
  if (said_all_) return false;
  return aborted_ || socket_.stage() == Stage::kClosed || socket_.stage() == Stage::kClosing;
}

PyObject* WebSocketCycle::raise_gone() const noexcept {
  if (!aborted_) return raise_client_disconnected();
  PyErr_SetString(PyExc_RuntimeError,
                  "the server has closed the WebSocket: the application returned or failed");
  return nullptr;
}

PyObject* WebSocketCycle::raise_error(Errc error) const noexcept {
  if (error != Errc::kIllegalStep) return raise_response_error(error);
  PyErr_Format(PyExc_RuntimeError, "unexpected ASGI message: %s", describe());
  return nullptr;
}

PyObject* WebSocketCycle::send(PyObject* message) noexcept {
  PyObject* type = nullptr;
  const std::string_view text = read_type(message, &type);
  if (text.data() == nullptr) return nullptr;
  const Type known = websocket_message_type(text);
  if (gone()) return raise_gone();
  if (!is_expected(known)) return raise_unexpected(type, known);
  switch (known) {
    case Type::kAccept:
      return accept(message);
    case Type::kSend:
      return send_message(message);
    case Type::kClose:
      return socket_.stage() == Stage::kConnecting ? refuse() : close(message);
    case Type::kDenialStart:
      return start_denial(message);
    case Type::kDenialBody:
      return send_denial_body(message);
    case Type::kUnknown:
      break;
  }
  return nullptr;
}

PyObject* WebSocketCycle::passed_on(Result<void> result, std::size_t bytes) noexcept {
  if (!result) return raise_error(result.error());
  return attached() ? sent(bytes) : done();
}

PyObject* WebSocketCycle::accept(PyObject* message) noexcept {
  const auto subprotocol = read_subprotocol(message);
  if (!subprotocol) return nullptr;
  PyObject* headers = find(message, keys.headers);
  if (headers == nullptr && PyErr_Occurred()) return nullptr;
  if (!attached()) return raise_gone();
  Ref keep;
  std::vector<http::Field>& fields = handler().fields();
  if (!read_fields(headers == Py_None ? nullptr : headers, fields, keep)) return nullptr;
  if (!attached()) return raise_gone();
  const Result<void> accepted = socket_.accept(*subprotocol, fields);
  if (!accepted) {
    return accepted.error() == Errc::kBadResponseField
               ? raise_response_error(accepted.error(), fields)
               : raise_error(accepted.error());
  }
  return done();
}

PyObject* WebSocketCycle::send_message(PyObject* message) noexcept {
  BodyBytes bytes;
  const auto outgoing = read_outgoing(message, bytes);
  if (!outgoing) return nullptr;
  return passed_on(socket_.send(outgoing->kind, outgoing->payload), outgoing->payload.bytes.size());
}

PyObject* WebSocketCycle::close(PyObject* message) noexcept {
  const auto closing = read_closing(message);
  if (!closing) return nullptr;
  said_all_ = true;
  return passed_on(socket_.close(*closing), 0);
}

// Closed before it was accepted.
PyObject* WebSocketCycle::refuse() noexcept {
  if (auto denied = socket_.deny({.status = 403, .fields = {}}); !denied) {
    return raise_error(denied.error());
  }
  said_all_ = true;
  return passed_on(socket_.write_denial(Payload::borrow({}), Final::kYes), 0);
}

PyObject* WebSocketCycle::start_denial(PyObject* message) noexcept {
  const int status = read_status(require(message, keys.status));
  if (status < 0) return nullptr;
  PyObject* headers = find(message, keys.headers);
  if (headers == nullptr && PyErr_Occurred()) return nullptr;
  if (!attached()) return raise_gone();
  Ref keep;
  std::vector<http::Field>& fields = handler().fields();
  if (!read_fields(headers, fields, keep)) return nullptr;
  if (!attached()) return raise_gone();
  const Result<void> denied =
      socket_.deny({.status = static_cast<std::uint16_t>(status), .fields = fields});
  if (!denied) {
    return denied.error() == Errc::kIllegalStep ? raise_error(denied.error())
                                                : raise_response_error(denied.error(), fields);
  }
  return done();
}

PyObject* WebSocketCycle::send_denial_body(PyObject* message) noexcept {
  BodyBytes bytes;
  Final final = Final::kYes;
  if (!read_body_message(message, bytes, final)) return nullptr;
  if (!attached()) return raise_gone();
  if (final == Final::kYes) said_all_ = true;
  return passed_on(socket_.write_denial(bytes.payload(), final), bytes.size());
}

// --- the end

bool WebSocketCycle::unfinished() const noexcept {
  const Stage stage = socket_.stage();
  return attached() && !said_all_ && stage != Stage::kClosing && stage != Stage::kClosed;
}

const char* WebSocketCycle::leave() noexcept {
  if (!unfinished()) return nullptr;
  switch (socket_.stage()) {
    case Stage::kConnecting:
      return "ASGI application returned without accepting or closing the WebSocket";
    case Stage::kDenied:
      return "ASGI application returned without completing its response";
    default:
      aborted_ = true;
      (void)socket_.close({.code = CloseCode::kNormal, .reason = {}});
      return nullptr;
  }
}

void WebSocketCycle::abort(Errc error) noexcept {
  if (!unfinished()) return;
  aborted_ = true;
  if (socket_.stage() == Stage::kOpen) {
    (void)socket_.close({.code = CloseCode::kInternalError, .reason = {}});
  } else {
    socket_.abort(error);
  }
}

void WebSocketCycle::on_exchange_end(http::Exchange& exchange) noexcept {
  keep_place(exchange);
}

void WebSocketCycle::on_over() noexcept {
  detach();
}

bool init_websocket_cycle() noexcept {
  return SendObjects<WebSocketCycle>::init();
}

WebSocketCycle* make_websocket_cycle(AsgiHandler& handler, http::Exchange& exchange,
                                     const http::WebSocketHandshake& handshake,
                                     const http::Request& request) noexcept {
  WebSocketCycle* const cycle = SendObjects<WebSocketCycle>::make(handler, exchange);
  if (cycle == nullptr) return nullptr;
  if (!cycle->socket_.begin(handshake, request)) {
    Py_DECREF(cycle->callable());
    PyErr_NoMemory();
    return nullptr;
  }
  Py_INCREF(cycle->callable());
  return cycle;
}

}  // namespace tercel::python::asgi
