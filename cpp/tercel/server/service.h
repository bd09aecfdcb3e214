// What serves HTTP: a Server on the application's own loop, or a ThreadedServer in front of it.
//
//   auto service = Service::create(loop, handler, options, io_threads);
//   (*service)->listen(*std::move(socket));
//   (*service)->start();
//
// Which of the two is chosen once, here; whoever owns it need not know. Resource. Thread: that of
// the loop. Tested by service_test.cc.
#pragma once

#include <cstddef>
#include <memory>

#include "tercel/base/result.h"
#include "tercel/http/counters.h"
#include "tercel/http/handler.h"
#include "tercel/http/recorder.h"
#include "tercel/net/listen_socket.h"
#include "tercel/net/loop.h"
#include "tercel/server/options.h"

namespace tercel::server {

class Server;

class Service {
 public:
  // With 0 `io_threads` all is done on `loop`. `loop` and `handler` outlive it. Fails with
  // kTooManyFiles, kNoMemory or kSystem.
  [[nodiscard]] static Result<std::unique_ptr<Service>> create(net::Loop& loop,
                                                               http::Handler& handler,
                                                               const Options& options,
                                                               std::size_t io_threads);
  Service() noexcept = default;
  Service(const Service&) = delete;
  Service& operator=(const Service&) = delete;
  virtual ~Service() = default;

  // REQUIRES: not started, when there are threads.
  [[nodiscard]] virtual Result<void> listen(net::ListenSocket socket) = 0;
  [[nodiscard]] virtual Result<void> start() = 0;
  // Other certificates, for connections that are accepted from now on.
  // REQUIRES: Options::tls was given.
  virtual void secure(const net::TlsContext& context) noexcept = 0;
  // Stops accepting, after the backlog. Answers carry `Connection: close`; idle connections close
  // after Timeouts::drain_idle.
  virtual void drain() noexcept = 0;
  // Tells the exchanges under way, with Notice::kDraining: for long streams, after their grace.
  virtual void notify_draining() noexcept = 0;
  // The first half of close(): stops accepting, and ends the threads. Waits for them, and touches
  // no handler meanwhile, so a caller may give up a lock that handlers need. False: what it owns,
  // and the recorders, are not the caller's to touch or to destroy any more.
  [[nodiscard]] virtual bool stop() noexcept = 0;
  // Cuts off every connection. REQUIRES: not called from a handler.
  virtual void close() noexcept = 0;

  // The server that does everything on the loop, for connections that nobody has to accept; null:
  // there are threads.
  [[nodiscard]] virtual Server* alone() noexcept { return nullptr; }

  [[nodiscard]] virtual std::size_t connections() const noexcept = 0;
  [[nodiscard]] virtual std::size_t active() const noexcept = 0;
  [[nodiscard]] virtual std::size_t listeners() const noexcept = 0;
  [[nodiscard]] virtual const net::ListenSocket& listener(std::size_t index) const noexcept = 0;

  // The loops that connections live on, and who is told there of every request from now on; null:
  // nobody. A recorder lives as long as requests do: until close(), or longer where stop() failed.
  // REQUIRES: not started, or closed, when there are threads.
  [[nodiscard]] virtual std::size_t loops() const noexcept = 0;
  [[nodiscard]] virtual net::Loop& loop(std::size_t index) noexcept = 0;
  virtual void record(std::size_t index, http::Recorder* recorder) noexcept = 0;
  // What is counted on that loop, and where, if not in memory of its own: in `counters`, which
  // outlive it. REQUIRES: count_in(): not started.
  virtual void count_in(std::size_t index, http::Counters& counters) noexcept = 0;
  [[nodiscard]] virtual const http::Counters& counters(std::size_t index) const noexcept = 0;
  // Times requests, and tells their methods apart, in the counters. REQUIRES: not started.
  virtual void measure() noexcept = 0;
};

}  // namespace tercel::server
