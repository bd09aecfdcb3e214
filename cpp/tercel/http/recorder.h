// Told about every request that was answered or refused: the seam for access logs and metrics.
//
// One a server. Thread: the loop's. Calls come in pairs: on_request() or on_refused() opens a
// record, on_response() closes it. Tested by the access log (tests/cpp/edge).
#pragma once

#include <chrono>
#include <cstdint>

#include "tercel/base/errors.h"
#include "tercel/http/handler.h"
#include "tercel/http/message.h"

namespace tercel::http {

// How an exchange ended, in numbers.
struct Summary {
  std::uint16_t status;               // Of the final response; 0 when none was sent.
  std::uint64_t body_bytes;           // Of the response, without framing, handed to the transport.
  std::chrono::nanoseconds duration;  // From the complete head to the last byte of the response.
  Outcome outcome;
};

class Recorder {
 public:
  // What belongs to one request between the two calls; nullptr is fine.
  using Token = void*;

  // A head was accepted. `request` is valid during the call.
  [[nodiscard]] virtual Token on_request(const Request& request,
                                         const Endpoints& ends) noexcept = 0;
  // A head was refused with `error` for what it is, or for not being there: its bytes are not to be
  // trusted and not given.
  [[nodiscard]] virtual Token on_refused(Errc error, const Endpoints& ends) noexcept = 0;
  virtual void on_response(Token token, const Summary& summary) noexcept = 0;

 protected:
  ~Recorder() = default;
};

}  // namespace tercel::http
