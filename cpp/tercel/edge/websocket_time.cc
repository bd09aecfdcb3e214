// What a WebSocket waits for, and how long: the handshake, the rest of a message, a pong, the
// peer's close frame. One timer for all.
#include <algorithm>

#include "tercel/edge/websocket_busy.h"

namespace tercel::edge {
namespace {

using http::CloseCode;
using http::Closing;
using http::Final;
using Stage = WebSocketStage;

constexpr std::chrono::nanoseconds kNever{0};

}  // namespace

WebSocket::Time WebSocket::after(Time limit) const noexcept {
  return limit == kNever ? kNever : loop_.now() + limit;
}

void WebSocket::arm() noexcept {
  if (exchange_ == nullptr) return;
  if (resume_) loop_.defer(*this);
  Time next = Time::max();
  for (const Time due : {stage_due_, message_due_, ping_due_, pong_due_}) {
    if (due != kNever) next = std::min(next, due);
  }
  if (next != Time::max()) loop_.timers().arm_by(*this, next);
}

void WebSocket::run_deferred() noexcept {
  const Busy busy{*this};
  if (resume_) read();
  arm();
}

void WebSocket::on_timer() noexcept {
  const Busy busy{*this};
  const Time now = loop_.now();
  check_stage(now);
  check_message(now);
  check_ping(now);
  arm();
}

void WebSocket::check_stage(Time now) noexcept {
  if (exchange_ == nullptr || stage_due_ == kNever || now < stage_due_) return;
  stage_due_ = kNever;
  if (stage_ == Stage::kConnecting) {
    exchange_->abort(Errc::kRequestTimeout);
  } else if (failing()) {
    fail_now(Closing{failing_});
  } else {
    set_end({.code = CloseCode::kAbnormal, .reason = "the peer did not close in time"});
    finish();
  }
}

void WebSocket::check_message(Time now) noexcept {
  if (exchange_ == nullptr || message_due_ == kNever || now < message_due_) return;
  if (!may_read()) {
    message_due_ = after(options_.message_timeout);
    return;
  }
  const bool had_news = has_message();
  fail_with({.code = CloseCode::kPolicy, .reason = "a message took too long"});
  if (!had_news) observer_.on_message();
}

void WebSocket::check_ping(Time now) noexcept {
  if (exchange_ == nullptr || stage_ != Stage::kOpen) return;
  if (pong_due_ != kNever && now >= pong_due_) {
    if (may_read()) {
      const bool had_news = has_message();
      set_end({.code = CloseCode::kAbnormal, .reason = "keepalive ping timeout"});
      stage_ = Stage::kClosed;
      (void)send_close({.code = CloseCode::kInternalError, .reason = "keepalive ping timeout"},
                       Final::kYes);
      if (!had_news) observer_.on_message();
      return;
    }
    pong_due_ = after(options_.ping_timeout);
  }
  if (ping_due_ == kNever || now < ping_due_) return;
  ping_due_ = after(options_.ping_interval);
  // A peer that does not read is cut off by the limit on writing.
  if (!exchange_->writable()) return;
  if (pong_due_ == kNever) pong_due_ = after(options_.ping_timeout);
  (void)write_control(http::Opcode::kPing, {}, Final::kNo);
}

}  // namespace tercel::edge
