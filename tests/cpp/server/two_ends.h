// Both ends of the handoff on one thread, each with its loop, turned by hand: a test decides which
// side moves next.
#pragma once

#include <fcntl.h>

#include <chrono>
#include <memory>
#include <string>
#include <utility>

#include <gtest/gtest.h>

#include "support/descriptors.h"
#include "support/failing_syscalls.h"
#include "support/manual_clock.h"
#include "tercel/net/socket_stream.h"
#include "tercel/server/handoff.h"
#include "tercel/server/server.h"

namespace tercel::test {

inline server::Options plain_options() {
  server::Options options;
  options.server_field = "";
  options.date_field = false;
  return options;
}

class TwoEnds {
 public:
  explicit TwoEnds(http::Handler& handler, const server::Options& options = plain_options())
      : app{*server::AppEnd::create(*app_loop, handler, options.limits.output_high_water_bytes)},
        io{*server::IoEnd::create(*io_loop, *app)},
        server{std::make_unique<server::Server>(*io_loop, *io, options)} {}
  ~TwoEnds() { close(); }

  // Ends everything, as it is done when no thread runs any more.
  void close() {
    app->refuse();
    server->close();
    io->flush();
    for (bool any = true; any;) {
      any = app->work_off();
      any |= io->work_off();
    }
    EXPECT_EQ(io->crossings(), 0U);
  }

  // A new connection; returns the client's end, which does not block.
  [[nodiscard]] Fd connect() {
    SocketPair pair = socket_pair();
    EXPECT_EQ(::fcntl(pair.peers.get(), F_SETFL, O_NONBLOCK), 0);
    server->serve(std::make_unique<net::SocketStream>(syscalls, pair.ours.release()), {});
    return std::move(pair.peers);
  }

  // One turn of a side. Returns whether there was anything for it.
  bool turn_io() {
    const auto events = io_loop->wait(std::chrono::nanoseconds{0});
    io_loop->dispatch();
    io->flush();
    return events && *events > 0;
  }
  bool turn_app() {
    const auto events = app_loop->wait(std::chrono::nanoseconds{0});
    app_loop->dispatch();
    return events && *events > 0;
  }
  // Turns both until nothing happens any more. Deferred work is no event: it takes a turn or two.
  void settle() {
    for (int turns = 0, quiet = 0; turns < 1000 && quiet < 4; ++turns) {
      const bool io_moved = turn_io();
      quiet = turn_app() || io_moved ? 0 : quiet + 1;
    }
  }
  void pass(std::chrono::nanoseconds time) {
    clock.advance(time);
    settle();
  }
  [[nodiscard]] std::string ask(const Fd& client, std::string_view request) {
    send_text(client, request);
    settle();
    return receive_all(client);
  }

  ManualClock clock;
  FailingSyscalls syscalls;
  std::unique_ptr<net::Loop> app_loop = *net::Loop::create(clock, syscalls);
  std::unique_ptr<net::Loop> io_loop = *net::Loop::create(clock, syscalls);
  std::unique_ptr<server::AppEnd> app;
  std::unique_ptr<server::IoEnd> io;
  std::unique_ptr<server::Server> server;
};

}  // namespace tercel::test
