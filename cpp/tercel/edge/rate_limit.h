// A handler around a handler: each client may send so many requests a second, in bursts of so many.
//
//   edge::RateLimit limited(application, loop, {.requests = 10, .burst = 20});
//   server::Server server(loop, limited, options);
//
// Above it the answer is 429 with Retry-After, and the handler inside hears nothing. The connection
// stays open; a body that nobody reads is skipped or ends it, as with any other answer. The client
// is whom the request names: the peer, or whom a trusted proxy named. One without an address, on a
// Unix socket, is not limited.
//
// Belongs on the loop of the handler it wraps. With I/O threads that is the application's loop: one
// table sees every request, whatever thread read it. An application on a pool of threads has no
// such loop: there each I/O thread has a limit, and all of them one table.
//
// Resource: one a handler. Thread: the loop's. Source: RFC 6585 section 4. Tested by
// rate_limit_test.cc.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>

#include "tercel/edge/rate_table.h"
#include "tercel/http/handler.h"
#include "tercel/net/loop.h"

namespace tercel::edge {

class RateLimit final : public http::Handler {
 public:
  // `inner` and `loop` outlive it. REQUIRES: options.requests > 0.
  RateLimit(http::Handler& inner, const net::Loop& loop, const RateLimitOptions& options);
  // The same with a table that others use too, and that outlives it.
  RateLimit(http::Handler& inner, const net::Loop& loop, RateTable& shared) noexcept;
  RateLimit(const RateLimit&) = delete;
  RateLimit& operator=(const RateLimit&) = delete;

  void handle(const http::Request& request, http::Exchange& exchange) noexcept override;

  // Requests answered 429 so far.
  [[nodiscard]] std::uint64_t refused() const noexcept { return refused_; }

 private:
  void refuse(http::Exchange& exchange, std::chrono::nanoseconds wait) noexcept;

  http::Handler& inner_;
  const net::Loop& loop_;
  std::unique_ptr<RateTable> own_table_;
  RateTable& table_;
  std::uint64_t refused_ = 0;
};

}  // namespace tercel::edge
