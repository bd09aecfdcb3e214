#include "tercel/gateway/lease.h"

#include <algorithm>

namespace tercel::gateway {

using std::chrono::nanoseconds;

nanoseconds Lease::enter(const Config& config, const Caller& caller, std::string_view bucket,
                         nanoseconds now, Asks& asks) noexcept {
  if (entered_ || config.limits.empty()) return nanoseconds{0};
  std::array<edge::BudgetClaim, Limits::kClaimsMax> room;
  const auto claims = config.limits.claims(config.budgets->hash(), caller, bucket, room);
  edge::SharedUse use{.shares = config.shares};
  const nanoseconds wait = hold_.enter(*config.budgets, claims, now, use);
  for (; asks.count != use.ask_count; ++asks.count) asks.claims[asks.count] = *use.asks[asks.count];
  entered_ = wait == nanoseconds{0};
  return wait;
}

// Bytes are reserved before they are read, no more than will come where that is known: a small
// object holds up nobody for more than its bytes.
nanoseconds Lease::wait(proxy::Way way, std::optional<std::uint64_t> body_bytes,
                        nanoseconds now) noexcept {
  Body& body = bodies_[static_cast<std::size_t>(way)];
  if (body.reserved == 0) {
    const std::uint64_t left =
        body_bytes ? *body_bytes - std::min(*body_bytes, body.passed) : kReservedMax;
    body.reserved = std::min(left, kReservedMax);
    body.ready_at = body.reserved != 0 ? hold_.reserve(body.reserved, now) : now;
  }
  return std::max(body.ready_at - now, nanoseconds{0});
}

void Lease::passed(proxy::Way way, std::size_t bytes, nanoseconds now) noexcept {
  Body& body = bodies_[static_cast<std::size_t>(way)];
  body.passed += bytes;
  // What came beyond the reservation is paid for now: the next one waits for it.
  if (bytes > body.reserved) static_cast<void>(hold_.reserve(bytes - body.reserved, now));
  body.reserved -= std::min<std::uint64_t>(body.reserved, bytes);
}

void Lease::give_back() noexcept {
  if (!hold_.limits_bytes()) return;
  for (const Body& body : bodies_) hold_.give_back(body.reserved);
}

}  // namespace tercel::gateway
