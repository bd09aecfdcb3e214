// Told about every request that was answered or refused: the seam for access logs and metrics.
//
// One a server. Thread: the loop's. Calls come in pairs: on_request() or on_refused() opens a
// record, on_response() closes it. Tested by the access log (tests/cpp/edge).
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string_view>

#include "tercel/base/errors.h"
#include "tercel/http/handler.h"
#include "tercel/http/message.h"

namespace tercel::http {

// How an exchange ended.
struct Summary {
  std::uint16_t status = 0;         // Of the final response, as it was sent; 0 when none was.
  std::uint64_t request_bytes = 0;  // Of the body, without framing, that were received.
  std::uint64_t body_bytes = 0;     // Of the response, without framing, handed to the transport.
  // Of the response: one that was sent whole is complete, also where the server made it.
  Outcome outcome = Outcome::kComplete;
  // Why the server answered in place of the handler, or cut the exchange off.
  std::optional<Errc> error = std::nullopt;
};

// How an exchange ends that `error` ends before its response is complete.
[[nodiscard]] constexpr Outcome outcome_of(Errc error) noexcept {
  const bool left = error == Errc::kClosed || error == Errc::kReset || error == Errc::kTruncated;
  return left ? Outcome::kPeerGone : Outcome::kAborted;
}

// Nothing, where the error says no more than that the peer is gone.
[[nodiscard]] constexpr std::optional<Errc> error_to_tell(Errc error) noexcept {
  if (error == Errc::kClosed || error == Errc::kReset) return std::nullopt;
  return error;
}

// What of a refused head was in order, and is known so. Views are valid during the call.
struct PartialHead {
  std::string_view method = {};  // Empty: not known. The same for the target, which may be cut.
  std::string_view target = {};
  std::optional<Version> version = std::nullopt;
};

class Recorder {
 public:
  // What belongs to one request between the two calls; nullptr is fine.
  using Token = void*;

  // A head was accepted, `waited` ago: so long it was in the queue of concurrent requests.
  // `request` is valid during the call.
  [[nodiscard]] virtual Token on_request(const Request& request, const Endpoints& ends,
                                         std::chrono::nanoseconds waited) noexcept = 0;
  // A head was refused for what it is, or for not being there. Bytes that are not in order are not
  // given.
  [[nodiscard]] virtual Token on_refused(const PartialHead& head,
                                         const Endpoints& ends) noexcept = 0;
  virtual void on_response(Token token, const Summary& summary) noexcept = 0;

 protected:
  ~Recorder() = default;
};

}  // namespace tercel::http
