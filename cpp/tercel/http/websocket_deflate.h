// permessage-deflate: what a client offers, what a server makes of it.
//
//   const auto terms = agree_on_deflate(request.fields, options);
//   if (!terms) ...   // Malformed: 400.
//
// Values. An offer that cannot be met (a parameter that is unknown, repeated or out of range) is
// declined, and the next one looked at; the first that can be met is taken. Source: RFC 7692
// section 7, RFC 6455 section 9.1. Tested by websocket_deflate_test.cc.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "tercel/base/result.h"
#include "tercel/http/message.h"

namespace tercel::http {

// What we want of compression.
struct DeflateOptions {
  bool enabled = true;
  int level = 1;  // 1 to 9.
  // Windows of 2^bits bytes, 9 to 15, for both sides as far as the client lets us choose: what a
  // connection that compresses keeps is in proportion (codec::deflate_memory_bytes()).
  int window_bits = 12;
  // Windows go over from message to message. Without, a connection keeps nothing between messages,
  // and short messages that are alike do not profit from each other.
  bool takeover = true;
  // Shorter messages are sent as they are.
  std::size_t bytes_min = 1024;
};

// One side that compresses.
struct DeflateSide {
  int window_bits = 15;
  bool takeover = true;
};

// What both have agreed on. Nothing agreed: no extension.
struct DeflateTerms {
  DeflateSide server;
  DeflateSide client;
  bool names_client_window = false;  // The answer may say client_max_window_bits.
};

// The offers of a request. An empty optional: none that we take. Fails with kBadHandshake when a
// Sec-WebSocket-Extensions field is malformed.
[[nodiscard]] Result<std::optional<DeflateTerms>> agree_on_deflate(
    std::span<const Field> fields, const DeflateOptions& options) noexcept;

// Writes the value of Sec-WebSocket-Extensions that accepts `terms` to `out`, and returns it.
// REQUIRES: room for kDeflateAnswerBytesMax.
inline constexpr std::size_t kDeflateAnswerBytesMax = 160;
[[nodiscard]] std::string_view write_deflate_answer(char* out, const DeflateTerms& terms) noexcept;

}  // namespace tercel::http
