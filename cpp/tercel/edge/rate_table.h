// A token bucket for each client, in a table of fixed size.
//
//   RateTable table({.requests = 10, .burst = 20});
//   if (const auto wait = table.take(client, loop.now()); wait > 0ns) ...  // Too fast.
//
// A bucket (token_bucket.h) that is full says as much as none at all, so nothing is ever removed:
// its place (place_table.h) is taken by the next client.
//
// When all places of a set belong to others whose buckets are not full, the client that was least
// at its limit starts anew with a full bucket. So more busy clients than the table has places let
// some of them be faster than the limit; none is refused for what another one did. The hash is
// keyed: no client can choose whose place it takes.
//
// Resource. Thread: any; no lock. Cost: constant, nothing is allocated after construction; 16 bytes
// a client. Tested by rate_table_test.cc.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

#include "tercel/base/client_id.h"
#include "tercel/base/keyed_hash.h"
#include "tercel/edge/place_table.h"
#include "tercel/edge/token_bucket.h"

namespace tercel::edge {

struct RateLimitOptions {
  std::uint32_t requests = 0;  // In each `per`. 0: no limit.
  std::chrono::nanoseconds per = std::chrono::seconds{1};
  std::uint32_t burst = 0;          // Tokens in a full bucket; 0: as many as `requests`.
  std::size_t clients_max = 65536;  // Places in the table; rounded up to a power of two.
};

class RateTable {
 public:
  static constexpr std::size_t kWays = PlaceTable<TokenBucket>::kWays;

  // REQUIRES: options.requests > 0.
  explicit RateTable(const RateLimitOptions& options, KeyedHash hash = KeyedHash::random());

  // Takes a token from the client's bucket. Zero: there was one; else the time until there will be.
  // `now` is of one clock. Loops that read it at different times may differ by a turn of theirs.
  [[nodiscard]] std::chrono::nanoseconds take(ClientId client,
                                              std::chrono::nanoseconds now) noexcept;

  [[nodiscard]] std::size_t places() const noexcept { return buckets_.places(); }

 private:
  const KeyedHash hash_;
  const std::chrono::nanoseconds token_;  // The time in which one grows.
  const std::chrono::nanoseconds depth_;  // The time in which an empty bucket fills.
  PlaceTable<TokenBucket> buckets_;
};

}  // namespace tercel::edge
