#include "tercel/edge/rate_limit.h"

namespace tercel::edge {

RateLimit::RateLimit(http::Handler& inner, const net::Loop& loop, const RateLimitOptions& options)
    : inner_{inner},
      loop_{loop},
      own_table_{std::make_unique<RateTable>(options)},
      table_{*own_table_} {}

RateLimit::RateLimit(http::Handler& inner, const net::Loop& loop, RateTable& shared) noexcept
    : inner_{inner}, loop_{loop}, table_{shared} {}

void RateLimit::handle(const http::Request& request, http::Exchange& exchange) noexcept {
  if (request.client != nullptr) {
    if (const auto client = client_id(*request.client)) {
      const std::chrono::nanoseconds wait = table_.take(*client, loop_.now());
      if (wait > std::chrono::nanoseconds{0}) return refuse(exchange, wait);
    }
  }
  inner_.handle(request, exchange);
}

void RateLimit::refuse(http::Exchange& exchange, std::chrono::nanoseconds wait) noexcept {
  ++refused_;
  exchange.abort(Errc::kRateLimited, std::chrono::ceil<std::chrono::seconds>(wait));
}

}  // namespace tercel::edge
