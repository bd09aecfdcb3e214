// Timers in constant time: arming, moving and cancelling cost a few stores each, whatever their
// number.
//
// A hierarchical wheel with a coarse tick. Timers here guard connections, so they may fire late by
// up to one tick and never early. Resource: one thread. Source: Varghese and Lauck, "Hashed and
// Hierarchical Timing Wheels", 1987. Tested by timer_wheel_test.cc.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>

namespace tercel::net {

// One timer. Intrusive: lives in the object it guards, and cancels itself when destroyed.
class Timer {
 public:
  Timer() noexcept = default;
  Timer(const Timer&) = delete;
  Timer& operator=(const Timer&) = delete;

  // Runs on the loop's thread. May arm or cancel any timer, itself included, and destroy itself.
  virtual void on_timer() noexcept = 0;

  [[nodiscard]] bool armed() const noexcept { return next_ != nullptr; }

 protected:
  ~Timer();

 private:
  friend class TimerWheel;
  Timer* prev_ = nullptr;
  Timer* next_ = nullptr;
  std::uint64_t due_tick_ = 0;
};

class TimerWheel {
 public:
  static constexpr std::chrono::milliseconds kTick{16};

  TimerWheel() noexcept;
  TimerWheel(const TimerWheel&) = delete;
  TimerWheel& operator=(const TimerWheel&) = delete;
  ~TimerWheel();

  // Arms `timer` to fire at `due` or up to a tick later; moves it when it is armed already.
  // `due` in the past fires at the next advance().
  void arm(Timer& timer, std::chrono::nanoseconds due) noexcept;
  void cancel(Timer& timer) noexcept;

  // Fires what is due at `now`. Time never goes back: an earlier `now` than before fires nothing.
  void advance(std::chrono::nanoseconds now) noexcept;

  // Time from `now` until advance() may have something to do; negative when no timer is armed. May
  // be early (a cascade), never late.
  [[nodiscard]] std::chrono::nanoseconds until_next(std::chrono::nanoseconds now) const noexcept;
  [[nodiscard]] std::size_t armed() const noexcept;

 private:
  // ... to be completed by timer_wheel.cc's author.
};

}  // namespace tercel::net
