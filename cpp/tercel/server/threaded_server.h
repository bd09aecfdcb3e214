// A server whose sockets, parsing, limits and writing have threads of their own; the handler stays
// on the loop of who made it.
//
//   auto server = ThreadedServer::create(app_loop, handler, options, /*threads=*/2);
//   server->listen(*std::move(socket));
//   server->start();
//   app_loop.run();  // The handler is called from here, and knows of no threads.
//
// Has the functions of Server. Each thread accepts from its own duplicate of every listening
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
// touch. In a child of fork() there are no threads: there nothing is done and nothing freed.
//
// Resource. Thread: that of the application's loop. Tested by threaded_server_test.cc.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "tercel/base/clock.h"
#include "tercel/base/result.h"
#include "tercel/http/handler.h"
#include "tercel/http/recorder.h"
#include "tercel/net/listen_socket.h"
#include "tercel/net/loop.h"
#include "tercel/server/client_counts.h"
#include "tercel/server/handoff.h"
#include "tercel/server/io_thread.h"
#include "tercel/server/options.h"

namespace tercel::server {

class ThreadedServer {
 public:
  static constexpr std::chrono::milliseconds kPatience{5000};

  // `app_loop` and `handler` outlive it. REQUIRES: threads > 0. Fails with kTooManyFiles, kNoMemory
  // or kSystem.
  [[nodiscard]] static Result<std::unique_ptr<ThreadedServer>> create(net::Loop& app_loop,
                                                                      http::Handler& handler,
                                                                      const Options& options,
                                                                      std::size_t threads);
  ThreadedServer(const ThreadedServer&) = delete;
  ThreadedServer& operator=(const ThreadedServer&) = delete;
  ~ThreadedServer();

  // --- as Server
  // REQUIRES: not started.
  [[nodiscard]] Result<void> listen(net::ListenSocket socket);
  [[nodiscard]] Result<void> start();
  // Waits until the threads have closed their listening sockets, which they do at once.
  void drain() noexcept;
  void notify_draining() noexcept;
  // Also ends the threads. REQUIRES: not called from a handler.
  void close() noexcept;
  // Counted by the threads, after each of their turns.
  [[nodiscard]] std::size_t connections() const noexcept;
  [[nodiscard]] std::size_t active() const noexcept;
  [[nodiscard]] std::uint64_t refused_connections() const noexcept { return counts_->refused(); }
  [[nodiscard]] std::size_t listeners() const noexcept { return sockets_.size(); }
  [[nodiscard]] const net::ListenSocket& listener(std::size_t index) const noexcept {
    return sockets_[index];
  }

  // --- of each thread
  [[nodiscard]] std::size_t threads() const noexcept { return threads_.size(); }
  // Where its recorder lives. REQUIRES: not started, or closed.
  [[nodiscard]] net::Loop& loop(std::size_t thread) noexcept { return threads_[thread]->loop(); }
  // REQUIRES: not started.
  void record(std::size_t thread, http::Recorder* recorder) noexcept {
    threads_[thread]->server().record(recorder);
  }

  // The first half of close(): no thread runs any more, if it returns true. Touches no handler, so
  // a caller may give up a lock that handlers need.
  [[nodiscard]] bool stop() noexcept;

 private:
  ThreadedServer(std::unique_ptr<AppEnd> app, const Options& options);
  [[nodiscard]] Result<void> start_thread(IoThread& thread, unsigned number);
  void order(IoThread::Order order) noexcept;
  void end_exchanges() noexcept;
  [[nodiscard]] bool is_ours() const noexcept;
  void abandon() noexcept;

  const SteadyClock clock_;
  const pid_t process_;
  std::unique_ptr<AppEnd> app_;
  std::unique_ptr<ClientCounts> counts_;
  std::vector<std::unique_ptr<IoThread>> threads_;
  std::vector<net::ListenSocket> sockets_;  // What the threads' ones are duplicates of.
};

// Share of `total` that falls to the `index`-th of `count`; the shares add up to it.
[[nodiscard]] constexpr std::size_t share_of(std::size_t total, std::size_t index,
                                             std::size_t count) noexcept {
  return total / count + (index < total % count ? 1 : 0);
}

}  // namespace tercel::server
