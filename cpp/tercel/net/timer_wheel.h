// Timers in constant time: arming, moving and cancelling cost a few stores each, whatever their
// number.
//
//   class IdleTimer final : public Timer {
//     void on_timer() noexcept override { connection_.close(); }
//   };
//   loop.timers().arm(idle_timer_, loop.now() + 5s);
//
// A hierarchical wheel with a coarse tick. Timers here guard connections, so they may fire late by
// up to one tick and never early. Resource: one thread. Source: Varghese and Lauck, "Hashed and
// Hierarchical Timing Wheels", 1987. Tested by timer_wheel_test.cc.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>

#include "tercel/base/intrusive_list.h"

namespace tercel::net {

class TimerWheel;

// One timer. Intrusive: lives in the object it guards, and cancels itself when destroyed.
class Timer : private ListNode {
 public:
  Timer() noexcept = default;
  Timer(const Timer&) = delete;
  Timer& operator=(const Timer&) = delete;
  virtual ~Timer();

  // Runs on the loop's thread, no longer armed. May arm or cancel any timer, itself included, and
  // destroy itself.
  virtual void on_timer() noexcept = 0;

  [[nodiscard]] bool armed() const noexcept { return wheel_ != nullptr; }

 private:
  friend class TimerWheel;
  friend class IntrusiveList<Timer>;
  TimerWheel* wheel_ = nullptr;  // The one it is armed on.
  std::uint64_t due_tick_ = 0;
};
static_assert(sizeof(Timer) <= 32 + sizeof(void*), "exists per connection");

class TimerWheel {
 public:
  static constexpr std::chrono::milliseconds kTick{16};

  // Who must know when advance() is needed earlier than thought.
  class Observer {
   public:
    virtual void on_earlier_timer() noexcept = 0;

   protected:
    ~Observer() = default;
  };

  TimerWheel() noexcept = default;
  TimerWheel(const TimerWheel&) = delete;
  TimerWheel& operator=(const TimerWheel&) = delete;
  // Timers still armed are cancelled.
  ~TimerWheel();

  // Arms `timer` to fire at `due` or up to a tick later; moves it when it is armed already.
  // `due` in the past fires at the next advance().
  void arm(Timer& timer, std::chrono::nanoseconds due) noexcept;
  // Sees to it that `timer` fires at `due` at the latest: arms it, or moves it forward, and leaves
  // it alone when it is armed for an earlier time. For limits that move with every request: whoever
  // is called too early arms again.
  void arm_by(Timer& timer, std::chrono::nanoseconds due) noexcept;
  void cancel(Timer& timer) noexcept;

  // Fires what is due at `now`, in order of their ticks. What is armed meanwhile waits for the next
  // call, even if it is due. Time never goes back: an earlier `now` than before fires nothing.
  // Cost: a step for each timer fired, moved down a level, and each occupied slot passed; the time
  // gone by does not count.
  void advance(std::chrono::nanoseconds now) noexcept;

  // Time from `now` until advance() may have something to do; negative when no timer is armed. May
  // be early (a cascade), never late.
  [[nodiscard]] std::chrono::nanoseconds until_next(std::chrono::nanoseconds now) const noexcept;
  [[nodiscard]] std::size_t armed() const noexcept { return armed_; }

  // Tells `observer`, once, when a timer is armed for a tick before that of `due`.
  void observe_before(std::chrono::nanoseconds due, Observer& observer) noexcept;
  void stop_observing() noexcept { observed_tick_ = 0; }

 private:
  using Tick = std::uint64_t;
  using Slot = IntrusiveList<Timer>;
  static constexpr unsigned kSlotBits = 6;
  static constexpr unsigned kSlots = 1U << kSlotBits;
  static constexpr Tick kTickMax =
      static_cast<Tick>(std::chrono::nanoseconds::max() / std::chrono::nanoseconds{kTick});
  // Enough levels for every time there is: none is clamped, and no level needs a special end.
  static constexpr unsigned kLevels = 7;
  static_assert(kTickMax >> (kSlotBits * kLevels) == 0);

  struct Place {
    unsigned level;
    unsigned slot;
  };
  [[nodiscard]] Place place_of(Tick due) const noexcept;
  [[nodiscard]] Tick next_tick() const noexcept;
  void insert(Timer& timer) noexcept;
  void enter(Tick tick, Slot& expired) noexcept;

  // Everything due up to here has fired, or is in overdue_. A timer due later is at the level of
  // the highest group of six bits in which its tick differs from this one; enter() keeps that true.
  Tick current_ = 0;
  std::size_t armed_ = 0;
  Tick observed_tick_ = 0;  // 0: nobody observes.
  Observer* observer_ = nullptr;
  std::array<std::uint64_t, kLevels> occupied_{};  // A bit for each slot that is not empty.
  std::array<std::array<Slot, kSlots>, kLevels> slots_;
  Slot overdue_;  // Armed for a time that had passed already.
};

}  // namespace tercel::net
