#include "python/shared.h"

#include <sys/mman.h>

#include <functional>
#include <iterator>
#include <memory>
#include <new>
#include <utility>

#include <nanobind/stl/string.h>
#include <nanobind/stl/string_view.h>

#include "python/errors.h"
#include "python/listen_sockets.h"
#include "python/metrics_sockets.h"

namespace nb = nanobind;

namespace tercel::python {
namespace {

std::shared_ptr<PyShared::Gates> make_gates() {
  using Gates = PyShared::Gates;
  void* const memory =
      ::mmap(nullptr, sizeof(Gates), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) throw std::bad_alloc{};
  return {new (memory) Gates, [](Gates* gates) { ::munmap(gates, sizeof(Gates)); }};
}

}  // namespace

static_assert(asgi::Commons::kRoomBytes == server::Statistics::kRoomBytes);
static_assert(asgi::Commons::kRoomGaugesBytes == server::Statistics::kRoomGaugesBytes);

PyShared::PyShared(const PySettings& settings)
    : settings_{settings.values},
      statistics_{or_throw(server::Statistics::create())},
      gates_{make_gates()} {
  if (!settings_.ssl_certfile.empty()) renew_ticket_secret();
}

std::string PyShared::listen(std::string_view bind) {
  return add(open_sockets(settings_, bind));
}

std::string PyShared::adopt(int descriptor) {
  return add(adopt_socket(settings_, descriptor));
}

std::string PyShared::add(std::vector<net::ListenSocket> sockets) {
  std::string url = sockets.empty() ? std::string{} : url_of(sockets.front(), settings_);
  sockets_.insert(sockets_.end(), std::make_move_iterator(sockets.begin()),
                  std::make_move_iterator(sockets.end()));
  return url;
}

std::string PyShared::listen_metrics(std::string_view bind) {
  const config::Settings settings = of_metrics(settings_);
  return add_metrics(metrics_sockets_, open_sockets(settings, bind), settings);
}

std::string PyShared::adopt_metrics(int descriptor) {
  const config::Settings settings = of_metrics(settings_);
  return add_metrics(metrics_sockets_, adopt_socket(settings, descriptor), settings);
}

void PyShared::close() {
  sockets_.clear();
  metrics_sockets_.clear();
}

void PyShared::own_paths() {
  for (std::vector<net::ListenSocket>* const sockets : {&sockets_, &metrics_sockets_}) {
    for (net::ListenSocket& socket : *sockets) {
      if (!socket.path().empty()) socket.own_path();
    }
  }
}

void PyShared::leave_paths() {
  for (net::ListenSocket& socket : sockets_) socket.leave_path();
  for (net::ListenSocket& socket : metrics_sockets_) socket.leave_path();
}

nb::list PyShared::metrics_descriptors() const {
  nb::list all;
  for (const net::ListenSocket& socket : metrics_sockets_) all.append(socket.descriptor());
  return all;
}

nb::list PyShared::addresses() const {
  nb::list all;
  for (const net::ListenSocket& socket : sockets_) all.append(address_of(socket));
  return all;
}

nb::list PyShared::descriptors() const {
  nb::list all;
  for (const net::ListenSocket& socket : sockets_) all.append(socket.descriptor());
  return all;
}

void PyShared::retire(std::size_t of) noexcept {
  statistics_->retire(of, [this](const http::Counters* slot) {
    for (GateOfPath& each : *gates_) {
      each.gate.leave(slot);
      each.gate.leave(second_name(slot));
    }
  });
}

std::shared_ptr<edge::LineGate> PyShared::gate(std::string_view path) const noexcept {
  const std::size_t wanted = std::hash<std::string_view>{}(path) | 1;
  for (GateOfPath& each : *gates_) {
    std::size_t there = 0;
    if (each.path.compare_exchange_strong(there, wanted) || there == wanted) {
      return {gates_, &each.gate};
    }
  }
  return {gates_, &gates_->back().gate};  // So many paths share one.
}

void PyShared::renew_ticket_secret() {
  ticket_secret_ = net::TlsContext::new_ticket_secret();
}

nb::dict PyShared::numbers(std::size_t of) const {
  return to_dict(statistics_->of(of));
}

nb::dict PyShared::retired() const {
  return to_dict(statistics_->retired());
}

nb::dict to_dict(const server::Statistics::Numbers& numbers) {
  nb::dict all;
  all["connections"] = numbers.connections;
  all["active"] = numbers.active;
  all["waiting"] = numbers.waiting;
  all["accepted"] = numbers.accepted;
  all["requests"] = numbers.requests;
  constexpr const char* kStatuses[] = {"no_status",  "status_1xx", "status_2xx",
                                       "status_3xx", "status_4xx", "status_5xx"};
  for (std::size_t i = 0; i < std::size(kStatuses); ++i) all[kStatuses[i]] = numbers.status(i);
  all["aborted"] = numbers.aborted;
  all["peer_gone"] = numbers.peer_gone;
  all["body_bytes"] = numbers.body_bytes;
  return all;
}

void bind_shared(nb::module_& module);

void bind_shared(nb::module_& module) {
  nb::class_<PyShared>(module, "Shared",
                       "What the processes of one server have in common: sockets, the secret of "
                       "TLS tickets, statistics, the gates of their access logs. Made before "
                       "the fork.")
      .def(nb::init<const PySettings&>(), nb::arg("settings"))
      .def("listen", &PyShared::listen, nb::arg("bind"),
           "Listens on an address, as the setting `bind` has it. Returns what to open. Raises "
           "OSError.")
      .def("adopt", &PyShared::adopt, nb::arg("descriptor"),
           "Takes over a listening socket. Returns what to open. Raises OSError.")
      .def("listen_metrics", &PyShared::listen_metrics, nb::arg("bind"),
           "Listens on an address of metrics. Returns what to open. Raises OSError.")
      .def("adopt_metrics", &PyShared::adopt_metrics, nb::arg("descriptor"),
           "Takes over a listening socket of metrics. Returns what to open. Raises OSError.")
      .def_prop_ro("metrics_descriptors", &PyShared::metrics_descriptors,
                   nb::sig("def metrics_descriptors(self) -> list[int]"),
                   "Of each socket of metrics.")
      .def("close", &PyShared::close, "Stops listening, unless another process has the sockets.")
      .def("own_paths", &PyShared::own_paths,
           "Takes over the paths of Unix sockets that another process opened.")
      .def("leave_paths", &PyShared::leave_paths,
           "Leaves the paths of Unix sockets to another process that has the sockets.")
      .def("renew_ticket_secret", &PyShared::renew_ticket_secret,
           "Makes TLS tickets of before worthless.")
      .def_rw("place", &PyShared::place,
              "Where the process that is forked next counts: a small number that no other has.")
      .def("retire", &PyShared::retire, nb::arg("place"), "The process of that place has ended.")
      .def("numbers", &PyShared::numbers, nb::arg("place"),
           nb::sig("def numbers(self, place: int) -> dict[str, int]"),
           "What the process of that place has counted.")
      .def_prop_ro("retired", &PyShared::retired, nb::sig("def retired(self) -> dict[str, int]"),
                   "What those have counted that have ended.")
      .def_prop_ro("addresses", &PyShared::addresses,
                   nb::sig("def addresses(self) -> list[tuple[str, int] | str]"),
                   "Host and port of each TCP socket, the path of each Unix socket.")
      .def_prop_ro("descriptors", &PyShared::descriptors,
                   nb::sig("def descriptors(self) -> list[int]"), "Of each socket.");
}

}  // namespace tercel::python
