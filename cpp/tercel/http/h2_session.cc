// The life of a session: steps, output, time and ends. See h2_session_input.cc for what comes in,
// h2_session_exchanges.cc for what happens to exchanges.
#include "tercel/http/h2_session.h"

#include <algorithm>
#include <new>
#include <utility>

#include "tercel/http/h2_step.h"

namespace tercel::http {
namespace {

// A header block as it arrives: what it may be decoded, and some padding and heads of frames.
constexpr std::size_t block_bytes_max(const Limits& limits) noexcept {
  return limits.head_bytes_max + 2 * kKibibyte;
}

}  // namespace

std::span<char> H2Context::head_text() noexcept {
  const std::size_t bytes = H2Head::text_bytes(shared.limits);
  if (head_text_ == nullptr) head_text_.reset(new (std::nothrow) char[bytes]);
  return {head_text_.get(), head_text_ != nullptr ? bytes : 0};
}

H2Session::H2Session(Wire& wire, H2Context& context) noexcept
    : wire_{wire},
      context_{context},
      sender_{wire},
      frames_{block_bytes_max(context.shared.limits)} {}

H2Session::~H2Session() {
  on_closed(Errc::kClosed);
  while (H2Place* place = places_.pop_front()) place->forget_session();
}

// --- steps

void H2Session::end_step(From from) noexcept {
  if (from == From::kLoop) {
    tell_news();
  } else if (!news_.empty()) {
    wire_.revisit();
  }
  if (!closing_) {
    pump();
    // What was cut may have made room: once more, and what comes of that with the next turn.
    if (from == From::kLoop && !news_.empty()) {
      tell_news();
      pump();
    }
    if (!news_.empty()) wire_.revisit();
    sweep();
  }
  if (!closing_ && engine_ != nullptr) {
    if (engine_->broken() || sender_.broken()) {
      break_off(Errc::kNoMemory);
    } else if (calm_) {
      end_flood();
    } else if (engine_->finished() || (input_ended_ && streams_.empty())) {
      // Where streams are left, the engine ended the connection for what the client sent.
      close(Errc::kBadFrame);
    }
  }
  if (closing_) {
    // on_input() ends the others, from the loop.
    from == From::kLoop ? end_all() : wire_.revisit();
  } else {
    enter_phase();
  }
}

void H2Session::enter_phase() noexcept {
  const bool partial = partial_ || !frames_.between_frames();
  if (!streams_.empty()) {
    if (partial_) {
      partial_clock_.start(context_.options.body, wire_.now());
    } else {
      partial_clock_.stop();
    }
    wire_.enter(Phase::kHandler);
  } else {
    wire_.enter(partial ? Phase::kHead : Phase::kIdle);
  }
}

// --- output

void H2Session::pump() noexcept {
  if (pumping_ || closing_ || engine_ == nullptr) return;
  pumping_ = true;
  while (!wire_.pressed() && !sender_.broken()) {
    const std::string_view bytes = engine_->next_output();
    if (bytes.empty()) break;
    sender_.copy(bytes);
  }
  sender_.flush();
  pumping_ = false;
}

void H2Session::leave(Final final) noexcept {
  if (final == Final::kYes && more_input_) return;  // The end of the step sends it.
  wire_.gather();
  pump();
  wire_.push(final);
}

H2Supply H2Session::on_supply(H2Exchange& stream, std::size_t bytes_max) noexcept {
  using Kind = H2Supply::Kind;
  if (wire_.pressed() || closing_) return {.kind = Kind::kPause};
  const auto bytes =
      static_cast<std::size_t>(std::min<std::uint64_t>(bytes_max, stream.output_.bytes()));
  const bool last = stream.ended_ && bytes == stream.output_.bytes();
  if (bytes == 0 && !last) {
    stream.waiting_ = true;
    return {.kind = Kind::kWait};
  }
  const bool trailers = last && !stream.last_fields_.empty();
  if (trailers) {
    (void)engine_->trailers(stream.id_, stream.last_fields_.view());
    stream.last_fields_.clear();
  }
  return {.kind = Kind::kBytes, .bytes = bytes, .last = last, .trailers = trailers};
}

void H2Session::on_data_frame(H2Exchange& stream, std::string_view head,
                              std::size_t bytes) noexcept {
  constexpr std::uint32_t kUpdatesEarned = 4;
  constexpr std::uint32_t kUpdatesMax = 10'000;
  window_updates_ = std::min(window_updates_ + kUpdatesEarned, kUpdatesMax);
  sender_.copy(head);
  stream.output_.cut(bytes, sender_);
  stream.write_clock_.credit(context_.options.write, bytes, wire_.now());
  if (stream.ended_ && stream.output_.bytes() == 0) stream.end_cut_ = true;
  if (stream.wants_writable_ && stream.writable()) note_news(stream);
}

void H2Session::on_response_sent(H2Exchange& stream, H2StreamId id) noexcept {
  stream.end_cut_ = true;
  if (stream.request_done_) return;
  // What is left of the request is of no use, and a reset says so (RFC 9113, section 8.1); but the
  // little that a client is about to send is waited for: there are those that take the reset for
  // the end of a response that they have not read yet (curl 7.88, error 92).
  if (may_linger(stream)) {
    stream.lingers_ = true;
    stream.lingers_since_ = wire_.now();
    ++lingering_;
  } else {
    engine_->reset(id, H2Code::kNoError);
  }
}

// Whether the rest of a request can be here soon: nothing is wrong with it, and it fits into what
// the client may send.
bool H2Session::may_linger(const H2Exchange& stream) const noexcept {
  constexpr std::uint32_t kLingeringMax = 16;
  if (stream.failure_ || stream.may_switch_ || draining_ || lingering_ == kLingeringMax) {
    return false;
  }
  return !stream.declared_ || *stream.declared_ - stream.received_ <= stream.window_;
}

void H2Session::end_lingering(H2Exchange& stream) noexcept {
  stream.lingers_ = false;
  --lingering_;
  engine_->reset(stream.id_, H2Code::kNoError);
}

void H2Session::on_response_failed(H2Exchange& stream) noexcept {
  stream.send_failed_ = true;
  note_news(stream);
}

// --- what the wire says

void H2Session::on_sent() noexcept {
  const Step step{*this, From::kLoop};
}

void H2Session::on_input_closed() noexcept {
  const Step step{*this, From::kLoop};
  streams_.for_each([](H2Member& member) {
    auto& exchange = static_cast<H2Exchange&>(member);
    if (exchange.observer_ != nullptr) exchange.observer_->on_notice(Notice::kInputClosed);
  });
}

void H2Session::notify_draining() noexcept {
  const Step step{*this, From::kLoop};
  streams_.for_each([](H2Member& member) {
    auto& exchange = static_cast<H2Exchange&>(member);
    if (exchange.observer_ != nullptr) exchange.observer_->on_notice(Notice::kDraining);
  });
}

void H2Session::on_timeout(Errc error) noexcept {
  if (closing_) return;
  const Step step{*this, From::kLoop};
  switch (error) {
    case Errc::kRequestTimeout:
      streams_.for_each([this, found = false](H2Member& member) mutable {
        auto& exchange = static_cast<H2Exchange&>(member);
        if (found || !exchange.is_waited_for()) return;
        found = true;
        fail_exchange(exchange, Errc::kRequestTimeout);
      });
      break;
    case Errc::kWriteTimeout:
      break_off(error);
      break;
    case Errc::kHeadTimeout:
      record_refusal({}, error);
      terminate(H2Code::kEnhanceYourCalm, error);
      break;
    default:
      terminate(H2Code::kNoError, error);
      break;
  }
}

void H2Session::on_tick(std::chrono::nanoseconds now) noexcept {
  if (closing_) return;
  const Step step{*this, From::kLoop};
  if (partial_clock_.expired(now)) {
    return terminate(H2Code::kEnhanceYourCalm, Errc::kBodyTimeout);
  }
  streams_.for_each(
      [this, now](H2Member& member) { check_times(static_cast<H2Exchange&>(member), now); });
}

std::chrono::nanoseconds H2Session::waiting_since() const noexcept {
  std::chrono::nanoseconds since{0};
  streams_.for_each([&since](const H2Member& member) {
    const auto& exchange = static_cast<const H2Exchange&>(member);
    if (since == std::chrono::nanoseconds{0} && exchange.is_waited_for()) since = exchange.started_;
  });
  return since;
}

// --- ends

void H2Session::drain() noexcept {
  if (draining_ || closing_) return;
  draining_ = true;
  const Step step{*this, From::kHandler};
  streams_.for_each([this](H2Member& member) {
    auto& exchange = static_cast<H2Exchange&>(member);
    if (exchange.lingers_) end_lingering(exchange);
  });
  if (engine_ != nullptr) engine_->announce_goaway();
}

void H2Session::terminate(H2Code code, Errc error) noexcept {
  if (engine_ != nullptr) engine_->terminate(code);
  close(error);
}

void H2Session::end_flood() noexcept {
  if (closing_) return;
  record_refusal({}, Errc::kFlooded);
  terminate(H2Code::kEnhanceYourCalm, Errc::kFlooded);
}

bool H2Session::begin_closing(Errc error) noexcept {
  if (std::exchange(closing_, true)) return false;
  end_error_ = error;
  return true;
}

void H2Session::close(Errc error) noexcept {
  if (!begin_closing(error)) return;
  // A GOAWAY leaves; on_supply() has no more bodies to offer.
  if (engine_ != nullptr && !pumping_) {
    while (!sender_.broken()) {
      const std::string_view bytes = engine_->next_output();
      if (bytes.empty()) break;
      sender_.copy(bytes);
    }
  }
  sender_.flush();
  wire_.enter(Phase::kClosing);
  wire_.close_after_send();
}

void H2Session::break_off(Errc error) noexcept {
  if (!begin_closing(error)) return;
  wire_.enter(Phase::kClosing);
  wire_.reset();
}

void H2Session::on_closed(Errc error) noexcept {
  (void)begin_closing(error);
  if (depth_ == 0) end_all();
}

}  // namespace tercel::http
