// A thread that a handler may block, and what such a handler is.
//
//   class Slow final : public BlockingHandler {
//     void handle(const http::Request& request, http::Exchange& exchange,
//                 Blocking& thread) noexcept override {
//       const std::string rows = ask_the_database(request);   // Takes its time.
//       (void)exchange.start({.status = 200});
//       (void)exchange.write(http::Payload::borrow(rows), http::Final::kYes);
//     }
//   };
//
// The exchange is a stand-in (crossing.h): nothing that a handler does here waits for the network,
// unless it says so with Blocking::wait(). One request at a time: when handle() returns, the
// exchange must be complete or aborted. Request and exchange are gone with the flush() that follows
// that, or with Observer::on_end().
// Resource: lives in a ThreadPool. Thread: the pool's, except where something else is said. Tested
// by thread_pool_test.cc.
#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <memory>

#include "tercel/base/clock.h"
#include "tercel/base/result.h"
#include "tercel/http/handler.h"
#include "tercel/net/loop.h"
#include "tercel/server/handoff.h"
#include "tercel/server/request_queue.h"
#include "tercel/server/thread.h"

namespace tercel::server {

// What a handler on a thread of its own can do that others cannot.
class Blocking {
 public:
  // Lets go to the peer what was asked of the exchange so far. handle() need not do it at its end.
  virtual void flush() noexcept = 0;
  // The same, and tells the observer what is new. For a handler that goes on for long without a
  // wait(): it would not hear that the peer is gone.
  virtual void poll() noexcept = 0;
  // The same, and waits for news of the exchange; its observer is called meanwhile. For a handler
  // that was told kPending, or finds the exchange not writable. Ends by itself, with
  // Observer::on_end(), when the peer is gone or too slow.
  virtual void wait() noexcept = 0;
  // Ends a wait() that another thread is in. For handlers that let other threads act for theirs,
  // one at a time. Thread: any.
  virtual void wake() noexcept = 0;

 protected:
  ~Blocking() = default;
};

class BlockingHandler {
 public:
  virtual ~BlockingHandler() = default;
  // Before the first and after the last request of a thread, on it.
  virtual void begin_thread() noexcept {}
  virtual void end_thread() noexcept {}
  // Thread: any of the pool's, several at a time. The rest is as with http::Handler.
  virtual void handle(const http::Request& request, http::Exchange& exchange,
                      Blocking& thread) noexcept = 0;
};

class PoolThread final : private http::Handler, private Blocking {
 public:
  // All outlive it. Fails with kTooManyFiles, kNoMemory or kSystem. Thread: the pool's owner.
  [[nodiscard]] static Result<std::unique_ptr<PoolThread>> create(const Clock& clock,
                                                                  net::Syscalls& syscalls,
                                                                  BlockingHandler& handler,
                                                                  RequestQueue& queue,
                                                                  std::size_t high_water_bytes);
  PoolThread(const PoolThread&) = delete;
  PoolThread& operator=(const PoolThread&) = delete;
  // REQUIRES: !running().
  ~PoolThread() override = default;

  // --- for the owner
  [[nodiscard]] AppEnd& end() noexcept { return *end_; }
  // `number` is for the thread's name, "tercel-app-0". Fails with kNoMemory or kSystem.
  [[nodiscard]] Result<void> run(unsigned number) noexcept;
  [[nodiscard]] bool running() const noexcept { return thread_.running(); }
  // Whether a handler works on a request, answered or not. Thread: any.
  [[nodiscard]] bool busy() const noexcept { return busy_.load(std::memory_order_relaxed); }
  // Takes no further request. join() follows.
  void stop() noexcept;
  // Waits until the thread has ended. False: not within `patience`; a handler still runs.
  [[nodiscard]] bool join(std::chrono::milliseconds patience) noexcept {
    return thread_.join(patience);
  }

 private:
  PoolThread(std::unique_ptr<net::Loop> loop, BlockingHandler& handler, RequestQueue& queue)
      : loop_{std::move(loop)}, handler_{handler}, queue_{queue}, taker_{*loop_} {}
  static void* main(void* self) noexcept;
  void work_until_stopped() noexcept;
  void handle(const http::Request& request, http::Exchange& exchange) noexcept override;
  void flush() noexcept override { end_->flush(); }
  void poll() noexcept override;
  void wait() noexcept override;
  void wake() noexcept override { loop_->wake(); }
  // Waits for mail, or to be woken, and reads it. False: this thread cannot wait any more.
  bool turn() noexcept;

  std::unique_ptr<net::Loop> loop_;
  std::unique_ptr<AppEnd> end_;
  BlockingHandler& handler_;
  RequestQueue& queue_;
  RequestQueue::Taker taker_;
  Thread thread_;
  std::atomic<bool> stopping_{false};
  std::atomic<bool> busy_{false};
};

}  // namespace tercel::server
