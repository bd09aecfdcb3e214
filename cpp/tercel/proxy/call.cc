#include "tercel/proxy/call.h"

#include <array>
#include <utility>

#include "tercel/base/assert.h"
#include "tercel/http/h1_writer.h"
#include "tercel/http/keep.h"

namespace tercel::proxy {
using http::BodyState;
using http::Final;
using std::chrono::nanoseconds;

namespace {

constexpr std::string_view kCrlf = "\r\n";
constexpr std::string_view kCrlfLastChunk = "\r\n0\r\n\r\n";

http::BodyDecoder decoder_for(const http::ResponseHead& head) noexcept {
  switch (head.framing) {
    case http::ResponseFraming::kNone:
      return {};
    case http::ResponseFraming::kLength:
      return http::BodyDecoder::length(head.content_length.value_or(0));
    case http::ResponseFraming::kChunked:
      return http::BodyDecoder::chunked();
    case http::ResponseFraming::kUntilClose:
      return http::BodyDecoder::unframed();
  }
  return {};
}

}  // namespace

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

// --- the response

void Call::read_head() noexcept {
  for (;;) {
    const std::span<char> bytes = connection_->unread();
    if (bytes.size() > head_seen_) {
      answered_ = true;
      progress_ = context_.loop.now();
      const http::ResponseHead head = http::parse_response_head(bytes, head_seen_, answer_to_,
                                                                context_.limits, context_.fields);
      if (head.verdict == http::HeadStatus::kBad) return fail_with(Errc::kUpstreamMalformed);
      if (head.verdict == http::HeadStatus::kDone) {
        connection_->consume(head.bytes);
        head_seen_ = 0;
        if (!take_head(head)) return;
        continue;
      }
      head_seen_ = bytes.size();
    }
    const std::size_t most = connection_->filled_pipes() ? http::kHeadReadBytes : SIZE_MAX;
    if (!connection_->fill(most)) return judge_input_end();
  }
}

// True: another head follows.
bool Call::take_head(const http::ResponseHead& head) noexcept {
  if (head.interim()) {
    if (++interims_ > kInterimsMax || head.content_length.value_or(0) > 0) {
      fail_with(Errc::kUpstreamMalformed);
    } else if (head.status != 100) {
      observer_.on_interim(head);
    } else if (awaits_100_) {
      stop_waiting_for_continue();
    }
    return state_ == State::kHead;
  }
  state_ = State::kBody;
  decoder_ = decoder_for(head);
  until_close_ = head.framing == http::ResponseFraming::kUntilClose;
  keep_alive_ = head.keep_alive;
  tunnel_ = head.switches();
  if (tunnel_) {
    request_over_ = false;
    connection_->spoil();
  }
  observer_.on_head(head);
  return false;
}

void Call::judge_input_end() noexcept {
  switch (connection_->input_end()) {
    case InputEnd::kOpen:
      return;
    case InputEnd::kEnded:
      return fail_with(answered_ ? Errc::kUpstreamTruncated : Errc::kUpstreamFailed);
    case InputEnd::kBroken:
      return fail_with(Errc::kUpstreamReset);
    case InputEnd::kNoMemory:
      return fail_with(Errc::kNoMemory);
  }
}

http::BodyRead Call::read_body() noexcept {
  if (state_ == State::kFailed || state_ == State::kNone) return {{}, BodyState::kFailed};
  if (body_over_) return {{}, BodyState::kEnd};
  while (state_ == State::kBody) {
    const std::span<char> bytes = connection_->unread();
    const http::BodyPart part = decoder_.decode(bytes, context_.limits, context_.fields);
    connection_->consume(part.consumed);
    if (part.consumed > 0) progress_ = context_.loop.now();
    switch (part.status) {
      case http::BodyStatus::kData:
        wants_body_ = false;
        return {part.data, BodyState::kMore};
      case http::BodyStatus::kEnd:
        wants_body_ = false;
        body_over_ = true;
        trailers_ = part.trailers;
        return {part.data, BodyState::kEnd};
      case http::BodyStatus::kBad:
        fail_with(Errc::kUpstreamMalformed);
        return {{}, BodyState::kFailed};
      case http::BodyStatus::kNeedMore:
        break;
    }
    if (connection_->fill()) continue;
    if (connection_->input_end() == InputEnd::kEnded && until_close_) {
      wants_body_ = false;
      body_over_ = true;
      return {{}, BodyState::kEnd};
    }
    judge_input_end();
    if (state_ != State::kBody) return {{}, BodyState::kFailed};
    break;
  }
  // The time in which nobody asked is not the origin's.
  if (!wants_body_) progress_ = context_.loop.now();
  wants_body_ = true;
  if (steps_ == 0) arm();
  return {{}, BodyState::kPending};
}

http::BodyRead Call::read_body_into(Pipe& pipe) noexcept {
  const std::uint64_t unseen = state_ == State::kBody ? decoder_.unseen() : 0;
  if (unseen < http::kPipedBytesMin) return read_body();
  if (!connection_->fill(pipe, static_cast<std::size_t>(unseen))) return read_body();
  decoder_.pass(pipe.bytes());
  progress_ = context_.loop.now();
  wants_body_ = false;
  body_over_ = decoder_.done();
  return {{}, body_over_ ? BodyState::kEnd : BodyState::kMore};
}

// --- the request

bool Call::writable() const noexcept {
  return connection_ != nullptr && !awaits_100_ && !request_over_ && !write_failed_ &&
         !output_.ends_in_pipe() && output_.bytes() <= context_.options.output_high_water_bytes;
}

bool Call::takes_pipes() const noexcept {
  return connection_ != nullptr && framing_ == http::Framing::kLength && !tunnel_ &&
         connection_->stream().splices();
}

Result<void> Call::write_pipe(Pipe pipe, Final final) noexcept {
  if (state_ == State::kFailed || write_failed_) return {};
  if (!takes_pipes() || !writable()) return fail(Errc::kIllegalStep);
  if (!count_off(pipe.bytes(), final)) return fail(Errc::kIllegalStep);
  body_sent_ |= pipe.bytes() > 0;
  output_.add(std::move(pipe));
  flush();
  wants_writable_ = !writable();
  if (steps_ == 0) arm();
  return {};
}

bool Call::count_off(std::uint64_t bytes, Final final) noexcept {
  if (bytes > request_left_ || (final == Final::kYes && bytes < request_left_)) return false;
  request_left_ -= bytes;
  request_over_ = request_left_ == 0;
  return true;
}

Result<void> Call::write(http::Payload payload, Final final) noexcept {
  const http::Keep<http::Payload> keep{payload};
  if (state_ == State::kFailed) return {};
  const std::string_view bytes = payload.bytes;
  const bool length_reached = framing_ == http::Framing::kLength && request_over_;
  if (length_reached && bytes.empty()) return {};
  if (connection_ == nullptr || awaits_100_ || request_over_) return fail(Errc::kIllegalStep);
  if (output_.ends_in_pipe()) return fail(Errc::kIllegalStep);
  const bool last = final == Final::kYes;
  if (tunnel_) {
    request_over_ = last;
    if (!bytes.empty()) send(std::array{bytes});
    wants_writable_ = last ? !drained() : !writable();
    if (steps_ == 0) arm();
    return {};
  }
  if (framing_ == http::Framing::kLength) {
    if (!count_off(bytes.size(), final)) return fail(Errc::kIllegalStep);
  } else {
    request_over_ = last;
  }
  body_sent_ |= !bytes.empty();
  if (framing_ == http::Framing::kLength) {
    send(std::array{bytes});
  } else if (!bytes.empty()) {
    std::array<char, http::kChunkLineBytesMax> line;
    char* const end = http::write_chunk_line(line.data(), bytes.size());
    send(std::array{std::string_view{line.data(), static_cast<std::size_t>(end - line.data())},
                    bytes, last ? kCrlfLastChunk : kCrlf});
  } else if (last) {
    send(std::array{http::kLastChunk});
  }
  wants_writable_ = !writable();
  if (steps_ == 0) arm();
  return {};
}

Result<void> Call::finish(std::span<const http::Field> trailers) noexcept {
  if (framing_ != http::Framing::kChunked || trailers.empty()) return write({}, Final::kYes);
  if (state_ == State::kFailed) return {};
  if (connection_ == nullptr || awaits_100_ || request_over_) return fail(Errc::kIllegalStep);
  if (!http::inspect_trailers(trailers)) return fail(Errc::kBadField);
  char* const out = output_.room(http::trailers_bytes_bound(trailers));
  if (out == nullptr) {
    fail_with(Errc::kNoMemory);
    return {};
  }
  output_.added(static_cast<std::size_t>(http::write_trailers(out, trailers) - out));
  request_over_ = true;
  flush();
  if (steps_ == 0) arm();
  return {};
}

void Call::send(std::span<const std::string_view> pieces) noexcept {
  if (write_failed_) return;
  if (!blocked_) {
    std::size_t before = output_.bytes();
    for (const std::string_view piece : pieces) before += piece.size();
    return after_send(output_.send(connection_->stream(), pieces), before);
  }
  for (const std::string_view piece : pieces) {
    if (!output_.add(piece)) return fail_with(Errc::kNoMemory);
  }
}

void Call::flush() noexcept {
  if (connection_ == nullptr || blocked_ || write_failed_ || output_.bytes() == 0) return;
  const std::size_t before = output_.bytes();
  after_send(output_.flush(connection_->stream()), before);
}

void Call::after_send(Sent sent, std::size_t before) noexcept {
  if (output_.bytes() < before && sent != Sent::kBroken) {
    sent_ = true;
    progress_ = context_.loop.now();
  }
  switch (sent) {
    case Sent::kAll:
      return;
    case Sent::kPart:
      blocked_ = true;
      return;
    case Sent::kNoMemory:
      return fail_with(Errc::kNoMemory);
    case Sent::kBroken:
      break;
  }
  // An origin that refuses a request may answer and close before it has read all of it.
  write_failed_ = true;
  output_.clear();
  context_.loop.defer(*this);
}

Progress Call::progress() const noexcept {
  if (answered_) return Progress::kAnswered;
  if (body_sent_) return Progress::kBodySent;
  return sent_ ? Progress::kHeadSent : Progress::kUnsent;
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
  // Before the end of the request the origin may wait for us.
  const bool its_turn = request_over_ || write_failed_ || head_seen_ > 0;
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
