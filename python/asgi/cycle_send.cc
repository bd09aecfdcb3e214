// send(): what the application answers.
#include <algorithm>
#include <array>
#include <cstdint>

#include "python/asgi/cycle.h"
#include "python/asgi/errors.h"
#include "python/asgi/failure.h"
#include "python/asgi/handler.h"
#include "python/asgi/interned.h"
#include "python/asgi/messages.h"
#include "tercel/http/response_rules.h"

namespace tercel::python::asgi {
namespace {

constexpr unsigned in(Stage stage) noexcept {
  return 1U << static_cast<unsigned>(stage);
}

// When each type of message may be sent. Source: ASGI HTTP & WebSocket message format 2.5 and its
// extensions.
constexpr unsigned allowed_stages(MessageType type) noexcept {
  switch (type) {
    case MessageType::kStart:
      return in(Stage::kHead);
    case MessageType::kBody:
    case MessageType::kZerocopysend:
      return in(Stage::kBody) | in(Stage::kMoreBody);
    case MessageType::kPathsend:
      return in(Stage::kBody);
    case MessageType::kTrailers:
      return in(Stage::kTrailers);
    case MessageType::kEarlyHint:
      return in(Stage::kHead) | in(Stage::kBody);
    case MessageType::kPush:
      return in(Stage::kHead) | in(Stage::kBody) | in(Stage::kMoreBody) | in(Stage::kTrailers);
    case MessageType::kUnknown:
      return 0;
  }
  return 0;
}

const char* describe(Stage stage) noexcept {
  switch (stage) {
    case Stage::kHead:
      return "the response has not started: http.response.start is due";
    case Stage::kBody:
      return "the response has started: its body is due";
    case Stage::kMoreBody:
      return "part of the body was sent";
    case Stage::kTrailers:
      return "the body is complete: its http.response.trailers are due";
    case Stage::kComplete:
      return "the response is complete";
  }
  return "";
}

PyObject* raise_unexpected(PyObject* type, MessageType known, Stage stage) noexcept {
  if (known == MessageType::kUnknown) {
    PyErr_Format(PyExc_RuntimeError, "unknown ASGI message type %R", type);
  } else {
    PyErr_Format(PyExc_RuntimeError, "unexpected ASGI message %R: %s", type, describe(stage));
  }
  return nullptr;
}

}  // namespace

PyObject* Cycle::send(PyObject* message) noexcept {
  PyObject* type = nullptr;
  const std::string_view text = read_type(message, &type);
  if (text.data() == nullptr) return nullptr;
  const MessageType known = message_type(text);
  if (gone()) return raise_detached();
  if ((allowed_stages(known) & in(stage_)) == 0) {
    // Trailers that the client did not ask for: the response ended with its body.
    if (known == MessageType::kTrailers && stage_ == Stage::kComplete && promised_trailers_) {
      return done();
    }
    return raise_unexpected(type, known, stage_);
  }
  switch (known) {
    case MessageType::kStart:
      return send_start(message);
    case MessageType::kBody:
      return send_body(message);
    case MessageType::kTrailers:
      return send_trailers(message);
    case MessageType::kEarlyHint:
      return send_early_hint(message);
    case MessageType::kPathsend:
      return send_path(message);
    case MessageType::kZerocopysend:
      return send_file(message);
    case MessageType::kPush:
    case MessageType::kUnknown:
      break;
  }
  return done();  // A push is a hint which may be ignored.
}

PyObject* Cycle::raise_detached() const noexcept {
  if (gone()) return raise_gone();
  PyErr_Format(PyExc_RuntimeError, "unexpected ASGI message: %s", describe(stage_));
  return nullptr;
}

PyObject* Cycle::raise_gone() const noexcept {
  if (!aborted_) return raise_client_disconnected();
  PyErr_SetString(PyExc_RuntimeError,
                  "the server has ended the response: the application returned or failed before "
                  "it was complete");
  return nullptr;
}

PyObject* Cycle::send_start(PyObject* message) noexcept {
  const int status = read_status(require(message, keys.status));
  if (status < 0) return nullptr;
  PyObject* headers = find(message, keys.headers);
  if (headers == nullptr && PyErr_Occurred()) return nullptr;
  const int trailers = find_flag(message, keys.trailers);
  if (trailers < 0) return nullptr;

  Ref keep;
  std::vector<http::Field>& fields = handler().fields();
  if (!read_fields(headers, fields, keep)) return nullptr;
  if (!attached()) return raise_detached();
  const Result<void> started = exchange_->start({.status = static_cast<std::uint16_t>(status),
                                                 .fields = fields,
                                                 .trailers = trailers != 0 && takes_trailers_});
  if (!started) return raise_response_error(started.error(), fields);
  promised_trailers_ = trailers != 0;
  if (http::is_bodyless(static_cast<std::uint16_t>(status))) {
    bodyless_status_ = static_cast<std::uint16_t>(status);
  }
  stage_ = Stage::kBody;
  return done();
}

bool Cycle::answer(const http::Response& response, http::Payload payload) noexcept {
  const auto refuse = [&payload] {
    if (payload.release != nullptr) payload.release(payload.owner);
  };
  if (!attached() || stage_ != Stage::kHead) {
    refuse();
    if (gone()) return true;
    raise_detached();
    return false;
  }
  if (const Result<void> started = exchange_->start(response); !started) {
    refuse();
    raise_response_error(started.error(), response.fields);
    return false;
  }
  stage_ = Stage::kBody;
  const Result<void> wrote = exchange_->write(payload, http::Final::kYes);
  if (!wrote) {
    raise_response_error(wrote.error());
    return false;
  }
  if (attached()) complete();
  return true;
}

bool Cycle::answer_through(Result<void> (*write)(void* self, http::Exchange&) noexcept,
                           void* self) noexcept {
  if (!attached() || stage_ != Stage::kHead) {
    if (gone()) return true;
    raise_detached();
    return false;
  }
  stage_ = Stage::kBody;
  if (const Result<void> written = write(self, *exchange_); !written) {
    stage_ = Stage::kHead;
    raise_response_error(written.error());
    return false;
  }
  if (attached()) complete();
  return true;
}

PyObject* Cycle::send_body(PyObject* message) noexcept {
  BodyBytes bytes;
  http::Final final = http::Final::kYes;
  if (!read_body_message(message, bytes, final)) return nullptr;
  const bool more_body = final == http::Final::kNo;
  if (bodyless_status_ != 0 && bytes.size() > 0) warn_of_dropped_body(bodyless_status_);
  if (!attached()) return raise_detached();
  return written(exchange_->write(bytes.payload(), final_part(more_body)), more_body, bytes.size());
}

http::Final Cycle::final_part(bool more_body) const noexcept {
  const bool trailers = promised_trailers_ && takes_trailers_;
  return more_body || trailers ? http::Final::kNo : http::Final::kYes;
}

void Cycle::complete() noexcept {
  stage_ = Stage::kComplete;
  waiting().wake(Wait::kMessage);
}

PyObject* Cycle::written(Result<void> result, bool more_body, std::size_t bytes) noexcept {
  if (!result) return raise_response_error(result.error());
  if (!attached()) return done();  // on_end() came from within the call.
  if (more_body) {
    stage_ = Stage::kMoreBody;
  } else if (final_part(more_body) == http::Final::kNo) {
    stage_ = Stage::kTrailers;
  } else {
    complete();
    return done();
  }
  return sent(bytes);
}

bool Cycle::add_trailers(PyObject* headers) noexcept {
  Ref pairs = read_pairs(headers);
  if (!pairs) return false;
  if (trailers_ == nullptr) {
    trailers_ = pairs.release();
    return true;
  }
  if (PyList_GET_SIZE(trailers_) > static_cast<Py_ssize_t>(kResponseFieldsMax)) {
    PyErr_Format(PyExc_ValueError, "a response has at most %zu trailers", kResponseFieldsMax);
    return false;
  }
  return PyList_SetSlice(trailers_, PY_SSIZE_T_MAX, PY_SSIZE_T_MAX, pairs.get()) == 0;
}

PyObject* Cycle::send_trailers(PyObject* message) noexcept {
  PyObject* headers = find(message, keys.headers);
  if (headers == nullptr && PyErr_Occurred()) return nullptr;
  const int more = find_flag(message, keys.more_trailers);
  if (more < 0) return nullptr;
  if (headers != nullptr && !add_trailers(headers)) return nullptr;
  if (more != 0) return done();
  if (!attached()) return raise_detached();
  Ref keep;
  const Ref trailers = Ref::steal(std::exchange(trailers_, nullptr));
  std::vector<http::Field>& fields = handler().fields();
  if (!read_fields(trailers.get(), fields, keep)) return nullptr;
  const Result<void> finished = exchange_->finish(fields);
  if (!finished) return raise_response_error(finished.error(), fields);
  complete();
  return done();
}

PyObject* Cycle::send_early_hint(PyObject* message) noexcept {
  PyObject* links = require(message, keys.links);
  if (links == nullptr) return nullptr;
  const Ref values = read_values(links);
  if (!values) return nullptr;
  if (!attached()) return raise_detached();
  std::vector<http::Field>& fields = handler().fields();
  fields.clear();
  std::size_t hint_bytes = 0;
  for (Py_ssize_t i = 0; i < PyList_GET_SIZE(values.get()); ++i) {
    PyObject* value = PyList_GET_ITEM(values.get(), i);
    fields.push_back({"link", view_of(value)});
    hint_bytes += view_of(value).size();
  }
  const Result<void> sent_hint = exchange_->interim({.status = 103, .fields = fields});
  if (!sent_hint) return raise_response_error(sent_hint.error(), fields);
  return attached() ? sent(hint_bytes) : done();
}

}  // namespace tercel::python::asgi
