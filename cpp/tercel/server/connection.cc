#include "tercel/server/connection.h"

#include <ctime>
#include <utility>

#include "tercel/server/server.h"

namespace tercel::server {
using std::chrono::nanoseconds;

Connection::Connection(Server& server, const http::Endpoints& ends) noexcept
    : server_{server},
      ends_{ends},
      limits_{server.options_.timeouts, server.next_age_due(), server.loop_.now()} {}

Connection::~Connection() {
  if (buffers_ != nullptr) server_.buffers_.destroy(std::exchange(buffers_, nullptr));
}

bool Connection::start(int fd) noexcept {
  stream_.open(server_.loop_.syscalls(), fd);
  return watch();
}

bool Connection::start(std::unique_ptr<net::Stream> stream) noexcept {
  stream_.open(std::move(stream));
  handshaking_ = true;
  static_cast<void>(limits_.enter(http::Phase::kHandshake, times(), now()));
  ++steps_;  // One that fails here is ended by the caller.
  static_cast<void>(shake_hands());
  --steps_;
  if (broken_ || !watch()) return false;
  // A handshake that is over already may have taken in a request, of which no event will tell.
  if (!handshaking_) server_.loop_.defer(*this);
  return true;
}

bool Connection::watch() noexcept {
  const int fd = stream_->descriptor();
  if (fd >= 0) {
    const Result<net::WatchId> watch = server_.loop_.watch(
        fd, net::kReadable | net::kWritable | net::kPeerClosed, net::Trigger::kEdge, *this);
    if (!watch) return false;
    watch_ = *watch;
  }
  arm();
  return true;
}

void Connection::drain() noexcept {
  if (dead_) return;
  limits_.drain(times(), now());
  begin_step();
  session_.drain();
  end_step();
}

void Connection::notify_draining() noexcept {
  if (dead_) return;
  begin_step();
  session_.notify_draining();
  end_step();
}

// --- events

bool Connection::shake_hands() noexcept {
  switch (stream_->handshake()) {
    case net::IoState::kDone:
      handshaking_ = false;
      // What came with the last flight is in the stream: no event tells of it.
      reader_.look_again();
      // Whoever brought the stream may know more than it does.
      if (TlsInfoRef tls = stream_->tls()) ends_.tls = std::move(tls);
      static_cast<void>(limits_.enter(http::Phase::kIdle, times(), now()));
      return true;
    case net::IoState::kAgain:
      return false;
    case net::IoState::kEnd:
    case net::IoState::kFailed:
    case net::IoState::kRefused:
      break;
  }
  const int plain = stream_->release_plain();
  if (plain >= 0) {
    refuse_plain(plain);
  } else {
    broke(Errc::kReset);
  }
  return false;
}

// It is a plain connection from here on, with the same descriptor and so the same watch.
void Connection::refuse_plain(int fd) noexcept {
  stream_.open(server_.loop_.syscalls(), fd);
  handshaking_ = false;
  reader_.look_again();  // What the handshake left of the request is to be read before the close.
  session_.refuse(*this, server_.sessions_, Errc::kPlainHttp);
}

void Connection::on_ready(std::uint32_t readiness) noexcept {
  if (dead_) return;
  begin_step();
  blocked_ = false;  // Whatever the event: a stream may have to read before it can write.
  if ((readiness & net::kError) != 0) {
    broke(Errc::kReset);
  } else {
    // A peer that hung up waits for no answer; but what it sent before is there, and counts.
    hung_up_ = (readiness & net::kHangup) != 0;
    const bool fin_seen = reader_.fin_seen();
    bool look = reader_.on_ready(readiness, *stream_);
    if (reader_.fin_seen() && !fin_seen) limits_.input_finished(times(), now());
    if (handshaking_) look = shake_hands();
    if (look) session_.on_input(*this, server_.sessions_);
    if (hung_up_) broke(Errc::kReset);
    if ((readiness & net::kWritable) != 0) flush();
  }
  end_step();
}

void Connection::run_deferred() noexcept {
  if (dead_) {
    server_.destroy(*this);
    return;
  }
  begin_step();
  reader_.begin_turn();
  if (relieved_) {
    relieved_ = false;
    session_.on_sent();
  }
  if (!handshaking_) session_.on_input(*this, server_.sessions_);
  end_step();
}

void Connection::on_timer() noexcept {
  if (dead_) return;
  const nanoseconds limit = due();
  if (limit != nanoseconds{0} && limit <= now()) {
    begin_step();
    expire();
    end_step();
  } else {
    arm();
  }
}

void Connection::end_step() noexcept {
  if (--steps_ > 0 || dead_) return;
  settle_input();
  flush();
  if (closing_ && !broken_ && unsent_bytes() == 0) finish_closing();
  if (broken_) {
    die(error_);
    return;
  }
  drop_idle_buffers();
  arm();
}

// --- phases and limits

void Connection::enter(http::Phase phase) noexcept {
  if (!limits_.enter(phase, times(), now())) return;
  if (steps_ > 0) return;  // Its end does the rest.
  arm();
  if (phase == http::Phase::kIdle) {
    const bool unread = buffers_ != nullptr && !buffers_->input.empty();
    if (unread || reader_.readable()) server_.loop_.defer(*this);
  }
}

nanoseconds Connection::write_due() const noexcept {
  return buffers_ != nullptr ? buffers_->write_limit.due() : nanoseconds{0};
}

nanoseconds Connection::request_due() const noexcept {
  const nanoseconds limit = times().request;
  if (limit == nanoseconds{0}) return limit;
  const nanoseconds since = session_.waiting_since();
  return since == nanoseconds{0} ? since : since + limit;
}

nanoseconds Connection::due() noexcept {
  return earlier(
      earlier(earlier(limits_.phase_due(), write_due()), earlier(request_due(), limits_.age_due())),
      tick_due());
}

// The session's own limits are looked at about once a second.
nanoseconds Connection::tick_due() noexcept {
  return session_.tick_due(limits_.phase(), now());
}

void Connection::arm() noexcept {
  const nanoseconds limit = due();
  if (limit != nanoseconds{0}) server_.loop_.timers().arm_by(*this, limit);
}

void Connection::expire() noexcept {
  const auto past = [this](nanoseconds limit) { return limit != nanoseconds{0} && limit <= now(); };
  if (past(write_due())) {
    if (closing_) {
      broke(Errc::kWriteTimeout);
    } else {
      session_.on_timeout(*this, server_.sessions_, Errc::kWriteTimeout);
    }
  } else if (past(request_due())) {
    session_.on_timeout(*this, server_.sessions_, Errc::kRequestTimeout);
  } else if (past(limits_.phase_due())) {
    expire_phase();
  } else if (past(limits_.age_due())) {
    limits_.end_age();
    drain();
  } else if (past(tick_due())) {
    session_.on_tick(now());
  }
}

void Connection::expire_phase() noexcept {
  switch (limits_.phase()) {
    case http::Phase::kHandshake:
      broke(Errc::kReset);
      break;
    case http::Phase::kIdle:
      session_.on_timeout(*this, server_.sessions_, Errc::kIdleTimeout);
      break;
    case http::Phase::kHead:
      session_.on_timeout(*this, server_.sessions_, Errc::kHeadTimeout);
      break;
    case http::Phase::kBody:
      session_.on_timeout(*this, server_.sessions_, Errc::kBodyTimeout);
      break;
    case http::Phase::kQueued:
      session_.on_timeout(*this, server_.sessions_, Errc::kOverloaded);
      break;
    case http::Phase::kHandler:
      limits_.told_of_input();
      session_.on_input_closed();
      break;
    case http::Phase::kTunnel:
      break;
    case http::Phase::kClosing:
      broke(Errc::kClosed);
      break;
  }
}

// --- ends

void Connection::revisit() noexcept {
  if (!dead_) server_.loop_.defer(*this);
}

void Connection::close_after_send() noexcept {
  closing_ = true;
  if (steps_ == 0) server_.loop_.defer(*this);
}

void Connection::reset() noexcept {
  if (dead_) return;
  if (!is_copy()) stream_->reset_on_close();
  broke(Errc::kClosed);
}

void Connection::finish_closing() noexcept {
  if (is_copy()) return broke(Errc::kClosed);
  if (!shut_) {
    stream_->shutdown_write();
    shut_ = true;
    limits_.linger(times(), now());
  }
  discard_input();
  settle_input();
  if (input_ended()) broke(Errc::kClosed);
}

bool Connection::is_copy() const noexcept {
  return !server_.loop_.in_own_process();
}

void Connection::broke(Errc error) noexcept {
  if (broken_ || dead_) return;
  broken_ = true;
  error_ = error;
  if (steps_ == 0) server_.loop_.defer(*this);
}

void Connection::die(Errc error) noexcept {
  if (dead_) return;
  dead_ = true;
  server_.leave(ends_.peer);  // Now, and not with its memory: the client may be back in this turn.
  if (watch_ != net::WatchId::kNone) server_.loop_.unwatch(watch_, stream_->descriptor());
  server_.loop_.timers().cancel(*this);
  ++steps_;
  session_.on_closed(error);
  --steps_;
  if (buffers_ != nullptr) {
    server_.buffers_.destroy(buffers_);
    buffers_ = nullptr;
  }
  stream_.close();
  server_.loop_.defer(*this);
}

Connection::Buffers* Connection::buffers() noexcept {
  if (buffers_ == nullptr) buffers_ = server_.buffers_.make(server_.loop_, server_.segments_);
  return buffers_;
}

void Connection::drop_idle_buffers() noexcept {
  if (buffers_ == nullptr || !buffers_->input.empty() || !buffers_->output.empty()) return;
  server_.buffers_.destroy(buffers_);
  buffers_ = nullptr;
}

BlockPool& Connection::blocks() noexcept {
  return server_.loop_.blocks();
}

nanoseconds Connection::now() const noexcept {
  return server_.loop_.now();
}

const Timeouts& Connection::times() const noexcept {
  return server_.options_.timeouts;
}

std::chrono::seconds Connection::unix_time() const noexcept {
  return std::chrono::seconds{std::time(nullptr)};
}

}  // namespace tercel::server
