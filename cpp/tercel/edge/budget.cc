#include "tercel/edge/budget.h"

namespace tercel::edge {

using std::chrono::nanoseconds;

namespace {

void add_ask(SharedUse& use, const BudgetClaim& claim) noexcept {
  // A budget is asked about once, whatever for.
  const auto asks = std::span{use.asks}.first(use.ask_count);
  if (std::ranges::find(asks, &claim) == asks.end()) use.asks[use.ask_count++] = &claim;
}

}  // namespace

nanoseconds BudgetHold::enter(BudgetTable& table, std::span<const BudgetClaim> claims,
                              nanoseconds now, SharedUse& use) noexcept {
  table_ = &table;
  shares_ = use.shares != nullptr && !use.shares->alone() ? use.shares : nullptr;
  for (const BudgetClaim& claim : claims) {
    const nanoseconds wait = enter_one(claim, now, use);
    if (wait == nanoseconds{0}) continue;
    // Who is refused by one budget has used nothing of the others.
    for (const Held& one : held()) one.place->state.requests.give_back(one.rules->token);
    use.give_back(now);
    leave();
    return wait;
  }
  if (shares_ == nullptr || !limits_bytes_) return nanoseconds{0};
  for (const BudgetClaim& claim : claims) {
    if (claim.rules->bandwidth != 0 && shares_->follow(claim.key, now)) add_ask(use, claim);
  }
  return nanoseconds{0};
}

nanoseconds BudgetHold::enter_one(const BudgetClaim& claim, nanoseconds now,
                                  SharedUse& use) noexcept {
  const BudgetRules& rules = *claim.rules;
  const std::uint32_t most = rules.concurrent != 0 ? rules.concurrent : BudgetRules::kConcurrentMax;
  const auto [place, outcome] = table_->places().pin(claim.key, most);
  if (outcome == BudgetTable::Places::Outcome::kTooMany) return kPlaceTime;
  if (place == nullptr) return nanoseconds{0};
  TokenBucket& requests = place->state.requests;
  const nanoseconds depth = rules.token * rules.burst;
  const bool shared = rules.token.count() != 0 && shares_ != nullptr;
  nanoseconds wait{0};
  if (rules.bandwidth != 0) {
    wait = place->state.bytes.wait(BudgetRules::kBytesDepth + kBacklogMax, now);
  }
  if (wait == nanoseconds{0} && shared) {
    const auto taken = shares_->take(claim.key, now);
    wait = taken.wait;
    if (wait == BudgetShares::kUnknown) use.ask_count = 0;
    if (taken.ahead || wait == BudgetShares::kUnknown) add_ask(use, claim);
    if (wait == nanoseconds{0}) {
      use.keys[use.count++] = claim.key;
      // Counted here, too: for when this process will be alone.
      static_cast<void>(requests.reserve(rules.token, depth, now));
    }
  } else if (wait == nanoseconds{0} && rules.token.count() != 0) {
    wait = requests.take(rules.token, depth, now);
  }
  if (wait != nanoseconds{0}) {
    table_->places().unpin(*place);
    return wait;
  }
  held_[count_++] = {place, &rules, claim.key};
  limits_bytes_ |= rules.bandwidth != 0;
  return nanoseconds{0};
}

void BudgetHold::leave() noexcept {
  for (const Held& one : held()) table_->places().unpin(*one.place);
  count_ = 0;
  limits_bytes_ = false;
}

nanoseconds BudgetHold::reserve(std::uint64_t bytes, nanoseconds now) noexcept {
  nanoseconds longest{0};
  for (const Held& one : held()) {
    if (one.rules->bandwidth == 0) continue;
    longest = std::max(longest, one.place->state.bytes.reserve(one.rules->time_of(bytes),
                                                               BudgetRules::kBytesDepth, now));
    tell(one, static_cast<std::int64_t>(bytes));
  }
  return now + longest;
}

void BudgetHold::give_back(std::uint64_t bytes) noexcept {
  for (const Held& one : held()) {
    if (one.rules->bandwidth == 0) continue;
    one.place->state.bytes.give_back(one.rules->time_of(bytes));
    tell(one, -static_cast<std::int64_t>(bytes));
  }
}

}  // namespace tercel::edge
