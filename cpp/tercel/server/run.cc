#include "tercel/server/run.h"

#include <algorithm>
#include <memory>
#include <optional>
#include <utility>

#include "tercel/base/clock.h"
#include "tercel/base/log.h"
#include "tercel/config/bind.h"
#include "tercel/config/problem.h"
#include "tercel/net/loop.h"
#include "tercel/net/syscalls.h"
#include "tercel/server/end_signals.h"
#include "tercel/server/memory_budget.h"
#include "tercel/server/metrics_server.h"
#include "tercel/server/service.h"

namespace tercel::server {
namespace {

using std::chrono::milliseconds;
using std::chrono::nanoseconds;

// How often a server that ends looks whether it is done: I/O threads do not say so.
constexpr milliseconds kLook{20};

Exit cannot(std::string what) {
  return {.status = 1, .problem = std::move(what)};
}
Exit cannot(std::string_view what, Errc error) {
  return cannot(std::string{what} + ": " + std::string{info(error).text} + ".");
}
Exit refused(std::string what) {
  return {.status = 2, .problem = std::move(what)};
}

std::string_view advice(const config::Bind& bind, Errc error) noexcept {
  const bool is_path = bind.kind == config::BindKind::kUnix;
  switch (error) {
    case Errc::kAddressInUse:
      return is_path ? "something else is there: stop who listens there, or choose another path"
                     : "another process listens there: stop it, or choose another address";
    case Errc::kAddressInvalid:
      if (bind.kind == config::BindKind::kDescriptor) return "it is not a socket that listens";
      return is_path ? "its path cannot be used: choose another one"
                     : "this machine has no such address: choose one that it has";
    case Errc::kPermission:
      return is_path ? "the system does not permit it: choose a path that this user may write"
                     : "the system does not permit it: choose a port from 1024 up, or another "
                       "address";
    default:
      return info(error).text;
  }
}

Result<net::ListenSocket> open(const config::Bind& bind, const net::ListenOptions& options) {
  switch (bind.kind) {
    case config::BindKind::kUnix:
      return net::ListenSocket::unix_path(net::system_calls(), bind.path, options);
    case config::BindKind::kDescriptor:
      return net::ListenSocket::adopt(net::system_calls(), bind.descriptor, options);
    case config::BindKind::kTcp:
      break;
  }
  return net::ListenSocket::tcp(net::system_calls(), bind.host, bind.port, options);
}

// Adds a socket that listens on `text`, or says why not.
std::optional<Exit> open_one(const std::string& text, const net::ListenOptions& options,
                             std::vector<net::ListenSocket>& sockets) {
  const std::string what = "Cannot listen on " + config::in_quotes(text) + ": ";
  const auto bind = config::parse_bind(text);
  if (!bind) {
    return refused(what + "write an address like 127.0.0.1:8000, [::1]:8000 or unix:/run/a.sock.");
  }
  if (bind->kind == config::BindKind::kTcp && !parse_ip(bind->host, bind->port)) {
    return refused(what + "names are not looked up: write the IP address.");
  }
  auto socket = open(*bind, options);
  if (!socket) return cannot(what + std::string{advice(*bind, socket.error())} + ".");
  sockets.push_back(*std::move(socket));
  return std::nullopt;
}

// The sockets, that of metrics last, or why not.
std::optional<Exit> open_all(const RunOptions& options, std::vector<net::ListenSocket>& sockets) {
  if (options.bind.empty()) return refused("There is no address to listen on: name one.");
  for (const std::string& text : options.bind) {
    if (auto exit = open_one(text, options.listen, sockets)) return exit;
  }
  if (options.metrics_bind.empty()) return std::nullopt;
  return open_one(options.metrics_bind, options.listen, sockets);
}

// Options as the server takes them, or why not.
std::optional<Exit> complete(const RunOptions& given, Options& options) {
  options = given.server;
  if (options.connections_max == 0) options.connections_max = connections_for(available_memory());
  if (given.tls.certificates.empty()) return std::nullopt;
  net::TlsOptions tls = given.tls;
  tls.protocols = alpn_protocols(options.protocols);
  std::string problem;
  options.tls = net::TlsContext::create(tls, problem);
  if (!options.tls) return refused(std::move(problem));
  for (const std::string& sentence : options.tls->warnings(tls)) {
    log(LogLevel::kWarning, sentence);
  }
  return std::nullopt;
}

// One server from its start to its end. Resource.
class Runner {
 public:
  Runner(net::Loop& loop, Service& service, const EndSignals& signals) noexcept
      : loop_{loop}, service_{service}, signals_{signals} {}

