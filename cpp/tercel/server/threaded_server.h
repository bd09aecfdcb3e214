// A server whose sockets, parsing, limits and writing have threads of their own; the handler stays
// on the loop of who made it.
//
//   auto server = ThreadedServer::create(app_loop, handler, options, /*threads=*/2);
//   server->listen(*std::move(socket));
//   server->start();
//   app_loop.run();  // The handler is called from here, and knows of no threads.
//
// To its owner it is as a Server. Each thread accepts from its own duplicate of every listening
// socket, so one backlog serves all and a connection stays on the thread that accepted it. What the
// options limit in total (connections, concurrent requests, the queue) is divided: each thread
// keeps to its share, and the shares add up. A thread that is full leaves connections to the
// others; requests do not change threads, so with unequal loads fewer than the limit may run. There
// are never more threads than a limit has places. The connections of one client are counted over
// all threads.
//
// The end: drain() closes the listening sockets; close() stops the threads, and what they leave is
// ended on the caller's thread, without any concurrency. A thread that does not stop within
// kPatience hangs in the system (a dead network file system): it is left alone, with all it may
// touch; the application's loop and the recorders are then for the caller to leave alone. In a
// child of fork() there are no threads: there nothing is done and nothing freed.
//
// Resource. Thread: that of the application's loop. Tested by threaded_server_test.cc.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "tercel/base/clock.h"
#include "tercel/base/process_mark.h"
#include "tercel/base/result.h"
#include "tercel/http/handler.h"
#include "tercel/http/recorder.h"
#include "tercel/net/listen_socket.h"
#include "tercel/net/loop.h"
#include "tercel/server/client_counts.h"
#include "tercel/server/handoff.h"
#include "tercel/server/io_thread.h"
#include "tercel/server/options.h"
#include "tercel/server/service.h"
#include "tercel/server/thread_pool.h"

namespace tercel::server {

class ThreadedServer final : public Service {
 public:
  static constexpr std::chrono::milliseconds kPatience{5000};

  // `app_loop` and `handler` outlive it. What `wrap` makes, if it is not empty, stands on each I/O
  // thread before the handler. REQUIRES: threads > 0. Fails with kTooManyFiles, kNoMemory or
  // kSystem.
  [[nodiscard]] static Result<std::unique_ptr<ThreadedServer>> create(
      net::Loop& app_loop, http::Handler& handler, const Options& options, std::size_t threads,
      const IoThread::Wrap& wrap = {});
  // The same in front of a pool of threads for the application, which start() starts and stop()
  // stops. `pool` outlives it, but for what a failed stop() leaves behind.
  [[nodiscard]] static Result<std::unique_ptr<ThreadedServer>> create(
      net::Syscalls& syscalls, ThreadPool& pool, const Options& options, std::size_t threads,
      const IoThread::Wrap& wrap = {});
  ~ThreadedServer() override;

  // --- Service
  [[nodiscard]] Result<void> listen(net::ListenSocket socket) override;
  // When it fails there is no thread, and no second attempt.
  [[nodiscard]] Result<void> start() override;
  // Waits until the threads have closed their listening sockets, which they do at once.
  void secure(const net::TlsContext& context) noexcept override;
  void drain() noexcept override;
  void notify_draining() noexcept override;
  // False: a thread is left behind, or belongs to another process.
  [[nodiscard]] bool stop() noexcept override;
  void close() noexcept override;
  // Counted by the threads, after each of their turns.
  [[nodiscard]] std::size_t connections() const noexcept override;
  [[nodiscard]] std::size_t active() const noexcept override;
  [[nodiscard]] std::uint64_t refused_connections() const noexcept { return counts_->refused(); }
  [[nodiscard]] std::size_t listeners() const noexcept override { return sockets_.size(); }
  [[nodiscard]] const net::ListenSocket& listener(std::size_t index) const noexcept override {
    return sockets_[index];
  }
  // One a thread.
  [[nodiscard]] std::size_t loops() const noexcept override { return threads_.size(); }
  [[nodiscard]] net::Loop& loop(std::size_t index) noexcept override {
    return threads_[index]->loop();
  }
  void record(std::size_t index, http::Recorder* recorder) noexcept override {
    threads_[index]->server().record(recorder);
  }
  void count_in(std::size_t index, http::Counters& counters) noexcept override {
    threads_[index]->server().count_in(counters);
  }
  void measure() noexcept override {
    for (const auto& thread : threads_) thread->server().measure();
  }
  [[nodiscard]] const http::Counters& counters(std::size_t index) const noexcept override {
    return std::as_const(*threads_[index]).server().counters(0);
  }

 private:
  explicit ThreadedServer(const Options& options);
  [[nodiscard]] Result<void> add_threads(net::Syscalls& syscalls, const IoThread::Connect& connect,
                                         const IoThread::Wrap& wrap, const Options& options,
                                         std::size_t threads);
  [[nodiscard]] Result<void> start_thread(IoThread& thread, unsigned number);
  void order(IoThread::Order order) noexcept;
  [[nodiscard]] bool stop_pool(std::chrono::nanoseconds until) noexcept;
  void end_exchanges() noexcept;
  [[nodiscard]] bool is_ours() const noexcept;
  void abandon() noexcept;

  std::unique_ptr<const SteadyClock> clock_ = std::make_unique<const SteadyClock>();
  const ProcessMark process_;
  // Where requests go: one of the two.
  std::unique_ptr<AppEnd> app_;
  ThreadPool* pool_ = nullptr;
  std::unique_ptr<ClientCounts> counts_;
  std::vector<std::unique_ptr<IoThread>> threads_;
  std::vector<net::ListenSocket> sockets_;  // What the threads' ones are duplicates of.
  bool left_behind_ = false;                // A thread did not end.
};

// Share of `total` that falls to the `index`-th of `count`; the shares add up to it.
[[nodiscard]] constexpr std::size_t share_of(std::size_t total, std::size_t index,
                                             std::size_t count) noexcept {
  return total / count + (index < total % count ? 1 : 0);
}

}  // namespace tercel::server
