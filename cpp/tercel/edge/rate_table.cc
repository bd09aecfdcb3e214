#include "tercel/edge/rate_table.h"

namespace tercel::edge {
namespace {

using std::chrono::nanoseconds;

nanoseconds time_of_token(const RateLimitOptions& options) noexcept {
  return options.per / options.requests;
}

std::uint32_t burst_of(const RateLimitOptions& options) noexcept {
  return options.burst != 0 ? options.burst : options.requests;
}

}  // namespace

RateTable::RateTable(const RateLimitOptions& options, KeyedHash hash)
    : hash_{hash},
      token_{time_of_token(options)},
      depth_{token_ * burst_of(options)},
      buckets_{options.clients_max} {}

nanoseconds RateTable::take(ClientId client, nanoseconds now) noexcept {
  const auto pin = buckets_.pin(hash_(static_cast<std::uint64_t>(client)));
  if (pin.place == nullptr) return nanoseconds{0};  // The set is full of others this instant.
  const nanoseconds wait = pin.place->state.take(token_, depth_, now);
  buckets_.unpin(*pin.place);
  return wait;
}

}  // namespace tercel::edge
