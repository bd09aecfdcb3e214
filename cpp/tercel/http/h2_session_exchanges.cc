// What happens to exchanges: their turn, what they are told, their ends.
#include <utility>

#include "tercel/http/h2_session.h"
#include "tercel/http/h2_step.h"
#include "tercel/http/message_copy.h"

namespace tercel::http {

// --- their turn

void H2Session::refuse(H2StreamId id, Request* request, bool last, Errc error) noexcept {
  // Of a request that is not known, only what its answer depends on.
  H2Exchange* exchange = make_exchange(id, head_->request(), last);
  if (exchange == nullptr) return engine_->reset(id, H2Code::kRefusedStream);
  if (request != nullptr) {
    Address client;
    exchange->record_ = context_.shared.present(*request, head_->fields(), wire_.endpoints(),
                                                client, std::chrono::nanoseconds{0});
  } else {
    exchange->record_ = context_.shared.refused(head_->partial(), wire_.endpoints());
  }
  fail_exchange(*exchange, error);
}

void H2Session::enqueue(H2Exchange& exchange, const Request& request) noexcept {
  exchange.kept_ = wire_.blocks().take(copy_bytes(request));
  if (exchange.kept_) {
    exchange.request_ = copy(request, exchange.kept_.data());
    exchange.ticket_ = context_.shared.admission.wait(wire_);
  }
  if (exchange.ticket_ != nullptr) return context_.shared.show_gauges();
  Request refused = request;
  Address client;
  exchange.record_ = context_.shared.present(refused, head_->fields(), wire_.endpoints(), client,
                                             std::chrono::nanoseconds{0});
  fail_exchange(exchange, Errc::kOverloaded);
}

// The copy is ours: an amender may change its fields.
std::span<Field> H2Session::fields_of(H2Exchange& exchange) noexcept {
  const std::span<const Field> fields = exchange.request_.fields;
  return {const_cast<Field*>(fields.data()), fields.size()};
}

void H2Session::leave_queue(H2Exchange& exchange) noexcept {
  Address client;
  exchange.record_ = context_.shared.present(exchange.request_, fields_of(exchange),
                                             wire_.endpoints(), client, exchange.ticket_->waited());
  context_.shared.admission.abandon(std::exchange(exchange.ticket_, nullptr));
}

void H2Session::serve_admitted() noexcept {
  streams_.for_each([this](H2Member& member) {
    auto& exchange = static_cast<H2Exchange&>(member);
    if (exchange.ticket_ == nullptr || !exchange.ticket_->admitted() || closing_) return;
    const std::chrono::nanoseconds waited = exchange.ticket_->waited();
    context_.shared.admission.redeem(std::exchange(exchange.ticket_, nullptr));
    exchange.admitted_ = true;
    exchange.started_ = wire_.now();
    serve(exchange, exchange.request_, fields_of(exchange), waited);
    exchange.kept_ = Block{};
  });
}

void H2Session::serve(H2Exchange& exchange, Request& request, std::span<Field> fields,
                      std::chrono::nanoseconds waited) noexcept {
  ++requests_;
  if (requests_ == context_.shared.limits.requests_max) drain();
  Address client;
  exchange.record_ = context_.shared.present(request, fields, wire_.endpoints(), client, waited);
  context_.shared.handler.handle(request, exchange);
}

// --- what they are told

void H2Session::note_news(H2Exchange& exchange) noexcept {
  H2News& news = exchange;
  if (!news.linked()) news_.push_back(news);
}

void H2Session::tell_news() noexcept {
  // Those that have news again meanwhile come with the next round.
  IntrusiveList<H2News> now;
  now.take_all(news_);
  while (H2News* news = now.pop_front()) tell(static_cast<H2Exchange&>(*news));
}

void H2Session::tell(H2Exchange& exchange) noexcept {
  if (exchange.over_) return;
  // By the client, or by the engine for what the client sent.
  if (exchange.closed_) {
    return response_over(exchange, was_reset(exchange.id_) ? Errc::kBadFrame : Errc::kReset);
  }
  if (exchange.send_failed_) {
    reset_stream(exchange, H2Code::kInternalError);
    return response_over(exchange, Errc::kNoMemory);
  }
  if (exchange.failure_) return fail_exchange(exchange, *exchange.failure_);
  if (exchange.wants_body_ && std::exchange(exchange.body_news_, false)) {
    exchange.wants_body_ = false;
    if (exchange.observer_ != nullptr) exchange.observer_->on_body();
    if (exchange.over_) return;
  }
  if (exchange.wants_writable_ && exchange.writable()) {
    exchange.wants_writable_ = false;
    if (exchange.observer_ != nullptr) exchange.observer_->on_writable();
  }
}

void H2Session::credit_read(H2Exchange& exchange, std::size_t bytes) noexcept {
  if (!exchange.request_done_) {
    engine_->credit_stream(exchange.id_, bytes);
    // Who reads all that comes, a window's worth since the last time, may be sent more at once.
    const std::uint32_t wider = 2 * exchange.window_;
    if (exchange.body_.bytes() == 0 && wider <= context_.options.window_bytes_max &&
        exchange.received_ - exchange.widened_at_ >= exchange.window_ &&
        widened_bytes_ + exchange.window_ <= kWidenBytesMax) {
      widened_bytes_ += exchange.window_;
      exchange.window_ = wider;
      exchange.widened_at_ = exchange.received_;
      engine_->widen_window(exchange.id_, wider);
    }
  }
}

void H2Session::check_times(H2Exchange& exchange, std::chrono::nanoseconds now) noexcept {
  const H2Options& options = context_.options;
  if (!exchange.unsent()) {
    exchange.write_clock_.stop();
  } else if (wire_.pressed()) {
    exchange.write_clock_.excuse(options.write, now);  // The connection has its own limit.
  } else {
    exchange.write_clock_.start(options.write, now);
  }
  if (exchange.write_clock_.expired(now)) {
    reset_stream(exchange, H2Code::kCancel);
    if (!exchange.over_) response_over(exchange, Errc::kWriteTimeout);
    return;
  }
  constexpr std::chrono::seconds kLinger{1};
  if (exchange.lingers_ && now - exchange.lingers_since_ >= kLinger) end_lingering(exchange);
  if (exchange.over_) return;
  if (exchange.ticket_ != nullptr) {
    const bool late =
        options.queue != options.queue.zero() && exchange.ticket_->waited() >= options.queue;
    if (late && !exchange.ticket_->admitted()) fail_exchange(exchange, Errc::kOverloaded);
  } else if (exchange.wants_body_ && exchange.body_clock_.expired(now)) {
    fail_exchange(exchange, Errc::kBodyTimeout);
  }
}

// --- their ends

void H2Session::fail_exchange(H2Exchange& exchange, Errc error) noexcept {
  exchange.failure_ = error;
  if (H2Head::is_malformed(error) && error != Errc::kTruncated) {
    reset_stream(exchange, H2Code::kProtocolError);
  } else if (!exchange.replace_with_error(error, kRetryAfter)) {
    reset_stream(exchange, H2Code::kInternalError);
  }
  response_over(exchange, error);
}

void H2Session::reset_stream(H2Exchange& exchange, H2Code code) noexcept {
  if (exchange.closed_) return;
  // What a handler does is not the peer's to pay for.
  if (code == H2Code::kInternalError) exchange.own_reset_ = true;
  exchange.output_.clear();
  exchange.end_cut_ = true;
  engine_->reset(exchange.id_, code);
}

void H2Session::response_over(H2Exchange& exchange, std::optional<Errc> error) noexcept {
  if (exchange.over_) return;
  exchange.over_ = true;
  sweep_due_ = true;
  if (exchange.occupies_) --occupied_;
  if (exchange.ticket_ != nullptr) leave_queue(exchange);
  if (exchange.admitted_) context_.shared.admission.leave();
  exchange.body_.clear();
  const bool replaced = exchange.rules_.replaced();
  const Outcome outcome = error ? outcome_of(*error) : Outcome::kComplete;
  context_.shared.over(exchange.record_, {.status = exchange.rules_.sent_status(),
                                          .request_bytes = exchange.received_,
                                          .body_bytes = exchange.rules_.body_bytes(),
                                          .outcome = replaced ? Outcome::kComplete : outcome,
                                          .error = error ? error_to_tell(*error) : error});
  // Whoever was answered for did not answer.
  if (Observer* observer = std::exchange(exchange.observer_, nullptr)) {
    observer->on_end(replaced ? Outcome::kAborted : outcome);
  }
}

void H2Session::sweep() noexcept {
  if (!std::exchange(sweep_due_, false)) return;
  streams_.for_each([this](H2Member& member) {
    auto& exchange = static_cast<H2Exchange&>(member);
    if (!exchange.over_ || !exchange.closed_) return;
    widened_bytes_ -= exchange.window_ - context_.options.window_bytes;
    context_.exchanges.destroy(&exchange);
  });
}

void H2Session::end_all() noexcept {
  streams_.for_each([this](H2Member& member) {
    auto& exchange = static_cast<H2Exchange&>(member);
    exchange.closed_ = true;
    response_over(exchange, end_error_);
  });
  sweep_due_ = true;
  sweep();
}

}  // namespace tercel::http
