#include "tercel/net/timer_wheel.h"

#include <algorithm>
#include <bit>

#include "tercel/base/assert.h"

namespace tercel::net {
namespace {

using std::chrono::nanoseconds;

constexpr nanoseconds kTickLength = TimerWheel::kTick;
constexpr std::uint64_t kNoTick = UINT64_MAX;

// The last tick that has begun at `time`.
std::uint64_t tick_at(nanoseconds time) noexcept {
  return time <= nanoseconds{0} ? 0 : static_cast<std::uint64_t>(time / kTickLength);
}

// The first tick that does not begin before `time`.
std::uint64_t tick_from(nanoseconds time) noexcept {
  const bool within = time > nanoseconds{0} && time % kTickLength != nanoseconds{0};
  return tick_at(time) + (within ? 1 : 0);
}

nanoseconds begin_of(std::uint64_t tick) noexcept {
  return kTickLength * static_cast<std::int64_t>(tick);
}

}  // namespace

Timer::~Timer() {
  if (armed()) wheel_->cancel(*this);
}

TimerWheel::~TimerWheel() {
  const auto forget = [](Slot& slot) {
    while (Timer* timer = slot.pop_front()) timer->wheel_ = nullptr;
  };
  for (auto& level : slots_) std::for_each(level.begin(), level.end(), forget);
  forget(overdue_);
}

void TimerWheel::arm(Timer& timer, nanoseconds due) noexcept {
  if (timer.armed()) cancel(timer);
  timer.wheel_ = this;
  timer.due_tick_ = std::min(tick_from(due), kTickMax);
  ++armed_;
  insert(timer);
  if (timer.due_tick_ < observed_tick_) {
    observed_tick_ = 0;
    observer_->on_earlier_timer();
  }
}

void TimerWheel::arm_by(Timer& timer, nanoseconds due) noexcept {
  if (timer.armed() && timer.due_tick_ <= tick_from(due)) return;
  arm(timer, due);
}

void TimerWheel::cancel(Timer& timer) noexcept {
  if (!timer.armed()) return;
  TERCEL_ASSERT(timer.wheel_ == this);
  timer.unlink();
  timer.wheel_ = nullptr;
  --armed_;
  if (timer.due_tick_ <= current_) return;  // It was overdue, or about to fire.
  const auto [level, slot] = place_of(timer.due_tick_);
  if (slots_[level][slot].empty()) occupied_[level] &= ~(std::uint64_t{1} << slot);
}

TimerWheel::Place TimerWheel::place_of(Tick due) const noexcept {
  const Tick differing = due ^ current_;
  TERCEL_ASSERT(due > current_ && differing != 0);
  const auto highest_bit = static_cast<unsigned>(std::bit_width(differing)) - 1;
  const unsigned level = highest_bit / kSlotBits;
  return {level, static_cast<unsigned>(due >> (level * kSlotBits)) % kSlots};
}

void TimerWheel::insert(Timer& timer) noexcept {
  if (timer.due_tick_ <= current_) {
    overdue_.push_back(timer);
    return;
  }
  const auto [level, slot] = place_of(timer.due_tick_);
  slots_[level][slot].push_back(timer);
  occupied_[level] |= std::uint64_t{1} << slot;
}

// The first tick behind the current one at which a slot begins that is not empty. Lower levels lie
// wholly before the next slot of a higher one, so the first level with an occupied slot decides.
TimerWheel::Tick TimerWheel::next_tick() const noexcept {
  for (unsigned level = 0; level < kLevels; ++level) {
    if (occupied_[level] == 0) continue;
    // Every occupied slot is behind the current one of its level: a timer at this level has a
    // greater group of bits here, and equal ones above.
    const auto slot = static_cast<Tick>(std::countr_zero(occupied_[level]));
    const unsigned shift = level * kSlotBits;
    const Tick above = current_ >> (shift + kSlotBits) << kSlotBits;
    return (above | slot) << shift;
  }
  return kNoTick;
}

// Makes `tick`, which next_tick() found, the current one: the timers of the slot that begins here
// go to lower levels, and those of this very tick to `expired`.
void TimerWheel::enter(Tick tick, Slot& expired) noexcept {
  const auto [level, slot] = place_of(tick);
  current_ = tick;
  occupied_[level] &= ~(std::uint64_t{1} << slot);
  Slot timers;
  timers.take_all(slots_[level][slot]);
  while (Timer* timer = timers.pop_front()) {
    timer->due_tick_ == tick ? expired.push_back(*timer) : insert(*timer);
  }
}

void TimerWheel::advance(nanoseconds now) noexcept {
  const Tick target = tick_at(now);
  if (target < current_) return;
  Slot expired;
  expired.take_all(overdue_);
  for (Tick tick = next_tick(); tick <= target; tick = next_tick()) enter(tick, expired);
  current_ = target;
  while (Timer* timer = expired.pop_front()) {
    timer->wheel_ = nullptr;
    --armed_;
    timer->on_timer();
  }
}

nanoseconds TimerWheel::until_next(nanoseconds now) const noexcept {
  if (!overdue_.empty()) return nanoseconds{0};
  const Tick tick = next_tick();
  if (tick == kNoTick) return nanoseconds{-1};
  return std::max(begin_of(tick) - now, nanoseconds{0});
}

void TimerWheel::observe_before(nanoseconds due, Observer& observer) noexcept {
  observed_tick_ = tick_from(due);
  observer_ = &observer;
}

}  // namespace tercel::net
