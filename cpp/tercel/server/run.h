// Serves until the process is told to end: what a program does once it has a handler.
//
//   api::App app;
//   ...
//   const server::Exit exit = server::run(app, {.bind = {"127.0.0.1:8000"}});
//   if (!exit.problem.empty()) std::cerr << "things: " << exit.problem << '\n';
//   return exit.status;
//
// What belongs to a process as a whole is here, and in no layer below: its loop, and its signals
// (end_signals.h). SIGINT and SIGTERM end it: nothing more is accepted, requests under way get
// their time, what is left then is cut off. A second one cuts off at once, a third one ends the
// process as if nobody had asked for it. SIGPIPE is ignored meanwhile: OpenSSL and sendfile(2)
// write to sockets whose peer is gone.
//
// Names are not resolved: an address to listen on is one. Nothing is printed, and what the engine
// has to say while it serves goes to base/log.h. Thread: the handler is called on the one that
// calls run(), whatever the number of I/O threads. Source of the order at the end:
// ARCHITECTURE.md, "From `tercel serve` to the first request". Tested by run_test.cc.
#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "tercel/http/handler.h"
#include "tercel/net/listen_socket.h"
#include "tercel/net/loop.h"
#include "tercel/net/tls_context.h"
#include "tercel/server/options.h"

namespace tercel::server {

struct RunOptions {
  // Where to listen: "127.0.0.1:8000", "[::1]:8000", "unix:/run/app.sock", or "fd://3", a socket
  // that listens already. Port 0: any free one.
  std::vector<std::string> bind{"127.0.0.1:8000"};
  net::ListenOptions listen = {};
  // Where GET /metrics shows what is counted (metrics_server.h); empty: nowhere.
  std::string metrics_bind = {};
  // Limits and times. Without a number of connections it is what memory carries
  // (memory_budget.h).
  Options server = {};
  // With certificates, connections are TLS. `protocols` is set, by those of `server`.
  net::TlsOptions tls = {};
  // Sockets, TLS, parsing and writing on threads of their own; 0: on the handler's.
  std::size_t io_threads = 0;
  // From the first signal, for requests under way; and until they are told (Notice::kDraining).
  std::chrono::milliseconds grace{30'000};
  std::chrono::milliseconds stream_grace{5'000};
  // Called once requests are accepted, with what to open for each of `bind`:
  // "http://127.0.0.1:8000", "unix:/run/app.sock"; and last for `metrics_bind`, if there is one.
  std::function<void(std::span<const std::string> urls)> on_ready = {};
};

// A value.
struct Exit {
  // For main() to return, and the same numbers as those of `tercel serve`. 0: told to end; 1: what
  // is there (an address in use, no threads); 2: what was asked for (a certificate, a text that is
  // no address); 128 and the signal: told twice.
  int status = 0;
  // One sentence that says what to change; empty: it served until it was told to end.
  std::string problem;
};

// Blocks. REQUIRES: `handler` outlives it. One at a time in a process; a second one is a problem.
[[nodiscard]] Exit run(http::Handler& handler, const RunOptions& options = {});

// Makes a handler that needs the loop it is called on: for timers, or connections of its own. The
// handler is gone before the loop is. Null: there is none, and run() ends with a problem.
using HandlerMaker = std::function<std::unique_ptr<http::Handler>(net::Loop& loop)>;
[[nodiscard]] Exit run(const HandlerMaker& make, const RunOptions& options = {});

}  // namespace tercel::server
