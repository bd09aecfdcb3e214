// How a WebSocket ends: codes, reasons, and the payload of the close frame.
//
// Values. Source: RFC 6455 sections 5.5.1 and 7.4, the IANA registry of close codes.
// Tested by websocket_close_test.cc.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "tercel/http/websocket_frame.h"

namespace tercel::http {

// A code outside of this list is an application's: 3000 to 4999.
enum class CloseCode : std::uint16_t {
  kNormal = 1000,
  kGoingAway = 1001,
  kProtocolError = 1002,
  kNoCode = 1005,    // Never sent: the close frame was empty.
  kAbnormal = 1006,  // Never sent: there was no close frame.
  kBadData = 1007,   // Text that is not UTF-8.
  kPolicy = 1008,
  kTooBig = 1009,
  kInternalError = 1011,
  kServiceRestart = 1012
};

// How an end is told: by a close frame, or by who noticed that none will come.
struct Closing {
  CloseCode code = CloseCode::kNoCode;
  std::string_view reason;  // UTF-8.
};

inline constexpr std::size_t kCloseReasonBytesMax = kControlBytesMax - 2;

// Whether a close frame may carry `code`.
constexpr bool is_sendable(std::uint16_t code) noexcept {
  if (code >= 3000) return code <= 4999;
  return code >= 1000 && code <= 1014 && code != 1004 && code != 1005 && code != 1006;
}

// What the payload of a received close frame says. `verdict` is kNormal when it is well-formed, or
// what to answer: kProtocolError for a single byte or a code that may not be sent, kBadData for a
// reason that is not UTF-8. `reason` is a view of `payload`.
struct ParsedClose {
  Closing closing;
  CloseCode verdict = CloseCode::kNormal;
};
[[nodiscard]] ParsedClose parse_close(std::string_view payload) noexcept;

// The longest part of `reason` that fits and ends with a whole character. REQUIRES: UTF-8.
[[nodiscard]] std::string_view fitting_reason(std::string_view reason) noexcept;

// Writes the payload of a close frame to `out`, and returns its size: 0 for kNoCode.
// REQUIRES: room for kControlBytesMax; a reason that fits.
std::size_t write_close(char* out, const Closing& closing) noexcept;

}  // namespace tercel::http
