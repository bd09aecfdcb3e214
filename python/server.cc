#include "python/server.h"

#include <cerrno>
#include <utility>

#include <nanobind/stl/pair.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/string_view.h>

#include "python/asgi/bind.h"
#include "python/errors.h"
#include "python/listen_sockets.h"
#include "python/metrics_sockets.h"
#include "python/server_options.h"
#include "python/traverse.h"
#include "tercel/http/h2_engine.h"
#include "tercel/net/socket_stream.h"
#include "tercel/server/server.h"

namespace nb = nanobind;

namespace tercel::python {
namespace {

Engine& engine_in(const nb::object& engine) {
  Gil gil = Gil::assume_held();
  Engine* found = engine_of(gil, engine.ptr());
  if (found == nullptr) throw_python_error();
  return *found;
}

Address address_in(const PyServer::PyAddress& address) {
  const auto& [host, port] = address;
  const auto parsed = parse_ip(host, port);
  if (!parsed) throw nb::value_error((host + " is not an IP address").c_str());
  return *parsed;
}

net::TlsContext read_certificates(const config::Settings& settings,
                                  const net::TlsTicketSecret& secret,
                                  std::vector<std::string>& warnings) {
  std::string problem;
  const net::TlsOptions options = to_tls_options(settings, secret);
  auto context = net::TlsContext::create(options, problem);
  if (!context) throw nb::value_error(("Cannot serve TLS: " + problem).c_str());
  warnings = context->warnings(options);
  return *std::move(context);
}

nb::list to_list(const std::vector<std::string>& texts) {
  nb::list all;
  for (const std::string& text : texts) all.append(text);
  return all;
}

void require_http2(const config::Settings& settings) {
  if (settings.http != config::HttpVersions::kHttp2 || http::h2_available()) return;
  throw nb::value_error(
      "http is 2, which needs the library nghttp2 (libnghttp2.so.14), and it cannot be loaded: "
      "install it, or choose auto.");
}

}  // namespace

PyServer::PyServer(const nb::object& engine, const nb::object& loop, const nb::object& app,
                   const PySettings& settings, const nb::object& state, const nb::object& context,
                   bool wsgi, PyShared* shared)
    : engine_object_{engine}, engine_{engine_in(engine)}, settings_{settings.values} {
  application_ =
      wsgi ? Application::wsgi(app, settings.values)
           : Application::asgi(engine_, loop, app, settings.values, state, context, shared);
  require_http2(settings.values);
  server::Options options = to_options(settings.values);
  if (secure()) {
    ticket_secret_ =
        shared != nullptr ? shared->ticket_secret() : net::TlsContext::new_ticket_secret();
    options.tls = read_certificates(settings.values, ticket_secret_, certificate_warnings_);
  }
  service_ = application_->serve(engine_, settings.values, options);
  if (shared != nullptr) share(*shared);
}

PyServer::~PyServer() {
  metrics_server_.reset();
  if (!service_->stop()) {
    // A thread that hangs, or that a child of fork() does not have, owns what it may touch.
    static_cast<void>(request_log_.release());
    static_cast<void>(service_.release());
    static_cast<void>(application_.release());
    static_cast<void>(engine_object_.release());
    return;
  }
  // Ends the requests, then their log, then the loops that it writes on.
  service_->close();
  request_log_.reset();
}

std::string PyServer::listen(std::string_view bind) {
  return add(open_sockets(settings_, bind));
}

std::string PyServer::adopt(int descriptor) {
  return add(adopt_socket(settings_, descriptor));
}

void PyServer::share(PyShared& shared) {
  for (std::size_t i = 0; i < service_->loops(); ++i) {
    if (http::Counters* counters = shared.counters(i)) service_->count_in(i, *counters);
  }
  for (const net::ListenSocket& socket : shared.sockets()) {
    or_throw(service_->listen(or_throw(socket.duplicate())));
  }
  statistics_ = &shared.statistics();
  std::vector<net::ListenSocket> metrics;
  for (const net::ListenSocket& socket : shared.metrics_sockets()) {
    metrics.push_back(or_throw(socket.duplicate()));
  }
  if (!metrics.empty()) show_metrics(std::move(metrics));
}

std::string PyServer::listen_metrics(std::string_view bind) {
  const config::Settings settings = of_metrics(settings_);
  std::vector<net::ListenSocket> sockets;
  std::string url = add_metrics(sockets, open_sockets(settings, bind), settings);
  show_metrics(std::move(sockets));
  return url;
}

void PyServer::show_metrics(std::vector<net::ListenSocket> sockets) {
  service_->measure();
  net::Loop& loop = engine_.loop();
  const edge::MetricsSource* const own = application_->metrics();
  metrics_server_ = statistics_ != nullptr
                        ? std::make_unique<server::MetricsServer>(loop, *statistics_, own)
                        : std::make_unique<server::MetricsServer>(loop, *service_, own);
  for (net::ListenSocket& socket : sockets) {
    or_throw(metrics_server_->server().listen(std::move(socket)));
  }
}

std::string PyServer::add(std::vector<net::ListenSocket> sockets) {
  const std::size_t first = service_->listeners();
  for (net::ListenSocket& socket : sockets) or_throw(service_->listen(std::move(socket)));
  return sockets.empty() ? std::string{} : url_of(service_->listener(first), settings_);
}

void PyServer::serve_socket(int descriptor, const PyAddress& client, const PyAddress& server,
                            bool secure) {
  net::Syscalls& calls = engine_.loop().syscalls();
  auto stream = std::make_unique<net::SocketStream>(calls, descriptor);
  server::Server* const alone = service_->alone();
  if (alone == nullptr) throw nb::value_error("the connections of this server live on I/O threads");
  http::Endpoints ends{.peer = address_in(client), .local = address_in(server)};
  // A reader expects a certificate, be it empty.
  if (secure) {
    ends.tls =
        TlsInfoRef{TlsInfo{.version = 0x0304, .server_certificate = SharedConst{std::string{}}}};
  }
  alone->serve(std::move(stream), ends);
}

nb::dict PyServer::numbers() const {
  server::Statistics::Numbers sum;
  for (std::size_t i = 0; i < service_->loops(); ++i) sum.add(service_->counters(i));
  return to_dict(sum);
}

nb::list PyServer::addresses() const {
  nb::list all;
  for (std::size_t i = 0; i < service_->listeners(); ++i) {
    all.append(address_of(service_->listener(i)));
  }
  return all;
}

void PyServer::log_requests(nb::object logger, PyShared* shared) {
  request_log_ =
      std::make_unique<RequestLog>(*service_, engine_.loop(), settings_, std::move(logger), shared,
                                   application_->hidden_parameters());
}

void PyServer::reopen_logs() {
  if (request_log_) request_log_->reopen();
  application_->reopen_logs();
}

void PyServer::reload_certificates() {
  if (!secure()) return;
  // Whoever takes up a session is not asked for a certificate again: one that is on the list by now
  // has to be.
  net::TlsTicketSecret secret = ticket_secret_;
  if (settings_.ssl_cert_reqs != config::CertReqs::kNone) {
    secret = net::TlsContext::new_ticket_secret();
  }
  service_->secure(read_certificates(settings_, secret, certificate_warnings_));
  ticket_secret_ = secret;
}

nb::list PyServer::certificate_warnings() const {
  return to_list(certificate_warnings_);
}

void PyServer::start() {
  or_throw(service_->start());
  if (metrics_server_ != nullptr) or_throw(metrics_server_->server().start());
}

void PyServer::drain(bool notify_streams) {
  service_->drain();
  if (drains_metrics()) metrics_server_->server().drain();
  if (notify_streams) service_->notify_draining();
}

void PyServer::close() {
  if (engine_.loop().dispatching()) {
    throw std::runtime_error("close() must not be called from within a request");
  }
  if (metrics_server_ != nullptr) metrics_server_->server().close();
  const bool stopped = stop();
  service_->close();
  application_->cancel_all();
  if (!stopped) return;
  if (request_log_ != nullptr) request_log_->flush();
  application_->flush_logs();
}

// Other threads of Python go on meanwhile.
bool PyServer::stop() {
  Gil gil = Gil::assume_held();
  const GilRelease released{gil};
  return service_->stop();
}

std::size_t PyServer::active() const noexcept {
  return application_->active(*service_);
}

std::size_t PyServer::scrapes() const noexcept {
  return drains_metrics() ? metrics_server_->server().connections() : 0;
}

// A worker shows the sum of all: after it another process does, of other counters after SIGUSR2.
bool PyServer::drains_metrics() const noexcept {
  return metrics_server_ != nullptr && statistics_ != nullptr;
}

int PyServer::traverse(visitproc visit, void* arg) const {
  Py_VISIT(engine_object_.ptr());
  return application_->traverse(visit, arg);
}

void bind_server(nb::module_& module);

void bind_server(nb::module_& module) {
  module.def(
      "check_needs",
      [](const PySettings& settings) {
        require_http2(settings.values);
        static_cast<void>(to_mounts(settings.values));
        std::vector<std::string> warnings;
        if (!settings.values.ssl_certfile.empty()) {
          static_cast<void>(read_certificates(settings.values, {}, warnings));
        }
        return to_list(warnings);
      },
      nb::arg("settings"), nb::sig("def check_needs(settings: Settings) -> list[str]"),
      "Reads the files of TLS, if there are any, looks for the folders of static files, and loads "
      "the libraries that the settings ask for. Raises ValueError with a sentence when one is not "
      "good. Returns what "
      "`Server.certificate_warnings` would be.");
  asgi::bind_asgi(module);
  nb::class_<PyServer>(module, "Server", nb::type_slots(traversed<PyServer>),
                       "One application, ASGI or WSGI, on the sockets of one engine.")
      .def(nb::init<const nb::object&, const nb::object&, const nb::object&, const PySettings&,
                    const nb::object&, const nb::object&, bool, PyShared*>(),
           nb::arg("engine"), nb::arg("loop"), nb::arg("app"), nb::arg("settings"),
           nb::arg("state").none(), nb::arg("context"), nb::arg("wsgi") = false,
           nb::arg("shared").none() = nb::none())
      .def("listen", &PyServer::listen, nb::arg("bind"),
           "Listens on an address, as the setting `bind` has it. Returns what to open. Raises "
           "OSError.")
      .def("adopt", &PyServer::adopt, nb::arg("descriptor"),
           "Takes over a listening socket. Returns what to open. Raises OSError.")
      .def(
          "serve_socket", &PyServer::serve_socket, nb::arg("descriptor"), nb::arg("client"),
          nb::arg("server"), nb::arg("secure"),
          "Serves a connected socket, which it takes over, as if it had been accepted from "
          "`client` "
          "at the address `server`, under TLS if `secure`. Raises ValueError when the settings ask "
          "for I/O threads.")
      .def_prop_ro("numbers", &PyServer::numbers, nb::sig("def numbers(self) -> dict[str, int]"),
                   "What it has counted: connections, requests, statuses.")
      .def_prop_ro("addresses", &PyServer::addresses,
                   nb::sig("def addresses(self) -> list[tuple[str, int] | str]"),
                   "Host and port of each TCP socket, the path of each Unix socket.")
      .def("log_requests", &PyServer::log_requests, nb::arg("logger").none(),
           nb::arg("shared").none() = nb::none(),
           nb::sig("def log_requests(self, logger: logging.Logger | None, "
                   "shared: Shared | None = None) -> None"),
           "Writes the access log, to the logger unless it is None, beside the other processes of "
           "`shared`. Raises OSError.")
      .def("reopen_logs", &PyServer::reopen_logs,
           "Opens the file of the access log again. If that fails the old one goes on.")
      .def("reload_certificates", &PyServer::reload_certificates,
           "Reads the files of TLS again, for connections to come. Raises ValueError, and keeps "
           "what "
           "it had, when they are not good.")
      .def_prop_ro("certificate_warnings", &PyServer::certificate_warnings,
                   nb::sig("def certificate_warnings(self) -> list[str]"),
                   "What of the files of TLS does not hold now, in sentences: certificates that "
                   "expired or are not valid yet, revocation lists out of date or of nobody's.")
      .def("listen_metrics", &PyServer::listen_metrics, nb::arg("bind"),
           "Shows metrics on an address once it has started. Returns what to open. Raises OSError.")
      .def("start", &PyServer::start, "Starts to accept. Raises OSError.")
      .def("drain", &PyServer::drain, nb::arg("notify_streams"),
           "Stops to accept; idle connections close soon. If `notify_streams`, requests that still "
           "run hear http.disconnect.")
      .def("close", &PyServer::close,
           "Cuts off every connection and cancels what still runs. Raises RuntimeError from within "
           "a request.")
      .def_prop_ro("active", &PyServer::active,
                   "Requests without a complete answer, and applications that work on after it.")
      .def_prop_ro("connections", &PyServer::connections, "Open connections.")
      .def_prop_ro(
          "scrapes", &PyServer::scrapes,
          "Open connections of those who ask for metrics, where drain() drains them, too.");
}

}  // namespace tercel::python
