// One I/O thread: a loop, a server on it, and its end of the handoff.
//
// It never waits for anything but its loop, and takes no lock of the interpreter. Orders from
// outside are obeyed between two turns. Resource: lives in a ThreadedServer. Thread: the one that
// made it, except where something else is said. Tested by threaded_server_test.cc.
#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <semaphore>

#include "tercel/base/clock.h"
#include "tercel/base/result.h"
#include "tercel/net/loop.h"
#include "tercel/server/handoff.h"
#include "tercel/server/options.h"
#include "tercel/server/server.h"
#include "tercel/server/thread.h"

namespace tercel::server {

class IoThread {  // NOLINT(clang-analyzer-optin.performance.Padding): see the cache lines below.
 public:
  enum class Order : std::uint32_t { kDrain = 1, kNotifyDraining = 2, kStop = 4, kSecure = 8 };

  // Makes the end of the handoff for a loop.
  using Connect = std::function<Result<std::unique_ptr<IoEnd>>(net::Loop&)>;
  // Makes what stands around a handler on a loop, and hears of requests first.
  using Wrap = std::function<std::unique_ptr<http::Handler>(http::Handler& inner, net::Loop&)>;

  // `clock`, `syscalls` and what `connect` connects to outlive it. `wrap` may be empty. Fails with
  // kTooManyFiles, kNoMemory or kSystem.
  [[nodiscard]] static Result<std::unique_ptr<IoThread>> create(const Clock& clock,
                                                                net::Syscalls& syscalls,
                                                                const Connect& connect,
                                                                const Wrap& wrap,
                                                                const Options& options);
  IoThread(const IoThread&) = delete;
  IoThread& operator=(const IoThread&) = delete;

  // The parts. REQUIRES: !running().
  [[nodiscard]] net::Loop& loop() noexcept { return *loop_; }
  [[nodiscard]] Server& server() noexcept { return server_; }
  [[nodiscard]] const Server& server() const noexcept { return server_; }
  [[nodiscard]] IoEnd& end() noexcept { return *end_; }

  // `number` is for the thread's name, "tercel-io-0". Fails with kNoMemory or kSystem.
  [[nodiscard]] Result<void> run(unsigned number) noexcept;
  [[nodiscard]] bool running() const noexcept { return thread_.running(); }

  // What kSecure is about. REQUIRES: no order is under way.
  void next_tls(const net::TlsContext& context) noexcept { next_tls_ = context; }
  // Gives an order; for kStop, join() follows, for any other await().
  void give(Order order) noexcept;
  // Waits until the order is carried out. False: not within `patience`.
  [[nodiscard]] bool await(std::chrono::milliseconds patience) noexcept;
  // Waits until the thread has ended. False: not within `patience`; it still runs.
  [[nodiscard]] bool join(std::chrono::milliseconds patience) noexcept {
    return thread_.join(patience);
  }

  // As they were after its last turn. Thread: any.
  [[nodiscard]] std::size_t connections() const noexcept {
    return connections_.load(std::memory_order_relaxed);
  }
  [[nodiscard]] std::size_t active() const noexcept {
    return active_.load(std::memory_order_relaxed);
  }
  // Brings them up to date. REQUIRES: on this thread, or !running().
  void publish() noexcept;

 private:
  IoThread(std::unique_ptr<net::Loop> loop, std::unique_ptr<IoEnd> end, const Wrap& wrap,
           const Options& options);
  static void* main(void* self) noexcept;
  void turn_until_stopped() noexcept;
  // False: stop.
  [[nodiscard]] bool obey() noexcept;

  std::unique_ptr<net::Loop> loop_;
  std::unique_ptr<IoEnd> end_;
  std::unique_ptr<http::Handler> around_;  // Null: nothing stands around the end.
  Server server_;
  Thread thread_;
  std::optional<net::TlsContext> next_tls_;
  std::counting_semaphore<> obeyed_{0};
  // Written by one side and read by the other: each on a cache line that is nobody else's.
  alignas(64) std::atomic<std::uint32_t> orders_{0};
  alignas(64) std::atomic<std::size_t> connections_{0};
  std::atomic<std::size_t> active_{0};
};

}  // namespace tercel::server
