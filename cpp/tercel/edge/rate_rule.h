// The limit of one route: how many requests, and whose.
//
//   RateRule rule({.limit = {.requests = 100, .per = 60s}, .header = "x-api-key"});
//   if (const auto wait = rule.take(request, clock.now()); wait > 0ns) ...  // Too fast.
//
// Those of a client (base/client_id.h), or those with one value of a header field: each value has a
// bucket of its own, and a request without that field counts as its client's. A value is told from
// others by a keyed hash of 64 bits. Whoever may invent values has as many buckets as they like: a
// header is for what something before the route has checked. A client without an address, on a
// Unix socket, is not limited.
//
// Resource. Thread: any. Cost: that of RateTable::take(), and a search for the header. Tested by
// rate_rule_test.cc.
#pragma once

#include <chrono>
#include <optional>
#include <string>

#include "tercel/base/keyed_hash.h"
#include "tercel/edge/rate_table.h"
#include "tercel/http/message.h"

namespace tercel::edge {

struct RateRuleOptions {
  RateLimitOptions limit;
  std::string header = {};  // In lower case; empty: the client's requests are counted.
};

class RateRule {
 public:
  // REQUIRES: as RateTable.
  explicit RateRule(const RateRuleOptions& options);
  RateRule(const RateRule&) = delete;
  RateRule& operator=(const RateRule&) = delete;

  // Counts a request. Zero: it may pass; else the time until one may. `now` is of one clock.
  [[nodiscard]] std::chrono::nanoseconds take(const http::Request& request,
                                              std::chrono::nanoseconds now) noexcept;

 private:
  [[nodiscard]] std::optional<ClientId> whose(const http::Request& request) const noexcept;

  const std::string header_;
  const KeyedHash hash_ = KeyedHash::random();
  RateTable table_;
};

}  // namespace tercel::edge
