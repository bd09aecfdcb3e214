// tercel._core.Server: one application on the sockets of one engine, or of I/O threads before it.
//
// The mechanics only. What a server does from start to end (lifespan, signals, the order of a
// drain) is Python: tercel.server. I/O threads never touch the interpreter: whatever they have for
// it comes through the engine's loop. Resource: keeps its engine, loop and application; cuts off
// what is open when destroyed. Thread: the loop's. Tested by test_server_object.py,
// test_process.py, test_asgi_dispatch.py, test_io_threads.py.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <nanobind/nanobind.h>

#include "python/application.h"
#include "python/engine.h"
#include "python/request_log.h"
#include "python/settings.h"
#include "python/shared.h"
#include "tercel/server/metrics_server.h"
#include "tercel/server/service.h"

namespace tercel::python {

class PyServer {
 public:
  // Host and port, as Python has them.
  using PyAddress = std::pair<std::string, std::uint16_t>;

  // `state` is the lifespan's dict or None; `context` the contextvars.Context that requests inherit
  // from: both for ASGI only. Throws TypeError, ValueError when a setting asks for what this Python
  // does not offer, or OSError when there are not enough descriptors for the threads.
  PyServer(const nanobind::object& engine, const nanobind::object& loop,
           const nanobind::object& app, const PySettings& settings, const nanobind::object& state,
           const nanobind::object& context, bool wsgi, PyShared* shared);
  PyServer(const PyServer&) = delete;
  PyServer& operator=(const PyServer&) = delete;
  ~PyServer();

  // Both return what to open (listen_sockets.h), and throw OSError. `bind` is written as in the
  // setting of that name.
  std::string listen(std::string_view bind);
  // Takes over the descriptor of a listening socket.
  std::string adopt(int descriptor);
  // Serves the descriptor of a connected socket, which it takes over, as if it had been accepted
  // from `client` at the address `server`, under TLS if `secure`. Throws ValueError where I/O
  // threads have the connections, or for what is no IP address.
  void serve_socket(int descriptor, const PyAddress& client, const PyAddress& server, bool secure);
  // What it has counted so far, by name.
  [[nodiscard]] nanobind::dict numbers() const;
  // (host, port) of each TCP socket, the path of each Unix socket.
  [[nodiscard]] nanobind::list addresses() const;

  // Shows metrics there from start() on. Returns what to open. Throws OSError. REQUIRES: not
  // started; once at most.
  std::string listen_metrics(std::string_view bind);

  // Writes the access log that the settings ask for, to `logger` unless it is None. What has lines
  // of other processes too is shared through `shared`. Throws OSError. REQUIRES: called before
  // start(), once at most.
  void log_requests(nanobind::object logger, PyShared* shared);
  // Opens the file of the access log again, if it is a file.
  void reopen_logs();

  // Reads the files of TLS again, for connections to come. Throws ValueError, whose text says what
  // to change, and keeps what it has, when they are not good.
  void reload_certificates();
  // What of those files does not hold now, in sentences: certificates that expired, for one.
  [[nodiscard]] nanobind::list certificate_warnings() const;
  void start();
  // Stops accepting; idle connections close soon. If `notify_streams`, requests that still run hear
  // http.disconnect.
  void drain(bool notify_streams);
  // Ends the threads, waiting for them without the interpreter's lock; cuts off every connection
  // and cancels what still runs. May be called twice.
  void close();

  // Requests that are not answered yet, and applications that work on after their answer.
  [[nodiscard]] std::size_t active() const noexcept;
  [[nodiscard]] std::size_t connections() const noexcept { return service_->connections(); }
  // Of those who ask for metrics, where they are drained, too.
  [[nodiscard]] std::size_t scrapes() const noexcept;

  int traverse(visitproc visit, void* arg) const;

 private:
  std::string add(std::vector<net::ListenSocket> sockets);
  void share(PyShared& shared);
  [[nodiscard]] bool stop();
  // Makes what shows metrics, and has them measured. The sockets are for it.
  void show_metrics(std::vector<net::ListenSocket> sockets);
  [[nodiscard]] bool drains_metrics() const noexcept;
  [[nodiscard]] bool secure() const noexcept { return !settings_.ssl_certfile.empty(); }

  nanobind::object engine_object_;
  Engine& engine_;
  config::Settings settings_;
  net::TlsTicketSecret ticket_secret_{};
  std::vector<std::string> certificate_warnings_;
  std::unique_ptr<Application> application_;
  std::unique_ptr<server::Service> service_;
  std::unique_ptr<RequestLog> request_log_;
  const server::Statistics* statistics_ = nullptr;  // Of all processes; null: there is one.
  std::unique_ptr<server::MetricsServer> metrics_server_;
};

}  // namespace tercel::python
