#include "tercel/http/h1_session.h"

#include <algorithm>
#include <cstring>

#include "tercel/http/error_answer.h"
#include "tercel/http/h1_writer.h"

namespace tercel::http {

H1Session::~H1Session() {
  // What waits has no bytes any more to be recorded from.
  if (ticket_ != nullptr) context_.admission.abandon(std::exchange(ticket_, nullptr));
  on_closed(Errc::kClosed);
}

void H1Session::on_input() noexcept {
  // The handler answers from inside a step: the loop below goes on where it left off.
  if (stepping_) return;
  stepping_ = true;
  const std::uint32_t requests = requests_;
  while (step()) {
    if (requests_ - requests < kRequestsPerStep || exchange_ != nullptr) continue;
    wire_.revisit();
    break;
  }
  stepping_ = false;
}

bool H1Session::step() noexcept {
  if (closing_) return false;
  if (ticket_ != nullptr && !ticket_->admitted()) return false;
  if (exchange_ == nullptr) return !wire_.pressed() && read_head();
  if (exchange_->response_over_) return skip_body();
  if (exchange_->failure_) {
    fail_exchange(*exchange_->failure_);
    return false;
  }
  return offer_body();
}

bool H1Session::read_head() noexcept {
  const Input input = wire_.input();
  if (input.bytes.empty()) return await_head(input);
  const HeadResult head =
      parse_request_head(input.bytes, head_seen_bytes_, context_.limits, context_.head);
  switch (head.status) {
    case HeadStatus::kNeedMore:
      head_seen_bytes_ = static_cast<std::uint32_t>(input.bytes.size());
      return await_head(input);
    case HeadStatus::kBad:
      refuse_bad(head, head.error);
      return false;
    case HeadStatus::kDone:
      break;
  }
  const auto waited = admitted(head);
  if (!waited) return false;
  head_seen_bytes_ = 0;
  wire_.consume(head.bytes);
  return begin(head, *waited);
}

bool H1Session::await_head(const Input& input) noexcept {
  const Input more = wire_.more_input();
  if (more.bytes.size() > input.bytes.size()) return true;
  if (more.state == InputState::kEnded) {
    // An orderly end between requests; a head that stops half-way is answered all the same, and
    // judged once more, because a line without its end was not looked at as it grew.
    if (more.bytes.empty()) {
      close();
    } else {
      const HeadResult last = look_at_head();
      refuse_bad(last, last.status == HeadStatus::kBad ? last.error : Errc::kTruncated);
    }
    return false;
  }
  wire_.enter(more.bytes.empty() ? Phase::kIdle : Phase::kHead);
  return false;
}

HeadResult H1Session::look_at_head() noexcept {
  return parse_request_head(wire_.input().bytes, 0, context_.limits, context_.head);
}

std::optional<std::chrono::nanoseconds> H1Session::admitted(const HeadResult& head) noexcept {
  if (ticket_ != nullptr) {
    const std::chrono::nanoseconds waited = ticket_->waited();
    context_.admission.redeem(std::exchange(ticket_, nullptr));
    return waited;
  }
  if (context_.admission.try_enter()) return std::chrono::nanoseconds{0};
  ticket_ = context_.admission.wait(wire_);
  if (ticket_ == nullptr) {
    refuse(head, Errc::kOverloaded, std::chrono::nanoseconds{0});
  } else {
    context_.show_gauges();
    wire_.enter(Phase::kQueued);
  }
  return std::nullopt;
}

bool H1Session::begin(const HeadResult& head, std::chrono::nanoseconds waited) noexcept {
  const Limits& limits = context_.limits;
  if (limits.body_bytes_max != 0 &&
      head.request.content_length.value_or(0) > limits.body_bytes_max) {
    context_.admission.leave();
    refuse(head, Errc::kBodyTooLarge, waited);
    return false;
  }
  H1Exchange* exchange = context_.exchanges.make(*this, head, wire_.now());
  if (exchange == nullptr) {
    context_.admission.leave();
    refuse(head, Errc::kNoMemory, waited);
    return false;
  }
  exchange_ = exchange;
  ++requests_;
  if (!head.keep_alive || draining_ || requests_ == limits.requests_max) keep_alive_ = false;
  Request request = head.request;
  Address client;
  exchange->record_ = present(request, client, waited);
  wire_.enter(Phase::kHandler);
  context_.handler.handle(request, *exchange);
  return exchange_settled();
}

OpenRecord H1Session::present(Request& request, Address& client,
                              std::chrono::nanoseconds waited) noexcept {
  const auto fields = std::span{context_.head.fields}.first(request.fields.size());
  return context_.present(request, fields, wire_.endpoints(), client, waited);
}

bool H1Session::offer_body() noexcept {
  if (!exchange_->wants_body_) return false;
  exchange_->wants_body_ = false;
  if (!exchange_->rules_.is_tunnel()) wire_.enter(Phase::kHandler);
  if (exchange_->observer_ != nullptr) exchange_->observer_->on_body();
  return exchange_settled();
}

bool H1Session::exchange_settled() const noexcept {
  return exchange_ == nullptr || exchange_->response_over_ || exchange_->failure_.has_value();
}

bool H1Session::skip_body() noexcept {
  if (exchange_->body_is_lost()) keep_alive_ = false;
  while (keep_alive_ && !exchange_->decoder_.done()) {
    if (exchange_->decoder_.missing() + skipped_bytes_ > context_.limits.drain_bytes_max) break;
    const Input input = wire_.input();
    const BodyPart part = exchange_->decoder_.decode(input.bytes, context_.limits, context_.head);
    wire_.consume(part.consumed);
    skipped_bytes_ += static_cast<std::uint32_t>(part.consumed);
    if (part.status == BodyStatus::kBad) break;
    if (part.status == BodyStatus::kNeedMore) {
      const std::size_t left = input.bytes.size() - part.consumed;
      const Input more = wire_.more_input();
      if (more.bytes.size() > left) continue;
      if (more.state == InputState::kEnded) break;
      wire_.enter(Phase::kBody);
      return false;
    }
  }
  return finish_exchange();
}

bool H1Session::finish_exchange() noexcept {
  const bool reusable = keep_alive_ && exchange_->decoder_.done();
  context_.exchanges.destroy(exchange_);
  exchange_ = nullptr;
  skipped_bytes_ = 0;
  if (!reusable) close();
  return reusable;
}

void H1Session::response_over(std::optional<Errc> error) noexcept {
  H1Exchange& exchange = *exchange_;
  const bool replaced = exchange.rules_.replaced();
  const Outcome outcome = error ? outcome_of(*error) : Outcome::kComplete;
  exchange.response_over_ = true;
  context_.admission.leave();
  context_.over(exchange.record_, {.status = exchange.rules_.sent_status(),
                                   .request_bytes = exchange.request_bytes_,
                                   .body_bytes = exchange.rules_.body_bytes(),
                                   .outcome = replaced ? Outcome::kComplete : outcome,
                                   .error = error ? error_to_tell(*error) : error});
  // Whoever was answered for did not answer.
  if (Observer* observer = std::exchange(exchange.observer_, nullptr)) {
    observer->on_end(replaced ? Outcome::kAborted : outcome);
  }
  if (stepping_ || closing_) return;
  // Called from a later step of the handler: the next request is not started from inside it.
  if (!exchange.decoder_.done() && keep_alive_) {
    wire_.revisit();
  } else if (finish_exchange()) {
    wire_.enter(Phase::kIdle);
  }
}

std::uint16_t H1Session::send_error(Errc error, std::chrono::seconds retry_after, bool with_body,
                                    std::string_view connection) noexcept {
  const ErrorAnswer answer{error, retry_after};
  const Response response = answer.response();
  const std::string_view defaults = context_.default_fields(wire_.unix_time(), false, false);
  Block block = wire_.blocks().take(head_bytes_bound(response) + defaults.size() +
                                    kFramingBytesMax + answer.body().size());
  if (!block) return 0;
  char* out = write_head(block.data(), response, defaults);
  out = write_content_length(out, answer.body().size());
  // RFC 9110 section 15.5.22.
  if (response.status == 426) out = std::ranges::copy(kSwitchFields, out).out;
  out = std::ranges::copy(connection, out).out;
  out = std::ranges::copy(std::string_view{"\r\n"}, out).out;
  if (with_body) out = std::ranges::copy(answer.body(), out).out;
  const auto bytes = static_cast<std::size_t>(out - block.data());
  wire_.send(std::move(block), bytes);
  return response.status;
}

void H1Session::refuse(Errc error) noexcept {
  refuse_bad(HeadResult{}, error);
}

void H1Session::refuse_bad(const HeadResult& head, Errc error) noexcept {
  const Request& known = head.request;
  PartialHead partial{.method = known.method, .target = known.target, .version = std::nullopt};
  if (head.line_known) partial.version = known.version;
  answer_refused(error, /*with_body=*/true, context_.refused(partial, wire_.endpoints()));
}

void H1Session::refuse(const HeadResult& head, Errc error,
                       std::chrono::nanoseconds waited) noexcept {
  Request request = head.request;
  Address client;
  answer_refused(error, request.method != "HEAD", present(request, client, waited));
}

// Its head is complete, and still there.
void H1Session::refuse_queued(Errc error) noexcept {
  const std::chrono::nanoseconds waited = ticket_->waited();
  context_.admission.abandon(std::exchange(ticket_, nullptr));
  const HeadResult head = look_at_head();
  if (head.status == HeadStatus::kDone) {
    refuse(head, error, waited);
  } else {
    refuse(error);
  }
}

void H1Session::record_queued(Errc error) noexcept {
  const std::chrono::nanoseconds waited = ticket_->waited();
  context_.admission.abandon(std::exchange(ticket_, nullptr));
  const HeadResult head = look_at_head();
  if (head.status != HeadStatus::kDone) return;
  Request request = head.request;
  Address client;
  context_.over(present(request, client, waited),
                {.outcome = outcome_of(error), .error = error_to_tell(error)});
}

void H1Session::answer_refused(Errc error, bool with_body, const OpenRecord& record) noexcept {
  const std::uint16_t status = send_error(error, kRetryAfter, with_body, kCloseField);
  const std::size_t body_bytes = with_body ? ErrorAnswer::body_bytes(error) : 0;
  context_.over(record, {.status = status,
                         .body_bytes = status != 0 ? body_bytes : 0,
                         .outcome = status != 0 ? Outcome::kComplete : Outcome::kAborted,
                         .error = error});
  close();
}

void H1Session::fail_exchange(Errc error) noexcept {
  H1Exchange& exchange = *exchange_;
  keep_alive_ = false;
  exchange.failure_ = error;
  if (!exchange.replace_with_error(error, kRetryAfter)) broken_ = true;
  response_over(error);
  if (exchange_ != nullptr) (void)finish_exchange();
}

void H1Session::close() noexcept {
  if (closing_) return;
  closing_ = true;
  wire_.enter(Phase::kClosing);
  if (broken_) {
    wire_.reset();
  } else {
    wire_.close_after_send();
  }
}

void H1Session::on_sent() noexcept {
  if (exchange_ == nullptr || !exchange_->wants_writable_ || !exchange_->writable()) return;
  exchange_->wants_writable_ = false;
  if (exchange_->observer_ != nullptr) exchange_->observer_->on_writable();
}

void H1Session::on_input_closed() noexcept {
  if (exchange_ == nullptr || exchange_->observer_ == nullptr) return;
  exchange_->observer_->on_notice(Notice::kInputClosed);
}

void H1Session::on_timeout(Errc error) noexcept {
  if (closing_) return;
  keep_alive_ = false;
  if (exchange_ != nullptr && !exchange_->response_over_) {
    fail_exchange(error);
  } else if (error == Errc::kWriteTimeout) {
    broken_ = true;
    close();
  } else if (ticket_ != nullptr) {
    refuse_queued(error);
  } else if (error == Errc::kHeadTimeout) {
    refuse_bad(look_at_head(), error);
  } else {
    close();
  }
}

void H1Session::on_closed(Errc error) noexcept {
  closing_ = true;
  keep_alive_ = false;
  if (ticket_ != nullptr) record_queued(error);
  if (exchange_ == nullptr) return;
  if (!exchange_->response_over_) response_over(error);
  if (exchange_ != nullptr && !stepping_) (void)finish_exchange();
}

void H1Session::drain() noexcept {
  draining_ = true;
  const bool answered = exchange_ != nullptr && exchange_->response_over_;
  // A response that has left without `Connection: close` promised that another may follow: that one
  // says it. Whoever waits for it in vain is closed by the time limit.
  if (exchange_ == nullptr || answered || !exchange_->rules_.head_released()) keep_alive_ = false;
  // What is left of an answered request's body is not waited for.
  if (answered && !stepping_) (void)skip_body();
}

std::chrono::nanoseconds H1Session::waiting_since() const noexcept {
  // A tunnel lasts as long as its two ends want.
  const bool waiting =
      exchange_ != nullptr && !exchange_->response_over_ && !exchange_->rules_.is_tunnel();
  return waiting ? exchange_->started_ : std::chrono::nanoseconds{0};
}

void H1Session::notify_draining() noexcept {
  if (exchange_ == nullptr || exchange_->observer_ == nullptr) return;
  exchange_->observer_->on_notice(Notice::kDraining);
}

}  // namespace tercel::http
