#include "tercel/server/server.h"

#include <array>
#include <cerrno>
#include <string>
#include <utility>

#include "tercel/base/log.h"
#include "tercel/net/socket_address.h"

namespace tercel::server {

namespace {

// The limits of time that hold for single streams, where a connection has many.
Options with_times(Options options) {
  options.h2.body = options.timeouts.body;
  options.h2.write = options.timeouts.write;
  options.h2.queue = options.timeouts.queue;
  return options;
}

}  // namespace

Server::Server(net::Loop& loop, http::Handler& handler, const Options& options)
    : loop_{loop},
      options_{options},
      sessions_{handler, with_times(options)},
      own_counts_{options.connections_per_client_max} {
  sessions_.h1.set_default_fields(options.server_field, options.fixed_fields, options.date_field);
  sessions_.h1.admission.limit(options.requests_max, options.queued_max);
  if (options.proxies) sessions_.h1.amender = &proxy_headers_.emplace(*options.proxies);
}

Server::~Server() {
  close();
}

Result<void> Server::listen(net::ListenSocket socket) {
  net::Listener::Sink& sink = *this;
  listeners_.push_back(std::make_unique<net::Listener>(loop_, std::move(socket), sink));
  if (started_) return listeners_.back()->start();
  return {};
}

Result<void> Server::start() noexcept {
  started_ = true;
  for (const auto& listener : listeners_) {
    if (auto started = listener->start(); !started) return started;
  }
  return {};
}

void Server::on_accept(int fd, const Address& peer, net::Listener& from) noexcept {
  const Address local = net::local_address(loop_.syscalls(), fd);
  const http::Endpoints ends{
      .peer = peer, .local = local, .local_path = from.socket().path().c_str()};
  const Result<Connection*> entered = enter(ends);
  if (!entered) {
    loop_.syscalls().close(fd);
    if (entered.error() == Errc::kNoMemory) from.starve(ENOMEM);
    return;
  }
  Connection& connection = **entered;
  bool has_memory = true;  // Nothing else makes it fail, but for a handshake.
  if (!options_.tls) {
    has_memory = connection.start(fd);
    begin(connection, has_memory);
  } else if (auto stream = options_.tls->accept(loop_.syscalls(), fd)) {
    begin(connection, connection.start(std::move(stream)));
  } else {
    loop_.syscalls().close(fd);
    has_memory = false;
    begin(connection, has_memory);
  }
  if (!has_memory) from.starve(ENOMEM);
}

void Server::on_starved(int) noexcept {
  if (!may_log(starved_log_due_)) return;
  log(LogLevel::kWarning,
      "cannot accept: out of file descriptors or memory; raise the limit (ulimit -n)");
}

bool Server::may_enter(const Address& peer) noexcept {
  if (counts_->enter(peer)) return true;
  if (may_log(refused_log_due_)) {
    std::array<char, Address::kHostBytesMax> host;
    std::string text{"closed a connection from "};
    text += peer.host(host);
    text += ", which has as many as limit-connections-per-ip allows; closed so far: ";
    text += std::to_string(refused_connections());
    log(LogLevel::kWarning, text);
  }
  return false;
}

bool Server::may_log(std::chrono::nanoseconds& due) noexcept {
  if (loop_.now() < due) return false;
  due = loop_.now() + kLogPause;
  return true;
}

// Multiples of the golden ratio: however many connections come together, their ends are spread
// evenly.
std::chrono::nanoseconds Server::next_age_due() noexcept {
  const std::chrono::nanoseconds age = options_.timeouts.connection_age;
  if (age == std::chrono::nanoseconds{0}) return age;
  constexpr std::uint32_t kGoldenRatio = 0x9e3779b9;  // Of 2^32.
  age_spread_ += kGoldenRatio;
  constexpr int kSteps = 1 << 16;
  const auto step = static_cast<int>(age_spread_ >> 16);
  return loop_.now() + age - age / 10 / kSteps * step;
}

void Server::serve(std::unique_ptr<net::Stream> stream, const http::Endpoints& ends) noexcept {
  const Result<Connection*> entered = enter(ends);
  if (entered) begin(**entered, (*entered)->start(std::move(stream)));
}

Result<Connection*> Server::enter(const http::Endpoints& ends) noexcept {
  if (!may_enter(ends.peer)) return fail(Errc::kOverloaded);
  Connection* connection = connections_.make(*this, ends);
  http::Counters::add(sessions_.h1.counters->accepted, 1);
  show_connections();
  if (connection != nullptr) return connection;
  leave(ends.peer);
  return fail(Errc::kNoMemory);
}

void Server::show_connections() noexcept {
  sessions_.h1.counters->connections.store(connections(), std::memory_order_relaxed);
}

void Server::begin(Connection& connection, bool started) noexcept {
  if (!started) {
    leave(connection.endpoints().peer);
    destroy(connection);
    return;
  }
  if (draining_) connection.drain();
  if (options_.connections_max != 0 && connections() >= options_.connections_max) {
    for (const auto& listener : listeners_) listener->pause();
  }
}

void Server::destroy(Connection& connection) noexcept {
  connections_.destroy(&connection);
  show_connections();
  if (options_.connections_max != 0 && connections() + 1 == options_.connections_max) {
    for (const auto& listener : listeners_) listener->resume();
  }
}

void Server::drain() noexcept {
  draining_ = true;
  for (const auto& listener : listeners_) listener->close();
  connections_.for_each([](Connection& each) { each.drain(); });
}

void Server::notify_draining() noexcept {
  connections_.for_each([](Connection& each) { each.notify_draining(); });
}

bool Server::stop() noexcept {
  for (const auto& listener : listeners_) listener->close();
  return true;
}

void Server::close() noexcept {
  static_cast<void>(stop());
  while (Connection* connection = connections_.any()) {
    connection->kill();
    destroy(*connection);
  }
}

}  // namespace tercel::server
