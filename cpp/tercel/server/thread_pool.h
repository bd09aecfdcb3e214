// Threads for an application that blocks: each has one request at a time.
//
//   auto pool = ThreadPool::create(syscalls, handler, threads, options.limits);
//   auto server = ThreadedServer::create(loop, **pool, options, io_threads);
//   (*server)->listen(*std::move(socket));
//   (*server)->start();
//
// I/O threads receive and send for it: a request comes to a thread when its head is complete, and
// an answer leaves the thread as fast as it can be written into memory, up to the high-water mark.
// So a slow client does not hold a thread that has nothing to read or send for it. What exceeds the
// threads waits in one queue, in the order of arrival; a request whose client has left meanwhile is
// not handled.
//
// Resource: outlives its server. Thread: the one that made it. Tested by thread_pool_test.cc.
#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <vector>

#include "tercel/base/clock.h"
#include "tercel/base/result.h"
#include "tercel/net/loop.h"
#include "tercel/server/handoff.h"
#include "tercel/server/pool_thread.h"
#include "tercel/server/request_queue.h"

namespace tercel::server {

class ThreadPool {
 public:
  // `handler` and `syscalls` outlive it. REQUIRES: threads > 0. Fails with kTooManyFiles, kNoMemory
  // or kSystem.
  [[nodiscard]] static Result<std::unique_ptr<ThreadPool>> create(net::Syscalls& syscalls,
                                                                  BlockingHandler& handler,
                                                                  std::size_t threads,
                                                                  std::size_t high_water_bytes);
  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;
  // REQUIRES: join() succeeded, or start() was not called.
  ~ThreadPool() = default;

  // Makes the end for an I/O thread. Before start().
  [[nodiscard]] Result<std::unique_ptr<IoEnd>> connect(net::Loop& loop);
  // When it fails there is no thread, and no second attempt.
  [[nodiscard]] Result<void> start();
  // Takes no further request, whether it waits or not.
  void stop() noexcept;
  // Waits until the threads have ended. False: not within `patience`; handlers still run.
  [[nodiscard]] bool join(std::chrono::milliseconds patience) noexcept;
  // Threads whose handler works on a request, answered or not. Thread: any.
  [[nodiscard]] std::size_t busy() const noexcept;
  // Does the threads' part for what is left, answering nothing. Returns false when there was
  // nothing. REQUIRES: join() succeeded.
  bool work_off() noexcept;

 private:
  explicit ThreadPool(std::size_t threads) : queue_{threads} {}

  SteadyClock clock_;
  RequestQueue queue_;
  std::vector<std::unique_ptr<PoolThread>> threads_;
};

}  // namespace tercel::server
