// What comes in: frames, header blocks, and the requests that they make.
#include <algorithm>
#include <utility>

#include "tercel/http/h2_session.h"
#include "tercel/http/h2_step.h"
#include "tercel/http/message_copy.h"

namespace tercel::http {

void H2Session::on_input() noexcept {
  // A handler answers from inside a step: the loop below goes on where it left off.
  if (feeding_) return;
  const Step step{*this, From::kLoop};
  if (closing_) return;
  if (!begin_engine()) return break_off(Errc::kNoMemory);
  feeding_ = true;
  serve_admitted();
  const std::uint32_t requests = requests_;
  while (!closing_ && feed_some()) {
    tell_news();
    if (requests_ - requests < kRequestsPerStep) continue;
    wire_.revisit();
    break;
  }
  more_input_ = false;
  feeding_ = false;
}

bool H2Session::begin_engine() noexcept {
  if (engine_ != nullptr) return true;
  engine_ = H2Engine::create(*this, context_.options, context_.memory);
  if (engine_ != nullptr && draining_) engine_->announce_goaway();
  return engine_ != nullptr;
}

bool H2Session::feed_some() noexcept {
  const Input input = wire_.input();
  const H2Piece piece = frames_.next(input.bytes);
  if (piece.kind == H2Piece::Kind::kNeedMore) return await_input(input);
  partial_ = false;
  if (piece.kind == H2Piece::Kind::kFlood) {
    end_flood();
    return false;
  }
  if (piece.kind == H2Piece::Kind::kFrame && !admit_frame(piece)) return false;
  block_bytes_ = piece.bytes;
  const bool fed = engine_->feed(input.bytes.first(piece.bytes));
  more_input_ = input.bytes.size() > piece.bytes;
  wire_.consume(piece.bytes);
  if (!fed) {
    // What cannot be answered any more: not our preface, or too many answers wait.
    engine_->broken() ? break_off(Errc::kNoMemory) : end_flood();
    return false;
  }
  if (std::exchange(head_ended_, false)) take_head();
  head_.reset();
  if (std::exchange(ping_answered_, false) && draining_ && !std::exchange(goaway_sent_, true)) {
    engine_->goaway();
  }
  if (calm_) end_flood();
  return !closing_;
}

bool H2Session::await_input(const Input& input) noexcept {
  const Input more = wire_.more_input();
  if (more.bytes.size() > input.bytes.size()) return true;
  partial_ = !more.bytes.empty();
  if (more.state == InputState::kEnded) input_ended();
  return false;
}

// The peer sends no more; what it asked for completely is still answered.
void H2Session::input_ended() noexcept {
  if (std::exchange(input_ended_, true)) return;
  streams_.for_each([this](H2Member& member) {
    auto& exchange = static_cast<H2Exchange&>(member);
    if (exchange.request_done_ || exchange.over_) return;
    exchange.failure_ = Errc::kTruncated;
    note_news(exchange);
  });
}

// --- what frames cost, and whose they are

bool H2Session::admit_frame(const H2Piece& piece) noexcept {
  if (!afford(piece.head)) {
    end_flood();
    return false;
  }
  // nghttp2 looks at no PRIORITY where the client was told that it counts for nothing.
  const bool misplaced = piece.head.type == H2FrameType::kPriority && piece.head.stream == 0;
  if (piece.self_dependent || misplaced) {
    terminate(H2Code::kProtocolError, Errc::kBadFrame);
    return false;
  }
  return judge_stream(piece.head);
}

// The frames that a peer can send for nothing. Data and requests are limited by windows and places.
bool H2Session::afford(const H2FrameHead& head) noexcept {
  // A thousand of these at once, then 33 a second: each makes us answer, or change our ways.
  constexpr std::uint32_t kDear = 10;
  const auto spend = [this](std::uint32_t cost) { return glitches_.spend(cost, wire_.now()); };
  switch (head.type) {
    case H2FrameType::kData:
      return head.length > 0 || head.has(kH2EndStream) || spend(1);
    case H2FrameType::kHeaders:
    case H2FrameType::kContinuation:
    case H2FrameType::kPushPromise:
      return true;
    case H2FrameType::kSettings:
    case H2FrameType::kPing:
      return spend(head.has(kH2Ack) ? 1 : kDear);
    case H2FrameType::kGoaway:
      return spend(kDear);
    case H2FrameType::kWindowUpdate:
      if (window_updates_ == 0) return spend(1);
      --window_updates_;
      return true;
    default:
      return spend(1);
  }
}

// Which of the streams that the engine does not know may get a frame. Source: RFC 9113 section 5.1.
bool H2Session::judge_stream(const H2FrameHead& head) noexcept {
  if (head.type != H2FrameType::kData && head.type != H2FrameType::kHeaders) return true;
  const auto id = static_cast<H2StreamId>(head.stream);
  if (id % 2 == 0) return true;  // The engine has its answer to that.
  if (id > last_id_) {
    if (head.type != H2FrameType::kHeaders) return true;
    if (id > last_id_ + 2) gap_begin_ = last_id_;
    if (id <= last_id_ + 2) gap_begin_ = id;
    last_id_ = id;
    return true;
  }
  if (engine_->knows(id) || goaway_sent_ || was_reset(id)) return true;
  // Closed by both sides, or by the peer: no frame may follow. Or skipped, and closed by that.
  const bool skipped = head.type == H2FrameType::kHeaders && id > gap_begin_ && id < last_id_;
  terminate(skipped ? H2Code::kProtocolError : H2Code::kStreamClosed, Errc::kBadFrame);
  return false;
}

void H2Session::remember_reset(H2StreamId id) noexcept {
  reset_ids_[reset_next_++ % reset_ids_.size()] = id;
}

bool H2Session::was_reset(H2StreamId id) const noexcept {
  return std::ranges::find(reset_ids_, id) != reset_ids_.end();
}

// --- events of the engine

bool H2Session::on_head(H2StreamId id, H2HeadKind kind) noexcept {
  head_.reset();
  if (kind == H2HeadKind::kRequest && (occupied_ >= context_.options.streams_max || calm_)) {
    remember_reset(id);
    return false;
  }
  const std::span<char> text = context_.head_text();
  if (text.empty()) {
    remember_reset(id);
    return false;
  }
  head_.emplace(context_.shared.limits, context_.shared.head, text, block_bytes_);
  head_kind_ = kind;
  head_id_ = id;
  return true;
}

void H2Session::on_field(std::string_view name, std::string_view value) noexcept {
  if (!head_) return;
  if (head_kind_ == H2HeadKind::kRequest) {
    head_->note(name, value);
  } else {
    head_->note_trailer(name, value);
  }
}

void H2Session::on_head_end(H2StreamId id, bool last) noexcept {
  if (!head_ || id != head_id_) return;
  head_ended_ = true;
  head_last_ = last;
}

void H2Session::on_data(H2Exchange* stream, std::string_view bytes) noexcept {
  engine_->credit_connection(bytes.size());
  if (stream == nullptr || stream->over_ || stream->failure_) return;
  H2Exchange& exchange = *stream;
  exchange.received_ += bytes.size();
  const std::uint64_t body_bytes_max =
      exchange.may_switch_ ? 0 : context_.shared.limits.body_bytes_max;
  if (exchange.declared_ && exchange.received_ > *exchange.declared_) {
    exchange.failure_ = Errc::kBadContentLength;
  } else if (body_bytes_max != 0 && exchange.received_ > body_bytes_max) {
    exchange.failure_ = Errc::kBodyTooLarge;
  } else if (!exchange.body_.append(bytes, wire_.blocks())) {
    exchange.failure_ = Errc::kNoMemory;
  }
  exchange.body_clock_.credit(context_.options.body, bytes.size(), wire_.now());
  exchange.body_news_ = true;
  note_news(exchange);
}

void H2Session::on_data_end(H2Exchange* stream) noexcept {
  stream->request_done_ = true;
  stream->body_news_ = true;
  if (stream->declared_ && stream->received_ != *stream->declared_ && !stream->failure_) {
    stream->failure_ = Errc::kBadContentLength;
  }
  note_news(*stream);
}

void H2Session::on_stream_closed(H2Exchange* stream, H2Code code) noexcept {
  if (stream == nullptr) {
    if (code != H2Code::kNoError) charge_reset();
    return;
  }
  if (code != H2Code::kNoError && !stream->own_reset_) charge_reset();
  stream->closed_ = true;
  if (std::exchange(stream->lingers_, false)) --lingering_;
  stream->output_.clear();
  sweep_due_ = true;
  if (!stream->over_) note_news(*stream);
}

void H2Session::on_invalid_frame(H2StreamId id) noexcept {
  if (engine_->knows(id)) return;  // Charged when the stream closes.
  remember_reset(id);
  charge_reset();
}

void H2Session::on_reset_sent(H2StreamId id) noexcept {
  remember_reset(id);
}

void H2Session::charge_reset() noexcept {
  if (!resets_.spend(1, wire_.now())) calm_ = true;
}

// --- requests

void H2Session::take_head() noexcept {
  if (head_kind_ == H2HeadKind::kTrailers) {
    end_with_trailers(head_id_, head_last_);
  } else {
    begin(head_id_, head_last_);
  }
}

void H2Session::record_refusal(const PartialHead& head, Errc error) noexcept {
  const OpenRecord record = context_.shared.refused(head, wire_.endpoints());
  context_.shared.over(record, {.outcome = Outcome::kAborted, .error = error});
}

void H2Session::begin(H2StreamId id, bool last) noexcept {
  std::optional<Errc> error = head_->finish(!last);
  if (error && H2Head::is_malformed(*error)) {
    record_refusal(head_->partial(), *error);
    engine_->reset(id, H2Code::kProtocolError);
    return;
  }
  if (error) return refuse(id, nullptr, last, *error);
  Request request = head_->request();
  if (head_->priority()) {
    engine_->prioritize(id, head_->priority()->urgency, head_->priority()->incremental);
  }
  const std::uint64_t body_bytes_max = context_.shared.limits.body_bytes_max;
  if (body_bytes_max != 0 && request.content_length.value_or(0) > body_bytes_max) {
    return refuse(id, &request, last, Errc::kBodyTooLarge);
  }
  const bool admitted = context_.shared.admission.try_enter();
  H2Exchange* exchange = make_exchange(id, request, last);
  if (exchange == nullptr) {
    if (admitted) context_.shared.admission.leave();
    return engine_->reset(id, H2Code::kRefusedStream);
  }
  exchange->expects_continue_ = head_->expects_continue() && !last;
  exchange->occupies_ = true;
  ++occupied_;
  if (!admitted) return enqueue(*exchange, request);
  exchange->admitted_ = true;
  serve(*exchange, request, head_->fields(), std::chrono::nanoseconds{0});
}

H2Exchange* H2Session::make_exchange(H2StreamId id, const Request& request, bool last) noexcept {
  H2Exchange* exchange = context_.exchanges.make(*this, id, request, wire_.now());
  if (exchange == nullptr) return nullptr;
  exchange->request_done_ = last;
  streams_.push_back(*exchange);
  if (engine_->attach(id, exchange)) return exchange;
  exchange->over_ = exchange->closed_ = true;
  sweep_due_ = true;
  return nullptr;
}

void H2Session::end_with_trailers(H2StreamId id, bool last) noexcept {
  H2Exchange* found = engine_->find(id);
  if (found == nullptr) return;
  H2Exchange& exchange = *found;
  const std::optional<Errc> error = last ? head_->error() : Errc::kBadField;
  exchange.request_done_ = last;
  if (exchange.over_ || exchange.failure_) return;
  const std::span<const Field> trailers = head_->trailers();
  if (error) {
    exchange.failure_ = error;
  } else if (exchange.declared_ && exchange.received_ != *exchange.declared_) {
    exchange.failure_ = Errc::kBadContentLength;
  } else if (!trailers.empty()) {
    exchange.trailers_block_ = wire_.blocks().take(copy_bytes(trailers));
    if (exchange.trailers_block_) {
      exchange.trailers_ = copy(trailers, exchange.trailers_block_.data());
    } else {
      exchange.failure_ = Errc::kNoMemory;
    }
  }
  exchange.body_news_ = true;
  note_news(exchange);
}

}  // namespace tercel::http