  // Until it is told to end, and the requests under way are over or out of time.
  Result<void> serve(milliseconds stream_grace, milliseconds grace) {
    while (signals_.count() == 0) {
      if (auto turned = turn(nanoseconds{-1}); !turned) return turned;
    }
    const nanoseconds begin = loop_.now();
    service_.drain();
    auto over = wait_until(begin + std::min(stream_grace, grace));
    if (over && !*over) {
      service_.notify_draining();
      over = wait_until(begin + grace);
    }
    if (!over) return fail(over.error());
    if (const std::size_t left = service_.active(); left != 0) {
      log(LogLevel::kWarning, "Cutting off " + std::to_string(left) + " request(s).");
    }
    return {};
  }

 private:
  Result<void> turn(nanoseconds timeout) noexcept {
    if (auto ready = loop_.wait(timeout); !ready) return fail(ready.error());
    loop_.dispatch();
    return {};
  }

  // True: nothing is open any more, or somebody insists.
  Result<bool> wait_until(nanoseconds end) noexcept {
    while (signals_.count() < 2 && (service_.active() != 0 || service_.connections() != 0)) {
      if (loop_.now() >= end) return false;
      if (auto turned = turn(kLook); !turned) return fail(turned.error());
    }
    return true;
  }

  net::Loop& loop_;
  Service& service_;
  const EndSignals& signals_;
};

Exit serve(net::Loop& loop, Service& service, Server* metrics, const RunOptions& options,
           std::span<const std::string> urls) {
  const EndSignals signals{loop};
  if (!signals.installed()) return cannot("Another server of this process has its signals.");
  if (auto started = service.start(); !started) return cannot("Cannot start", started.error());
  if (metrics != nullptr) {
    if (auto started = metrics->start(); !started) return cannot("Cannot start", started.error());
  }
  if (options.on_ready) options.on_ready(urls);
  const auto served = Runner{loop, service, signals}.serve(options.stream_grace, options.grace);
  if (!served) return cannot("The event loop failed", served.error());
  if (metrics != nullptr) metrics->close();
  // Handlers are called while it closes, with the signals still here.
  if (service.stop()) service.close();
  return {.status = signals.count() > 1 ? 128 + signals.last() : 0, .problem = {}};
}

// As run(): the handler is what `make` returns, which `owned` keeps if it is run()'s to end.
template <typename Make>
Exit run_with(const Make& make, const RunOptions& options) {
  // A file that is missing is known before a port is taken.
  Options complete_options;
  if (auto exit = complete(options, complete_options)) return *std::move(exit);
  std::vector<net::ListenSocket> sockets;
  if (auto exit = open_all(options, sockets)) return *std::move(exit);
  auto clock = std::make_unique<const SteadyClock>();
  auto loop = net::Loop::create(*clock, net::system_calls());
  if (!loop) return cannot("Cannot make an event loop", loop.error());
  std::unique_ptr<http::Handler> owned;
  http::Handler* const handler = make(**loop, owned);
  if (handler == nullptr) return cannot("The handler was not made.");
  auto service = Service::create(**loop, *handler, complete_options, options.io_threads);
  if (!service) return cannot("Cannot make a server", service.error());
  std::vector<std::string> urls;
  std::optional<MetricsServer> metrics;
  std::optional<net::ListenSocket> metrics_socket;
  if (!options.metrics_bind.empty()) {
    metrics_socket = std::move(sockets.back());
    sockets.pop_back();
    (*service)->measure();
    metrics.emplace(**loop, **service, nullptr);
  }
  for (net::ListenSocket& socket : sockets) {
    urls.push_back(socket.url(complete_options.tls ? "https" : "http"));
    if (auto listening = (*service)->listen(std::move(socket)); !listening) {
      return cannot("Cannot accept", listening.error());
    }
  }
  if (metrics) {
    urls.push_back(metrics_socket->url("http"));
    if (auto listening = metrics->server().listen(*std::move(metrics_socket)); !listening) {
      return cannot("Cannot accept", listening.error());
    }
  }
  Exit exit = serve(**loop, **service, metrics ? &metrics->server() : nullptr, options, urls);
  // A thread that hangs in the system may touch them at any time.
  if (!(*service)->stop()) {
    static_cast<void>(owned.release());
    static_cast<void>(loop->release());
    static_cast<void>(clock.release());
  }
  return exit;
}

}  // namespace

Exit run(http::Handler& handler, const RunOptions& options) {
  return run_with([&](net::Loop&, std::unique_ptr<http::Handler>&) { return &handler; }, options);
}

Exit run(const HandlerMaker& make, const RunOptions& options) {
  return run_with(
      [&](net::Loop& loop, std::unique_ptr<http::Handler>& owned) {
        owned = make(loop);
        return owned.get();
      },
      options);
}

}  // namespace tercel::server
