#include "tercel/proxy/relay.h"

#include <utility>

#include "tercel/http/message_copy.h"

namespace tercel::proxy {

namespace {

http::Framing framing_of(const http::Request& request) noexcept {
  if (request.content_length) return http::Framing::kLength;
  return request.has_body ? http::Framing::kChunked : http::Framing::kNone;
}

// Of a request whose expectations are in order.
bool expects_continue(const http::Request& request) noexcept {
  return request.has_body && request.version != http::Version::kHttp10 &&
         http::find_field(request.fields, "expect") != nullptr;
}

}  // namespace

RelayContext::~RelayContext() {
  end_all();
}

void RelayContext::end_all() noexcept {
  while (Relay* const relay = relays.any()) {
    if (relay->alone_) relay->end_alone();
    relays.destroy(relay);
  }
}

void Relay::start(RelayContext& context, Rewriter& rewriter, const http::Request& request,
                  http::Exchange& exchange, const RelayFilters& filters) noexcept {
  Relay* relay = nullptr;
  if (Block memory = context.calls.loop.blocks().take(http::copy_bytes(request))) {
    const http::Request kept = http::copy(request, memory.data());
    relay = context.relays.make(context, rewriter, exchange, filters, std::move(memory), kept);
  }
  if (relay == nullptr) return rewriter.refused(exchange, Errc::kNoMemory);
  exchange.observe(&relay->front_);
  relay->attempt(relay->enough());
}

Relay::Relay(RelayContext& context, Rewriter& rewriter, http::Exchange& exchange,
             const RelayFilters& filters, Block memory, const http::Request& kept) noexcept
    : context_{context},
      rewriter_{rewriter},
      exchange_{exchange},
      filters_{filters},
      memory_{std::move(memory)},
      request_{kept},
      call_{context.calls, back_} {}

void Relay::attempt(Freshness freshness) noexcept {
  ++attempts_;
  request_over_ = !request_.has_body;
  call_.begin_step();
  if (const auto begun = begin_call(freshness); begun) {
    pump_request();
  } else {
    refuse(begun.error());
  }
  call_.end_step();
}

Result<void> Relay::begin_call(Freshness freshness) noexcept {
  Outgoing to;
  to.attempt = attempts_;
  to.peer = &exchange_.endpoints().peer;
  to.head.method = request_.method;
  to.head.framing = framing_of(request_);
  to.head.content_length = request_.content_length.value_or(0);
  to.head.expects_continue = expects_continue(request_);
  to.head.accepts_trailers = request_.accepts_trailers;
  context_.draft.clear();
  if (auto done = rewriter_.rewrite_request(request_, to, context_.draft); !done) return done;
  if (!context_.draft.complete()) return fail(Errc::kHeadTooLarge);
  passes_trailers_ = to.passes_trailers;
  return call_.begin(*to.source, to.head, freshness, to.times);
}

// --- the response

void Relay::on_interim(const http::ResponseHead& head) noexcept {
  if (over_) return;
  context_.draft.clear();
  add_end_to_end(head.fields, context_.draft);
  if (!context_.draft.complete()) return;
  // The client can do without, if it cannot be passed on.
  (void)exchange_.interim({.status = head.status, .fields = context_.draft.fields()});
}

void Relay::on_head(const http::ResponseHead& head) noexcept {
  if (over_) return read_alone();
  if (!body_touched_ && attempts_ < kAttemptsMax && rewriter_.goes_elsewhere(head)) {
    drop_response();
    return ask_anew({});
  }
  const bool is_failure =
      is_transient(head.status) || (head.status == kWaitedTooLong && !head.keep_alive);
  if (is_failure && try_again(head.status, Errc::kUpstreamFailed)) return;
  http::Response to{.status = head.status,
                    .fields = {},
                    .trailers = head.framing == http::ResponseFraming::kChunked,
                    .reason = head.reason};
  context_.draft.clear();
  if (const auto done = rewriter_.rewrite_response(head, to, context_.draft); !done) {
    return refuse(done.error());
  }
  if (!context_.draft.complete()) return refuse(Errc::kUpstreamMalformed);
  if (const auto begun = exchange_.start(to); !begun) {
    // The client is gone, which on_end() says; or it is a head that may not be sent.
    return over_ || begun.error() == Errc::kClosed ? void() : refuse(Errc::kUpstreamMalformed);
  }
  started_ = true;
  if (head.switches()) return become_tunnel();
  response_bytes_ = head.framing == http::ResponseFraming::kNone ? 0 : head.content_length;
  if (holds_head()) {
    net::Loop& loop = context_.calls.loop;
    loop.timers().arm(*this, loop.now() + kHeldHeadTime);
  }
  pump_response();
}

void Relay::become_tunnel() noexcept {
  tunnel_ = head_released_ = true;
  request_over_ = false;
  // What the origin had to say before it hung up goes first.
  pump_response();
  pump_request();
}

// --- ends

bool Relay::try_again(std::uint16_t status, Errc error) noexcept {
  if (!context_.retries || attempts_ == kAttemptsMax) return false;
  const FailedAttempt failed{.attempt = attempts_,
                             .status = status,
                             .error = error,
                             .progress = call_.progress(),
                             .reused = call_.on_reused_connection(),
                             .replayable = !body_touched_ && !started_,
                             .has_body = request_.has_body,
                             .method = request_.method};
  const auto pause = rewriter_.after_failure(failed);
  if (!pause || !failed.replayable) return false;
  if (status == 0 && *pause == std::chrono::nanoseconds{0}) {
    attempt(Freshness::kNew);
    return true;
  }
  if (status != 0) drop_response();
  needs_new_ = status == kWaitedTooLong;  // Others of its age may be as stale.
  ask_anew(*pause);
  return true;
}

// A call cannot begin anew from inside of its own, so not even without a pause at once.
void Relay::ask_anew(std::chrono::nanoseconds pause) noexcept {
  net::Loop& loop = context_.calls.loop;
  loop.timers().arm(*this, loop.now() + pause);
}

void Relay::drop_response() noexcept {
  call_.begin_step();
  dropped_bytes_ = 0;
  static_cast<void>(discard());
  call_.close();
  call_.end_step();
}

void Relay::on_timer() noexcept {
  if (alone_) return end_alone();
  if (!started_) return attempt(needs_new_ ? Freshness::kNew : enough());
  if (response_over_ || !holds_head()) return;
  call_.begin_step();
  if (end_early(BodyFilter::Rest::kLost)) call_.close();
  call_.end_step();
}

// A request that is repeated when its connection turns out to be closed needs no look at it before.
Freshness Relay::enough() const noexcept {
  const FailedAttempt stale{.error = Errc::kUpstreamReset,
                            .progress = Progress::kHeadSent,
                            .reused = true,
                            .replayable = true,
                            .has_body = request_.has_body,
                            .method = request_.method};
  const bool repeated = context_.retries && !request_.has_body && nothing_was_lost(stale);
  return repeated ? Freshness::kUnchecked : Freshness::kAny;
}

void Relay::on_call_failed(Errc error) noexcept {
  if (alone_) return end_alone();
  if (over_ || try_again(0, error)) return;
  refuse(error);
}

void Relay::refuse(Errc error) noexcept {
  if (over_) return;
  request_over_ = response_over_ = true;
  context_.calls.loop.timers().cancel(*this);
  call_.close();
  if (started_) {
    rewriter_.broke_off(error);
    if (!end_early(BodyFilter::Rest::kLost)) exchange_.abort(error);
  } else {
    rewriter_.refused(exchange_, error);
  }
}

// What it was sent already it may still be reading, and a tunnel has an end of its own.
void Relay::on_notice(http::Notice notice) noexcept {
  const bool closed = notice == http::Notice::kInputClosed && context_.gone_when_closed;
  if (over_ || started_ || !closed || rewriter_.outlives_client()) return;
  request_over_ = response_over_ = true;
  call_.close();
  exchange_.abort(Errc::kClosed);
}

void Relay::on_exchange_end(http::Outcome outcome) noexcept {
  over_ = true;
  context_.calls.loop.timers().cancel(pause_);
  context_.calls.loop.timers().cancel(*this);
  if (go_on_alone(outcome)) return;
  call_.close();
  end(outcome);
}

bool Relay::go_on_alone(http::Outcome outcome) noexcept {
  // Each has a connection, so there are no more of them than there may be of those.
  const bool passed_on = request_over_ && !response_over_ && !tunnel_ && call_.active() &&
                         call_.progress() != Progress::kUnsent;
  if (outcome != http::Outcome::kPeerGone || !passed_on || !rewriter_.outlives_client()) {
    return false;
  }
  alone_ = true;
  place_ = exchange_.keep_place();
  rewriter_.left_alone();
  net::Loop& loop = context_.calls.loop;
  loop.timers().arm(*this, loop.now() + call_.times().response_time);
  loop.defer(*this);  // What reads the response may be on the stack.
  return true;
}

bool Relay::discard() noexcept {
  http::BodyRead part;
  do {
    part = call_.read_body();
    dropped_bytes_ += part.bytes.size();
  } while (part.state == http::BodyState::kMore && dropped_bytes_ <= kDroppedBytesMax);
  return part.state == http::BodyState::kPending;
}

void Relay::read_alone() noexcept {
  if (!call_.has_head()) return;  // on_head() follows, or on_call_failed().
  call_.begin_step();
  if (!discard()) call_.close();
  call_.end_step();
  if (!call_.active()) end_alone();
}

void Relay::end_alone() noexcept {
  alone_ = false;
  if (place_ != nullptr) std::exchange(place_, nullptr)->leave();
  call_.close();
  context_.calls.loop.timers().cancel(*this);
  end(http::Outcome::kPeerGone);
}

void Relay::end(http::Outcome outcome) noexcept {
  memory_ = Block{};
  rewriter_.ended(outcome, attempts_);
  context_.calls.loop.defer(*this);  // It may be on the stack.
}

void Relay::run_deferred() noexcept {
  alone_ ? read_alone() : context_.relays.destroy(this);
}

}  // namespace tercel::proxy
