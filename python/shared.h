// tercel._core.Shared: what the processes of one server have in common: sockets, the secret of TLS
// tickets, statistics, the gates of their access logs. The supervisor makes it before it forks, and
// each worker's Server takes it from there.
//
// Resource: the sockets are closed with the last process that has them; the path of a Unix socket
// is the maker's to remove. Thread: one. Tested by test_workers.py.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <nanobind/nanobind.h>

#include "python/asgi/door.h"
#include "python/settings.h"
#include "tercel/edge/line_gate.h"
#include "tercel/net/listen_socket.h"
#include "tercel/net/tls_context.h"
#include "tercel/server/statistics.h"

namespace tercel::python {

class PyShared final : public asgi::Commons {
 public:
  explicit PyShared(const PySettings& settings);
  PyShared(const PyShared&) = delete;
  PyShared& operator=(const PyShared&) = delete;
  ~PyShared() = default;

  // As open_sockets() and adopt_socket(). Both return what to open.
  std::string listen(std::string_view bind);
  std::string adopt(int descriptor);
  // Stops listening. What waits in the backlog is lost, unless another process has the sockets.
  void close();
  // The paths of Unix sockets are this process's to remove, whoever made them; or not any more:
  // they are those of a process that goes on when this one ends.
  void own_paths();
  void leave_paths();

  [[nodiscard]] nanobind::list addresses() const;
  [[nodiscard]] nanobind::list descriptors() const;

  [[nodiscard]] const std::vector<net::ListenSocket>& sockets() const noexcept { return sockets_; }
  // Whoever resumes a session at another process than it began with must be known there.
  [[nodiscard]] const net::TlsTicketSecret& ticket_secret() const noexcept {
    return ticket_secret_;
  }
  // --- metrics
  // The same on an address of metrics.
  std::string listen_metrics(std::string_view bind);
  std::string adopt_metrics(int descriptor);
  [[nodiscard]] nanobind::list metrics_descriptors() const;
  [[nodiscard]] const std::vector<net::ListenSocket>& metrics_sockets() const noexcept {
    return metrics_sockets_;
  }
  [[nodiscard]] const server::Statistics& statistics() const noexcept { return *statistics_; }
  [[nodiscard]] void* room(std::size_t loop) noexcept override {
    return statistics_->room(place, loop);
  }
  void see_rooms(void (*see)(void* self, const void* room), void* self) const override {
    statistics_->for_each_room([=](const void* room) { see(self, room); });
  }

  // --- statistics
  // Where the process that is forked next counts: a small number that no other process has now.
  std::size_t place = 0;
  // Null where there are too many.
  [[nodiscard]] http::Counters* counters(std::size_t loop) noexcept {
    return statistics_->slot(place, loop);
  }
  // The process of that place has ended.
  void retire(std::size_t of) noexcept;
  // What it has counted; and what those counted that have ended.
  [[nodiscard]] nanobind::dict numbers(std::size_t of) const;
  [[nodiscard]] nanobind::dict retired() const;

  // --- access logs
  struct GateOfPath {
    std::atomic<std::size_t> path{0};  // Its hash; 0: of none yet.
    edge::LineGate gate;
  };
  using Gates = std::array<GateOfPath, 16>;
  // Keeps the lines of all processes apart that write to `path`. Another path has its own gate:
  // after SIGHUP with one, an old worker may stand in the middle of a line for long. A loop is
  // known there by its counters.
  [[nodiscard]] std::shared_ptr<edge::LineGate> gate(std::string_view path) const noexcept override;
  [[nodiscard]] const void* name(std::size_t loop) noexcept override {
    const http::Counters* const slot = counters(loop);
    return slot != nullptr ? second_name(slot) : nullptr;
  }

  // From here on: a client that is on a revocation list by now has to show its certificate again.
  void renew_ticket_secret();

 private:
  std::string add(std::vector<net::ListenSocket> sockets);
  // A loop may write two logs to the same place.
  static const void* second_name(const http::Counters* slot) noexcept {
    return reinterpret_cast<const char*>(slot) + 1;
  }

  config::Settings settings_;
  std::vector<net::ListenSocket> sockets_;
  std::vector<net::ListenSocket> metrics_sockets_;
  net::TlsTicketSecret ticket_secret_{};
  std::unique_ptr<server::Statistics> statistics_;
  std::shared_ptr<Gates> gates_;  // In memory that all share.
};

// By name, as Python has them.
[[nodiscard]] nanobind::dict to_dict(const server::Statistics::Numbers& numbers);

}  // namespace tercel::python
