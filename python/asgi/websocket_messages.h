// The dicts of a WebSocket that cross between the application and the server, beside those of HTTP
// in messages.h.
//
// Of text and bytes, a received message has the key of what it is; the other is left out, which
// ASGI makes the same as None. Source: ASGI HTTP & WebSocket message format 2.5. Tested by
// test_websocket_asgi.py.
#pragma once

#include <Python.h>

#include <cstdint>
#include <optional>
#include <string_view>

#include "tercel/http/handler.h"
#include "tercel/http/websocket_close.h"
#include "tercel/http/websocket_queue.h"

namespace tercel::python::asgi {

// Makes the templates of the messages. False with a Python exception set.
[[nodiscard]] bool init_websocket_messages() noexcept;

// --- receive(). New dicts, or null with MemoryError set.
[[nodiscard]] PyObject* connect_message() noexcept;
[[nodiscard]] PyObject* received_message(const http::Message& message) noexcept;
[[nodiscard]] PyObject* websocket_disconnect_message(const http::Closing& end) noexcept;

// --- send()
enum class WebSocketMessageType : std::uint8_t {
  kAccept,
  kSend,
  kClose,
  kDenialStart,
  kDenialBody,
  kUnknown
};
[[nodiscard]] WebSocketMessageType websocket_message_type(std::string_view text) noexcept;

// What a websocket.send carries.
struct OutgoingMessage {
  http::MessageKind kind;
  http::Payload payload;
};
// Reads it; the payload of text that is large refers to the str. Nothing with an exception set:
// neither text nor bytes, or both; of another type; text that has no UTF-8 (surrogates).
// `bytes`: holds what the payload points into.
class BodyBytes;
[[nodiscard]] std::optional<OutgoingMessage> read_outgoing(PyObject* message,
                                                           BodyBytes& bytes) noexcept;

// What a websocket.close says; `reason` is valid as long as `message`. Nothing with TypeError set,
// or ValueError for a code that a close frame may not carry.
[[nodiscard]] std::optional<http::Closing> read_closing(PyObject* message) noexcept;

// The subprotocol of a websocket.accept, valid as long as `message`; empty: none. Nothing with
// TypeError set.
[[nodiscard]] std::optional<std::string_view> read_subprotocol(PyObject* message) noexcept;

}  // namespace tercel::python::asgi
