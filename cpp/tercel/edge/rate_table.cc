#include "tercel/edge/rate_table.h"

#include <algorithm>
#include <bit>

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
      sets_(std::bit_ceil(std::max(options.clients_max, kWays)) / kWays) {}

nanoseconds RateTable::take(ClientId client, nanoseconds now) noexcept {
  const std::scoped_lock lock{mutex_};
  Bucket& bucket = bucket_of(client);
  const nanoseconds full_at = std::max(bucket.full_at, now) + token_;
  if (full_at - now > depth_) return full_at - now - depth_;
  bucket.full_at = full_at;
  return nanoseconds{0};
}

// The client's own bucket, or the fullest of its set, made a full one of the client's.
RateTable::Bucket& RateTable::bucket_of(ClientId client) noexcept {
  Set& set = sets_[hash_(static_cast<std::uint64_t>(client)) & (sets_.size() - 1)];
  Bucket* fullest = set.data();
  for (Bucket& bucket : set) {
    if (bucket.client == client) return bucket;
    if (bucket.full_at < fullest->full_at) fullest = &bucket;
  }
  *fullest = {.client = client};
  return *fullest;
}

}  // namespace tercel::edge
