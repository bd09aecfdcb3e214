#include "plans.h"

#include <algorithm>

#include "http_session.h"
#include "message.h"
#include "websocket_session.h"

namespace tercel::load {
namespace {

using std::chrono::nanoseconds;
using namespace std::chrono_literals;

http::MessageKind kind_of(const Options& options) noexcept {
  return options.binary ? http::MessageKind::kBinary : http::MessageKind::kText;
}

}  // namespace

// --- Ask

Ask::Ask(net::Loop& loop, const Clock& clock, const Options& options) : Run{loop, clock, options} {
  const bool websocket = options.mode == ModeName::kWebSocket || options.websocket;
  for (std::size_t i = 0; i < options.connections; ++i) {
    if (websocket) {
      sessions_.push_back(std::make_unique<WebSocketSession>(*this));
    } else {
      sessions_.push_back(std::make_unique<HttpSession>(*this));
    }
  }
  if (options.rate > 0) interval_ = nanoseconds{static_cast<std::int64_t>(1e9 / options.rate)};
}

void Ask::begin() {
  due_ = now();
  for (const auto& session : sessions_) {
    if (session->ready()) serve(*session);
  }
}

void Ask::on_open(Session& session) {
  if (opening()) {
    if (options().mode == ModeName::kIdle && !options().websocket) {
      session.ask(clock_now());
    } else {
      count_open(session);
    }
  } else {
    serve(session);
  }
}

void Ask::on_lost(Session& session) {
  std::erase(free_, &session);
}

void Ask::on_settled(Session& session) {
  if (opening()) {
    count_open(session);
  } else {
    serve(session);
  }
}

void Ask::serve(Session& session) {
  if (options().mode == ModeName::kIdle || !may_ask()) return;
  if (interval_ > 0ns) {
    free_.push_back(&session);
  } else {
    session.ask(clock_now());
  }
}

nanoseconds Ask::turn(nanoseconds now) {
  if (interval_ == 0ns) return nanoseconds::max();
  while (due_ <= now && !free_.empty() && may_ask()) {
    Session& session = *free_.back();
    free_.pop_back();
    if (now - due_ > 1ms) ++tally().late;
    session.ask(due_);
    due_ += interval_;
  }
  // With none free, an answer ends the wait.
  return free_.empty() ? nanoseconds::max() : due_;
}

void Ask::on_message(WebSocketSession& session, const http::Message& message) {
  const bool right =
      message.kind == kind_of(options()) && message.bytes == message_text(session.number());
  if (session.asking() && right) {
    session.accept_answer();
    return on_settled(session);
  }
  // An echo that came before leaves the one under way to come.
  const std::optional<std::uint64_t> number = number_of(message.bytes);
  if (!session.asking() || (number && *number < session.number())) {
    return tally().doubled(number.value_or(0));
  }
  session.reject_answer("another message");
  on_settled(session);
}

// --- Broadcast

Broadcast::Broadcast(net::Loop& loop, const Clock& clock, const Options& options)
    : Run{loop, clock, options} {
  for (std::size_t i = 0; i < options.connections; ++i) {
    sessions_.push_back(std::make_unique<WebSocketSession>(*this));
  }
}

void Broadcast::say() {
  if (!may_ask()) return;
  const auto is_ready = [](const auto& session) { return session->ready(); };
  const auto speaker = std::find_if(sessions_.begin(), sessions_.end(), is_ready);
  if (speaker == sessions_.end()) return stop();
  number_ = next_number();
  waiting_ = 0;
  for (const auto& session : sessions_) {
    if (!session->ready()) continue;
    static_cast<WebSocketSession&>(*session).expected = number_;
    ++waiting_;
  }
  tally().sent += waiting_;
  ++tally().messages;
  said_at_ = clock_now();
  static_cast<WebSocketSession&>(**speaker).send_message(message_text(number_));
}

void Broadcast::heard(WebSocketSession& session) {
  session.expected = number_ + 1;
  if (--waiting_ > 0) return;
  tally().latencies.add(clock_now() - said_at_);
  say();
}

void Broadcast::on_message(WebSocketSession& session, const http::Message& message) {
  const std::optional<std::uint64_t> number = number_of(message.bytes);
  const bool waits = waiting_ > 0 && session.expected == number_;
  if (!waits || (number && *number < number_)) return tally().doubled(number.value_or(0));
  if (message.kind == kind_of(options()) && message.bytes == message_text(number_)) {
    tally().right();
  } else {
    tally().wrong(number_, "another message");
  }
  heard(session);
}

void Broadcast::on_lost(Session& session) {
  auto& socket = static_cast<WebSocketSession&>(session);
  if (opening() || waiting_ == 0 || socket.expected != number_) return;
  tally().lost(number_, Loss::kUnanswered);
  heard(socket);
}

nanoseconds Broadcast::turn(nanoseconds now) {
  if (waiting_ > 0 && now - said_at_ > options().timeout) {
    give_up();
    say();
  }
  return nanoseconds::max();
}

void Broadcast::give_up() {
  for (const auto& session : sessions_) {
    auto& socket = static_cast<WebSocketSession&>(*session);
    if (waiting_ == 0 || socket.expected != number_) continue;
    tally().lost(number_, Loss::kTimedOut);
    socket.expected = number_ + 1;
    --waiting_;
  }
}

}  // namespace tercel::load
