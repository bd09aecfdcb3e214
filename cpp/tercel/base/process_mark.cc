#include "tercel/base/process_mark.h"

#include <pthread.h>

namespace tercel {

constinit std::atomic<std::uint32_t> ProcessMark::forks_so_far{0};

ProcessMark::ProcessMark() noexcept {
  static const int registered = pthread_atfork(
      nullptr, nullptr, [] { forks_so_far.fetch_add(1, std::memory_order_relaxed); });
  static_cast<void>(registered);  // Fails without memory; then a child is not told apart.
  forks_ = forks_so_far.load(std::memory_order_relaxed);
}

}  // namespace tercel
