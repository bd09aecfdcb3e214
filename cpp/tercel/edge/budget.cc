#include "tercel/edge/budget.h"

namespace tercel::edge {

using std::chrono::nanoseconds;

nanoseconds BudgetHold::enter(BudgetTable& table, std::span<const BudgetClaim> claims,
                              nanoseconds now) noexcept {
  table_ = &table;
  for (const BudgetClaim& claim : claims) {
    const nanoseconds wait = enter_one(claim, now);
    if (wait == nanoseconds{0}) continue;
    // Who is refused by one budget has used nothing of the others.
    for (const Held& one : held()) one.place->state.requests.give_back(one.rules->token);
    leave();
    return wait;
  }
  return nanoseconds{0};
}

nanoseconds BudgetHold::enter_one(const BudgetClaim& claim, nanoseconds now) noexcept {
  const BudgetRules& rules = *claim.rules;
  const std::uint32_t most = rules.concurrent != 0 ? rules.concurrent : BudgetRules::kConcurrentMax;
  const auto [place, outcome] = table_->places().pin(claim.key, most);
  if (outcome == BudgetTable::Places::Outcome::kTooMany) return kPlaceTime;
  if (place == nullptr) return nanoseconds{0};
  nanoseconds wait{0};
  if (rules.bandwidth != 0) {
    wait = place->state.bytes.wait(BudgetRules::kBytesDepth + kBacklogMax, now);
  }
  if (wait == nanoseconds{0} && rules.token.count() != 0) {
    wait = place->state.requests.take(rules.token, rules.token * rules.burst, now);
  }
  if (wait != nanoseconds{0}) {
    table_->places().unpin(*place);
    return wait;
  }
  held_[count_++] = {place, &rules};
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
  }
  return now + longest;
}

void BudgetHold::give_back(std::uint64_t bytes) noexcept {
  for (const Held& one : held()) {
    if (one.rules->bandwidth == 0) continue;
    one.place->state.bytes.give_back(one.rules->time_of(bytes));
  }
}

}  // namespace tercel::edge
