#include "tercel/server/end_signals.h"

#include <atomic>
#include <cerrno>

namespace tercel::server {
namespace {

// What a signal handler can reach. There is no other way to it: it gets nothing but a number.
constinit std::atomic<net::Loop*> woken{nullptr};
constinit std::atomic<int> received{0};
constinit std::atomic<int> received_last{0};
constinit std::atomic<int> handlers_running{0};
static_assert(std::atomic<net::Loop*>::is_always_lock_free);

void restore_defaults() noexcept {
  struct sigaction by_default {};
  by_default.sa_handler = SIG_DFL;
  sigaction(SIGINT, &by_default, nullptr);
  sigaction(SIGTERM, &by_default, nullptr);
}

void on_signal(int number) noexcept {
  const int saved = errno;
  ++handlers_running;
  received_last = number;
  if (++received > 1) restore_defaults();
  if (net::Loop* const loop = woken) loop->wake();
  --handlers_running;
  errno = saved;
}

}  // namespace

EndSignals::EndSignals(net::Loop& loop) noexcept {
  net::Loop* nobody = nullptr;
  installed_ = woken.compare_exchange_strong(nobody, &loop);
  if (!installed_) return;
  received = 0;
  received_last = 0;
  struct sigaction heard {};
  heard.sa_handler = on_signal;
  // The calls of others go on: whoever looks for a signal looks at its count.
  heard.sa_flags = SA_RESTART;
  sigaction(SIGINT, &heard, &before_interrupt_);
  sigaction(SIGTERM, &heard, &before_terminate_);
  struct sigaction ignored {};
  ignored.sa_handler = SIG_IGN;
  sigaction(SIGPIPE, &ignored, &before_pipe_);
}

EndSignals::~EndSignals() {
  if (!installed_) return;
  sigaction(SIGINT, &before_interrupt_, nullptr);
  sigaction(SIGTERM, &before_terminate_, nullptr);
  sigaction(SIGPIPE, &before_pipe_, nullptr);
  woken = nullptr;
  // A handler on another thread may have the loop in its hand still.
  while (handlers_running != 0) {
  }
}

int EndSignals::count() const noexcept {
  return installed_ ? received.load() : 0;
}

int EndSignals::last() const noexcept {
  return received_last;
}

}  // namespace tercel::server
