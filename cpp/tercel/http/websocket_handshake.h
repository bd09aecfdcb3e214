// The opening handshake, seen from the server.
//
//   if (asks_for_websocket(request)) {
//     const auto handshake = read_handshake(request, deflate);
//     if (!handshake) ...   // kUpgradeRequired: 426 with Sec-WebSocket-Version; else 400.
//
// Values, and views of the request. HTTP/2 has neither key nor answer to it. Source: RFC 6455
// section 4.2, RFC 8441 section 5. Tested by websocket_handshake_test.cc.
#pragma once

#include <array>
#include <cstddef>
#include <optional>
#include <span>
#include <string_view>

#include "tercel/base/result.h"
#include "tercel/http/message.h"
#include "tercel/http/websocket_deflate.h"

namespace tercel::http {

inline constexpr std::size_t kAcceptKeyChars = 28;

struct WebSocketHandshake {
  std::array<char, kAcceptKeyChars> accept_key{};  // Value of Sec-WebSocket-Accept.
  bool has_accept_key = false;
  std::optional<DeflateTerms> deflate;
};

// Whether the client wants to go on with WebSocket.
[[nodiscard]] bool asks_for_websocket(const Request& request) noexcept;

// Fails with kUpgradeRequired for another version than 13, with kBadHandshake for a key or an
// extension that is none. REQUIRES: asks_for_websocket().
[[nodiscard]] Result<WebSocketHandshake> read_handshake(const Request& request,
                                                        const DeflateOptions& deflate) noexcept;

// The elements of a list that may be spread over several fields of one name: without blanks around
// them, and without empty ones.
class FieldList {
 public:
  FieldList(std::span<const Field> fields, std::string_view name) noexcept
      : fields_{fields}, name_{name} {}

  // Empty: there are no more.
  [[nodiscard]] std::string_view next() noexcept;

 private:
  std::span<const Field> fields_;
  std::string_view name_;
  std::string_view value_;
};

inline constexpr std::string_view kSubprotocolField = "sec-websocket-protocol";

}  // namespace tercel::http
