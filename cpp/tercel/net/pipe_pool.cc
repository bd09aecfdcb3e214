#include "tercel/net/pipe_pool.h"

#include <fcntl.h>
#include <sys/resource.h>

#include <utility>

#include "tercel/base/assert.h"

namespace tercel::net {
namespace {

// Numbers are given lowest first: a pipe with one behind this part of the limit would take what
// connections need.
constexpr rlim_t share(rlim_t limit) noexcept {
  return limit / 4 * 3;
}

}  // namespace

PipePool::~PipePool() {
  TERCEL_ASSERT(lent_ == 0);
  give_up();
}

Pipe PipePool::take() noexcept {
  if (given_up_ || lent_ == kLentMax) return {};
  Ends ends{};
  if (idle_ > 0) {
    ends = kept_[--idle_];
  } else if (!open(ends)) {
    return {};
  }
  ++lent_;
  taken_ = true;
  return {*this, ends.read_end, ends.write_end};
}

void PipePool::give_up() noexcept {
  given_up_ = true;
  close_idle();
}

void PipePool::close_idle() noexcept {
  while (idle_ > 0) close(kept_[--idle_]);
}

void PipePool::on_timer() noexcept {
  if (!std::exchange(taken_, false)) return close_idle();
  timers_.arm(*this, clock_.now() + kIdleTime);
}

void PipePool::give_back(int read_end, int write_end, std::size_t bytes) noexcept {
  --lent_;
  // What is left in it is nobody's, and goes with it.
  if (bytes > 0 || given_up_ || idle_ == kIdleMax) return close({read_end, write_end});
  kept_[idle_++] = {read_end, write_end};
  if (!armed()) timers_.arm(*this, clock_.now() + kIdleTime);
}

bool PipePool::open(Ends& ends) noexcept {
  const std::chrono::nanoseconds now = clock_.now();
  if (now < paused_until_) return false;
  std::array<int, 2> made{};
  if (syscalls_.pipe2(made, O_NONBLOCK | O_CLOEXEC) == 0) {
    ends = {made[0], made[1]};
    rlimit limit{};
    const bool fits = syscalls_.getrlimit(RLIMIT_NOFILE, limit) == 0 &&
                      static_cast<rlim_t>(made[1]) < share(limit.rlim_cur);
    // A smaller one, which is what a user gets who has many, would cost more than it saves.
    if (fits && syscalls_.set_pipe_bytes(made[1], kPipeBytes) >= 0) return true;
    close(ends);
  }
  paused_until_ = now + kPause;
  return false;
}

void PipePool::close(Ends ends) noexcept {
  syscalls_.close(ends.read_end);
  syscalls_.close(ends.write_end);
}

}  // namespace tercel::net
