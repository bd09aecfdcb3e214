// Serves HTTP on a loop: listeners, connections, limits, drain.
//
//   server::Server server(loop, handler, options);
//   server.listen(*std::move(socket));
//   if (auto started = server.start(); !started) ...
//   loop.run();
//
// Resource: owned by the program; ends every connection when destroyed. Thread: the loop's. A
// program may run several servers, each on its own loop. Source: ARCHITECTURE.md, "The life of a
// request" and "From `tercel serve` to the first request". Tested by server_test.cc.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "tercel/base/clock.h"
#include "tercel/base/result.h"
#include "tercel/base/slab.h"
#include "tercel/edge/proxy_headers.h"
#include "tercel/http/handler.h"
#include "tercel/http/recorder.h"
#include "tercel/net/listener.h"
#include "tercel/net/loop.h"
#include "tercel/server/client_counts.h"
#include "tercel/server/connection.h"
#include "tercel/server/options.h"
#include "tercel/server/service.h"
#include "tercel/server/session_place.h"

namespace tercel::server {

class Server final : public Service, private net::Listener::Sink {
 public:
  // While it cannot accept, or a client has too many connections, it says so this often: who is in
  // need, or under attack, must not fill its disk too.
  static constexpr std::chrono::seconds kLogPause{10};

  // All outlive the server.
  Server(net::Loop& loop, http::Handler& handler, const Options& options);
  ~Server() override;

  // Told of every request from now on; null: nobody.
  void record(http::Recorder* recorder) noexcept { sessions_.h1.recorder = recorder; }

  // Counts in `counters` from now on, which outlive the server. REQUIRES: not started.
  void count_in(http::Counters& counters) noexcept { sessions_.h1.counters = &counters; }

  // Counts the connections of each client together with other servers: `counts` has the limit, in
  // place of the options, and outlives the server. REQUIRES: not started.
  void share_counts(ClientCounts& counts) noexcept { counts_ = &counts; }

  // Adds a socket to accept from. After start() it accepts at once.
  [[nodiscard]] Result<void> listen(net::ListenSocket socket) override;
  [[nodiscard]] Result<void> start() noexcept override;

  // Serves a stream that somebody else connected or accepted; closes it if the peer has too many.
  // What it agreed on under TLS takes the place of `ends.tls`, if it did.
  void serve(std::unique_ptr<net::Stream> stream, const http::Endpoints& ends) noexcept;

  // --- Service
  void secure(const net::TlsContext& context) noexcept override { options_.tls = context; }
  void drain() noexcept override;
  void notify_draining() noexcept override;
  [[nodiscard]] bool stop() noexcept override;
  void close() noexcept override;
  [[nodiscard]] Server* alone() noexcept override { return this; }

  [[nodiscard]] std::size_t connections() const noexcept override { return connections_.alive(); }
  // Connections that were closed because their client had too many.
  [[nodiscard]] std::uint64_t refused_connections() const noexcept { return counts_->refused(); }
  [[nodiscard]] std::size_t active() const noexcept override {
    return sessions_.h1.admission.active();
  }
  [[nodiscard]] std::size_t listeners() const noexcept override { return listeners_.size(); }
  [[nodiscard]] const net::ListenSocket& listener(std::size_t index) const noexcept override {
    return listeners_[index]->socket();
  }
  [[nodiscard]] std::size_t loops() const noexcept override { return 1; }
  [[nodiscard]] net::Loop& loop(std::size_t /*index*/) noexcept override { return loop_; }
  void record(std::size_t /*index*/, http::Recorder* recorder) noexcept override {
    record(recorder);
  }
  void count_in(std::size_t /*index*/, http::Counters& counters) noexcept override {
    count_in(counters);
  }
  [[nodiscard]] const http::Counters& counters(std::size_t /*index*/) const noexcept override {
    return *sessions_.h1.counters;
  }
  void measure() noexcept override { sessions_.h1.stopwatch = &stopwatch_; }

 private:
  friend class Connection;

  void on_accept(int fd, const Address& peer, net::Listener& from) noexcept override;
  void on_starved(int error) noexcept override;
  // Whether the peer may have one connection more; it is counted then, until leave().
  [[nodiscard]] bool may_enter(const Address& peer) noexcept;
  void leave(const Address& peer) noexcept { counts_->leave(peer); }
  // A new connection. Fails with kNoMemory, or with kOverloaded: its peer has too many.
  [[nodiscard]] Result<Connection*> enter(const http::Endpoints& ends) noexcept;
  void begin(Connection& connection, bool started) noexcept;
  void show_connections() noexcept;
  // When a connection that begins now has reached its age; zero: never.
  [[nodiscard]] std::chrono::nanoseconds next_age_due() noexcept;
  // True once in kLogPause. `due` is the message's own.
  [[nodiscard]] bool may_log(std::chrono::nanoseconds& due) noexcept;
  // REQUIRES: dead; nothing of it is on the stack.
  void destroy(Connection& connection) noexcept;

  net::Loop& loop_;
  Options options_;
  SteadyClock stopwatch_;  // The loop's clock stands still while an application computes.
  std::optional<edge::ProxyHeaders> proxy_headers_;
  Sessions sessions_;
  Slab<Segment> segments_;
  Slab<Connection::Buffers> buffers_;
  Slab<Connection> connections_;
  std::vector<std::unique_ptr<net::Listener>> listeners_;
  ClientCounts own_counts_;
  ClientCounts* counts_ = &own_counts_;
  std::chrono::nanoseconds starved_log_due_{0};
  std::chrono::nanoseconds refused_log_due_{0};
  std::uint32_t age_spread_ = 0;
  bool started_ = false;
  bool draining_ = false;
};

}  // namespace tercel::server
