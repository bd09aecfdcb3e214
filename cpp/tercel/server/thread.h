// A thread of the engine: with a name, with all signals blocked, and joined within a time.
//
// Signals are for the threads that know what to do with them. Resource: must have ended when it
// dies. Thread: the one that made it. Tested by threaded_server_test.cc.
#pragma once

#include <pthread.h>

#include <chrono>
#include <optional>

#include "tercel/base/result.h"

namespace tercel::server {

class Thread {
 public:
  using Main = void* (*)(void* self);

  Thread() noexcept = default;
  Thread(const Thread&) = delete;
  Thread& operator=(const Thread&) = delete;
  ~Thread();

  // Calls `main` on a new thread. `name` is 15 bytes at most. Fails with kNoMemory or kSystem.
  [[nodiscard]] Result<void> run(const char* name, Main main, void* self) noexcept;
  [[nodiscard]] bool running() const noexcept { return thread_.has_value(); }
  // Waits until it has ended. False: not within `patience`; it still runs.
  [[nodiscard]] bool join(std::chrono::milliseconds patience) noexcept;

 private:
  std::optional<pthread_t> thread_;
};

}  // namespace tercel::server
