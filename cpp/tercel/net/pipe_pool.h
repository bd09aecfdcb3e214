// The pipes of one loop, through which bodies go from socket to socket.
//
//   if (Pipe pipe = loop.pipes().take()) ...  // None: copy the bytes.
//
// A pipe is two descriptors and memory of the kernel, which limits both: so they are few, lent only
// while bytes are on their way, and a few empty ones are kept for the next, as long as there is one
// every now and then. Whoever gets none reads and writes, which always works. None are made while
// descriptors are scarce, and for a while after the system refused one; none at all once it says
// that it cannot splice, as some sandboxes do. Resource: outlives what it lent. Thread: the loop's.
// Source: pipe(7), splice(2), fcntl(2). Tested by pipe_pool_test.cc.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>

#include "tercel/base/clock.h"
#include "tercel/base/pipe.h"
#include "tercel/net/syscalls.h"
#include "tercel/net/timer_wheel.h"

namespace tercel::net {

class PipePool final : private PipeKeeper, private Timer {
 public:
  // Of one pipe, and of one part of a body. Measured: docs/decisions/0016-splice.md.
  static constexpr std::size_t kPipeBytes = std::size_t{256} * 1024;
  // Lent at a time, so 32 MiB of the kernel's at most.
  static constexpr std::size_t kLentMax = 128;
  // Empty ones that are kept.
  static constexpr std::size_t kIdleMax = 16;
  // After a refusal nobody asks for so long.
  static constexpr std::chrono::seconds kPause{1};
  // Those that nobody takes for so long, and no longer than twice that, are closed.
  static constexpr std::chrono::seconds kIdleTime{1};

  PipePool(const Clock& clock, TimerWheel& timers, Syscalls& syscalls) noexcept
      : clock_{clock}, timers_{timers}, syscalls_{syscalls} {}
  PipePool(const PipePool&) = delete;
  PipePool& operator=(const PipePool&) = delete;
  ~PipePool() override;

  // An empty pipe that does not block, of kPipeBytes; or none.
  [[nodiscard]] Pipe take() noexcept;
  // The system does not splice: none are lent from now on.
  void give_up() noexcept;

  [[nodiscard]] std::size_t lent() const noexcept { return lent_; }
  [[nodiscard]] std::size_t idle() const noexcept { return idle_; }

 private:
  struct Ends {
    int read_end;
    int write_end;
  };

  void give_back(int read_end, int write_end, std::size_t bytes) noexcept override;
  void on_timer() noexcept override;
  [[nodiscard]] bool open(Ends& ends) noexcept;
  void close(Ends ends) noexcept;
  void close_idle() noexcept;

  const Clock& clock_;
  TimerWheel& timers_;
  Syscalls& syscalls_;
  std::array<Ends, kIdleMax> kept_{};
  std::size_t idle_ = 0;
  std::size_t lent_ = 0;
  std::chrono::nanoseconds paused_until_{0};
  bool taken_ = false;  // One, since the timer was set.
  bool given_up_ = false;
};

}  // namespace tercel::net
