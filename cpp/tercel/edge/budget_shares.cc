#include "tercel/edge/budget_shares.h"

#include <algorithm>

namespace tercel::edge {
namespace {

using Time = BudgetShares::Time;
using std::memory_order_relaxed;

constexpr unsigned kCountBits = 24;
static_assert(BudgetShares::kCountMax == (1U << kCountBits) - 1);

std::uint32_t count_of(std::uint64_t credit) noexcept {
  return static_cast<std::uint32_t>(credit) & BudgetShares::kCountMax;
}
std::uint64_t milliseconds_of(Time time) noexcept {
  return static_cast<std::uint64_t>(
      std::chrono::duration_cast<std::chrono::milliseconds>(time).count());
}
bool holds(std::uint64_t credit, Time now) noexcept {
  return count_of(credit) != 0 && milliseconds_of(now) < credit >> kCountBits;
}

}  // namespace

BudgetShares::Taken BudgetShares::Share::take(Time now) noexcept {
  std::uint64_t credit = credit_.load(memory_order_relaxed);
  while (holds(credit, now)) {
    if (!credit_.compare_exchange_weak(credit, credit - 1, memory_order_relaxed)) continue;
    used.fetch_add(1, memory_order_relaxed);
    if (2 * (count_of(credit) - 1) >= slice.load(memory_order_relaxed)) return {Time{0}, false};
    Time::rep asked = asked_at.load(memory_order_relaxed);
    // An answer that does not come in a second will not.
    const bool asks = asked != 0 && now - Time{asked} < kRefusal;
    return {Time{0},
            !asks && asked_at.compare_exchange_strong(asked, now.count(), memory_order_relaxed)};
  }
  if (now < Time{refuses_until.load(memory_order_relaxed)}) {
    return {std::max(Time{used_up_until.load(memory_order_relaxed)} - now, Time{1}), false};
  }
  missed.fetch_add(1, memory_order_relaxed);
  return {kUnknown, false};
}

void BudgetShares::Share::add(std::uint32_t count, Time now) noexcept {
  const Time lasts = std::max(Time{lifetime.load(memory_order_relaxed)}, kLifetime);
  const std::uint64_t end = milliseconds_of(now + lasts) << kCountBits;
  std::uint64_t credit = credit_.load(memory_order_relaxed);
  std::uint64_t next;
  do {
    const std::uint32_t before = holds(credit, now) ? count_of(credit) : 0;
    next = end | std::min(before + count, kCountMax);
  } while (!credit_.compare_exchange_weak(credit, next, memory_order_relaxed));
}

std::uint32_t BudgetShares::Share::left(Time now) const noexcept {
  const std::uint64_t credit = credit_.load(memory_order_relaxed);
  return holds(credit, now) ? count_of(credit) : 0;
}

Time BudgetShares::Share::full_at() const noexcept {
  const std::uint64_t end = credit_.load(memory_order_relaxed) >> kCountBits;
  const Time followed{followed_at.load(memory_order_relaxed)};
  return std::max({Time{std::chrono::milliseconds{end}},
                   Time{refuses_until.load(memory_order_relaxed)},
                   followed.count() != 0 ? followed + kRefusal : Time{0}});
}

void BudgetShares::Share::fill() noexcept {
  for (auto* const time :
       {&used_up_until, &refuses_until, &asked_at, &wanted_at, &lifetime, &followed_at}) {
    time->store(0, memory_order_relaxed);
  }
  for (auto* const count : {&missed, &used, &slice}) count->store(0, memory_order_relaxed);
  bytes.store(0, memory_order_relaxed);
  credit_.store(0, memory_order_relaxed);
}

BudgetShares::Taken BudgetShares::take(std::uint64_t key, Time now) noexcept {
  Places::Place* const place = places_.pin(key).place;
  if (place == nullptr) return {Time{0}, false};  // Nobody is refused for what others do.
  const Taken taken = place->state.take(now);
  places_.unpin(*place);
  return taken;
}

void BudgetShares::give_back(std::uint64_t key, Time now) noexcept {
  Places::Place* const place = places_.pin(key).place;
  if (place == nullptr) return;
  place->state.add(1, now);
  places_.unpin(*place);
}

std::uint32_t BudgetShares::wanted(std::uint64_t key, const BudgetRules& rules, Time now) noexcept {
  Places::Place* const place = places_.pin(key).place;
  if (place == nullptr) return 0;
  Share& share = place->state;
  const std::uint32_t missed = share.missed.exchange(0, memory_order_relaxed);
  const std::uint64_t used = share.used.exchange(0, memory_order_relaxed);
  const Time since = now - Time{share.wanted_at.exchange(now.count(), memory_order_relaxed)};
  const auto lately =
      static_cast<std::int64_t>(used) * 2 * (kAhead / Time{1}) / std::max(since, kAhead).count();
  const std::int64_t most = std::min<std::int64_t>(kAhead / rules.token, rules.burst / kPart);
  const auto slice = static_cast<std::uint32_t>(std::min(lately, most));
  share.slice.store(slice, memory_order_relaxed);
  share.lifetime.store((2 * rules.token).count(), memory_order_relaxed);
  const std::uint32_t left = share.left(now);
  places_.unpin(*place);
  return std::min(missed + (slice > left ? slice - left : 0), kCountMax);
}

void BudgetShares::grant(std::uint64_t key, const Grant& grant, Time now) noexcept {
  Places::Place* const place = places_.pin(key).place;
  if (place == nullptr) return;
  Share& share = place->state;
  if (grant.count != 0) share.add(grant.count, now);
  share.used_up_until.store((now + grant.wait).count(), memory_order_relaxed);
  share.refuses_until.store((now + std::min(grant.wait, kRefusal)).count(), memory_order_relaxed);
  share.asked_at.store(0, memory_order_relaxed);
  places_.unpin(*place);
}

bool BudgetShares::follow(std::uint64_t key, Time now) noexcept {
  Places::Place* const place = places_.pin(key).place;
  if (place == nullptr) return false;
  Share& share = place->state;
  // Sequentially consistent, with the pin of who asks: see leave().
  Time::rep followed = share.followed_at.load(std::memory_order_seq_cst);
  const bool follows = followed != 0 && now - Time{followed} < kRefusal;
  const bool begins = !follows && share.followed_at.compare_exchange_strong(followed, now.count());
  places_.unpin(*place);
  return begins;
}

void BudgetShares::add_bytes(std::uint64_t key, std::int64_t bytes) noexcept {
  Places::Place* const place = places_.pin(key).place;
  if (place == nullptr) return;
  place->state.bytes.fetch_add(bytes, memory_order_relaxed);
  places_.unpin(*place);
}

std::int64_t BudgetShares::take_bytes(std::uint64_t key, Time now) noexcept {
  Places::Place* const place = places_.pin(key).place;
  if (place == nullptr) return 0;
  place->state.followed_at.store(now.count(), memory_order_relaxed);
  const std::int64_t bytes = place->state.bytes.exchange(0, memory_order_relaxed);
  places_.unpin(*place);
  return bytes;
}

void BudgetShares::leave(std::uint64_t key) noexcept {
  Places::Place* const place = places_.pin(key).place;
  if (place == nullptr) return;
  place->state.followed_at.store(0, std::memory_order_seq_cst);
  places_.unpin(*place);
}

}  // namespace tercel::edge
