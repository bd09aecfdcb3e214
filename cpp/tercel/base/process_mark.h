// Whether this is the process that made something, or a child that fork() gave a copy of it.
//
//   if (!mark_.here()) return;  // The socket is the parent's: not a byte, and no shutdown.
//
// A copy shares what the kernel holds with its original: sockets, an epoll. Asked for every answer,
// so it is no getpid(), which is a system call: fork() counts. A value. Thread: any.
// Each library that this is linked into counts for itself, so a mark asks the counter that it was
// made with, whoever asks the mark. Source: pthread_atfork(3). Tested by process_mark_test.cc.
#pragma once

#include <atomic>
#include <cstdint>

namespace tercel {

class ProcessMark {
 public:
  // Of the process that runs this.
  ProcessMark() noexcept;
  [[nodiscard]] bool here() const noexcept {
    return forks_ == counter_->load(std::memory_order_relaxed);
  }

 private:
  // From the first process that made a mark down to this one.
  static std::atomic<std::uint32_t> forks_so_far;

  const std::atomic<std::uint32_t>* counter_ = &forks_so_far;
  std::uint32_t forks_;
};

}  // namespace tercel
