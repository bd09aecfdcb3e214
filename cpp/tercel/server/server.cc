#include "tercel/server/server.h"

#include <utility>

#include "tercel/base/log.h"
#include "tercel/net/socket_address.h"

namespace tercel::server {

Server::Server(net::Loop& loop, http::Handler& handler, const Options& options)
    : loop_{loop}, options_{options}, context_{handler, options.limits} {
  context_.set_default_fields(options.server_field, options.fixed_fields, options.date_field);
  context_.admission.limit(options.requests_max, options.queued_max);
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

void Server::on_accept(std::unique_ptr<net::Stream> stream, const Address& peer,
                       net::Listener& from) noexcept {
  const Address local = net::local_address(loop_.syscalls(), stream->descriptor());
  serve(std::move(stream),
        {.peer = peer, .local = local, .local_path = from.socket().path().c_str()});
}

void Server::on_starved(int) noexcept {
  if (loop_.now() < starved_log_due_) return;
  starved_log_due_ = loop_.now() + kStarvedLogPause;
  log(LogLevel::kWarning,
      "cannot accept: out of file descriptors or memory; raise the limit (ulimit -n)");
}

void Server::serve(std::unique_ptr<net::Stream> stream, const http::Endpoints& ends) noexcept {
  Connection* connection = connections_.make(*this, std::move(stream), ends);
  if (connection == nullptr) return;  // Out of memory: the stream is closed.
  link(*connection);
  if (!connection->start()) {
    destroy(*connection);
    return;
  }
  if (draining_) connection->drain();
  if (options_.connections_max != 0 && connections() >= options_.connections_max) {
    for (const auto& listener : listeners_) listener->pause();
  }
}

void Server::link(Connection& connection) noexcept {
  connection.next_ = first_;
  if (first_ != nullptr) first_->prev_ = &connection;
  first_ = &connection;
}

void Server::unlink(Connection& connection) noexcept {
  (connection.prev_ != nullptr ? connection.prev_->next_ : first_) = connection.next_;
  if (connection.next_ != nullptr) connection.next_->prev_ = connection.prev_;
}

void Server::destroy(Connection& connection) noexcept {
  unlink(connection);
  connections_.destroy(&connection);
  if (options_.connections_max != 0 && connections() + 1 == options_.connections_max) {
    for (const auto& listener : listeners_) listener->resume();
  }
}

void Server::drain() noexcept {
  draining_ = true;
  for (const auto& listener : listeners_) listener->close();
  for (Connection* each = first_; each != nullptr; each = each->next_) each->drain();
}

void Server::notify_draining() noexcept {
  for (Connection* each = first_; each != nullptr; each = each->next_) each->notify_draining();
}

void Server::close() noexcept {
  for (const auto& listener : listeners_) listener->close();
  while (first_ != nullptr) {
    first_->kill();
    destroy(*first_);
  }
}

}  // namespace tercel::server
