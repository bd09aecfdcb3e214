#include "tercel/server/thread.h"

#include <cerrno>
#include <csignal>
#include <ctime>

#include "tercel/base/assert.h"

namespace tercel::server {

Thread::~Thread() {
  static_cast<void>(TERCEL_BUG_IF(running()));
}

Result<void> Thread::run(const char* name, Main main, void* self) noexcept {
  // A new thread inherits the mask of the one that makes it.
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  pthread_t thread{};
  const int error = pthread_create(&thread, nullptr, main, self);
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  if (error != 0) return fail(error == EAGAIN ? Errc::kNoMemory : Errc::kSystem);
  thread_ = thread;
  pthread_setname_np(thread, name);
  return {};
}

bool Thread::join(std::chrono::milliseconds patience) noexcept {
  if (!thread_) return true;
  timespec until{};
  clock_gettime(CLOCK_REALTIME, &until);
  until.tv_sec += patience.count() / 1000;
  until.tv_nsec += patience.count() % 1000 * 1'000'000;
  if (until.tv_nsec >= 1'000'000'000) {
    ++until.tv_sec;
    until.tv_nsec -= 1'000'000'000;
  }
  if (pthread_timedjoin_np(*thread_, nullptr, &until) != 0) return false;
  thread_.reset();
  return true;
}

}  // namespace tercel::server
