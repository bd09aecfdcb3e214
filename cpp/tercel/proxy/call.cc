#include "tercel/proxy/call.h"

#include <utility>

#include "tercel/base/assert.h"

namespace tercel::proxy {
using std::chrono::nanoseconds;

// --- the connection

Result<void> Call::begin(Source& source, const http::RequestHead& head, Freshness freshness,
                         const CallTimes* times) noexcept {
  TERCEL_ASSERT(state_ == State::kNone);
  if (auto valid = http::inspect_request(head); !valid) return valid;
  char* const out = output_.room(http::request_bytes_bound(head));
  if (out == nullptr) return fail(Errc::kNoMemory);
  output_.added(static_cast<std::size_t>(http::write_request(out, head) - out));

  source_ = &source;
  times_ = times != nullptr ? times : &context_.options;
  framing_ = head.framing;
  request_left_ = head.framing == http::Framing::kLength ? head.content_length : 0;
  answer_to_ = head.method == "HEAD"  ? http::AnswerTo::kHead
               : head.upgrade.empty() ? http::AnswerTo::kOther
                                      : http::AnswerTo::kUpgrade;
  request_over_ = head.framing == http::Framing::kNone ||
                  (head.framing == http::Framing::kLength && head.content_length == 0);
  awaits_100_ = head.expects_continue && !request_over_;
  reused_ = sent_ = body_sent_ = answered_ = blocked_ = write_failed_ = false;
  wants_writable_ = wants_body_ = body_over_ = until_close_ = keep_alive_ = tunnel_ = false;
  interims_ = 0;
  head_seen_ = 0;
  trailers_ = {};
  state_ = State::kWaiting;
  source.acquire(*this, freshness);
  wants_writable_ = !writable();
  return {};
}

void Call::on_connection(UpstreamConnection& connection) noexcept {
  connection_ = &connection;
  connection.begin(*this);
  reused_ = connection.requests() > 1;
  for (int i = 0; i < steps_; ++i) connection.begin_step();
  state_ = State::kHead;
  progress_ = context_.loop.now();
  // In a step the head leaves together with the beginning of the body.
  if (steps_ == 0 || request_over_ || awaits_100_) flush();
  arm();
  if (wants_writable_) tell_writable();
}

void Call::on_no_connection(Errc error) noexcept {
  fail_with(error);
}

void Call::leave_connection(bool complete) noexcept {
  UpstreamConnection* const connection = std::exchange(connection_, nullptr);
  if (connection == nullptr) return;
  // A tunnel, which spoils its connection, has no end that could be taken for another one.
  if (!complete && !tunnel_) connection->reset();
  for (int i = 0; i < steps_; ++i) connection->end_step();
  connection->end();
  source_->release(*connection);
}

void Call::close() noexcept {
  if (state_ == State::kNone) return;
  const bool complete = state_ == State::kBody && body_over_ && request_over_ && keep_alive_ &&
                        !write_failed_ && output_.bytes() == 0;
  if (state_ == State::kWaiting) source_->withdraw(*this);
  state_ = State::kNone;
  leave_connection(complete);
  context_.loop.timers().cancel(*this);
  cancel_deferred();
  output_.clear();
}

void Call::fail_with(Errc error) noexcept {
  if (state_ == State::kFailed || state_ == State::kNone) return;
  error_ = error;
  state_ = State::kFailed;
  leave_connection(/*complete=*/false);
  context_.loop.timers().cancel(*this);
  output_.clear();
  context_.loop.defer(*this);
}

void Call::begin_step() noexcept {
  ++steps_;
  if (connection_ != nullptr) connection_->begin_step();
}

void Call::end_step() noexcept {
  if (steps_ == 1 && connection_ != nullptr) flush();
  --steps_;
  if (connection_ == nullptr) return;
  connection_->end_step();
  if (connection_->input_end() == InputEnd::kNoMemory) return fail_with(Errc::kNoMemory);
  if (steps_ == 0) arm();
}

// --- events

void Call::on_event() noexcept {
  blocked_ = false;  // Whatever the event: a stream may have to read before it can write.
  begin_step();
  move_on();
  end_step();
}

void Call::run_deferred() noexcept {
  if (state_ != State::kFailed) return on_event();
  state_ = State::kNone;
  observer_.on_failed(error_);
}

void Call::move_on() noexcept {
  flush();
  if (state_ == State::kHead) {
    read_head();
  } else if (state_ == State::kBody && wants_body_) {
    observer_.on_body();
  }
  tell_writable();
}

void Call::tell_writable() noexcept {
  if (!wants_writable_) return;
  if (tunnel_ && request_over_) {
    if (!drained()) return;
  } else if (!writable() || output_.bytes() > context_.options.output_high_water_bytes / 2) {
    return;
  }
  wants_writable_ = false;
  observer_.on_writable();
}

void Call::stop_waiting_for_continue() noexcept {
  awaits_100_ = false;
  tell_writable();
}

// --- time

nanoseconds Call::due() const noexcept {
  const CallTimes& times = *times_;
  if (connection_ == nullptr) return nanoseconds{0};
  if (output_.bytes() > 0) return progress_ + times.write_time;
  if (tunnel_) return progress_ + times.tunnel_time;
  if (state_ == State::kBody) {
    return wants_body_ ? progress_ + times.body_time : nanoseconds{0};
  }
  if (awaits_100_) return progress_ + times.continue_time;
  // A head that has begun.
  if (head_seen_ > 0) return progress_ + times.body_time;
  // Before the end of the request the origin may wait for us.
  const bool its_turn = request_over_ || write_failed_;
  return its_turn ? progress_ + times.response_time : nanoseconds{0};
}

void Call::arm() noexcept {
  const nanoseconds when = due();
  if (when != nanoseconds{0}) context_.loop.timers().arm_by(*this, when);
}

void Call::on_timer() noexcept {
  const nanoseconds when = due();
  if (when == nanoseconds{0}) return;
  if (when > context_.loop.now()) return arm();
  if (state_ == State::kHead && awaits_100_ && output_.bytes() == 0) {
    begin_step();
    progress_ = context_.loop.now();
    stop_waiting_for_continue();
    end_step();
    return;
  }
  fail_with(Errc::kUpstreamTimeout);
}

}  // namespace tercel::proxy
