#include "tercel/http/h1_exchange.h"

#include <algorithm>
#include <array>
#include <utility>

#include "tercel/http/error_answer.h"
#include "tercel/http/h1_session.h"
#include "tercel/http/h1_writer.h"
#include "tercel/http/keep.h"

namespace tercel::http {
namespace {

constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";
constexpr std::string_view kCrlf = "\r\n";
// Room that the block of a head keeps for a small body behind it.
constexpr std::size_t kInlineBodyBytes = 256;

char* append(char* out, std::string_view text) noexcept {
  return std::ranges::copy(text, out).out;
}

BodyDecoder decoder_for(const HeadResult& head) noexcept {
  switch (head.framing) {
    case Framing::kNone:
      return {};
    case Framing::kLength:
      return BodyDecoder::length(head.request.content_length.value_or(0));
    case Framing::kChunked:
      return BodyDecoder::chunked();
  }
  return {};
}

}  // namespace

H1Exchange::H1Exchange(H1Session& session, const HeadResult& head,
                       std::chrono::nanoseconds started) noexcept
    : session_{session},
      started_{started},
      decoder_{decoder_for(head)},
      rules_{head.request},
      expects_continue_{head.expects_continue} {
  (void)state_.request(Step::kStart);
  (void)state_.request(Step::kHeadEnd);
}

const Endpoints& H1Exchange::endpoints() const noexcept {
  return session_.wire_.endpoints();
}

// --- the request

BodyRead H1Exchange::read_body() noexcept {
  if (failure_ || response_over_) return {{}, BodyState::kFailed};
  if (decoder_.done()) return {{}, BodyState::kEnd};
  if (expects_continue_ && !rules_.head_released()) {
    expects_continue_ = false;
    session_.wire_.send(Payload::borrow(kContinue));
    session_.wire_.push(Final::kNo);
  }
  bool ended = false;
  const BodyRead read = decode_input(ended);
  if (read.state != BodyState::kPending) return read;
  if (ended) {
    return rules_.is_tunnel() ? BodyRead{{}, BodyState::kEnd} : fail_request(Errc::kTruncated);
  }
  wants_body_ = true;
  if (!rules_.is_tunnel()) session_.wire_.enter(Phase::kBody);
  return read;
}

BodyRead H1Exchange::read_body_into(Pipe& pipe) noexcept {
  const bool open = !failure_ && !response_over_ && !expects_continue_;
  const std::uint64_t unseen = open ? decoder_.unseen() : 0;
  if (unseen < kPipedBytesMin) return read_body();
  const std::size_t bytes = session_.wire_.input_into(pipe, static_cast<std::size_t>(unseen));
  if (bytes == 0) return read_body();
  decoder_.pass(bytes);
  request_bytes_ += bytes;
  return {{}, decoder_.done() ? BodyState::kEnd : BodyState::kMore};
}

BodyRead H1Exchange::arrived_body() noexcept {
  if (failure_ || response_over_) return {{}, BodyState::kFailed};
  if (decoder_.done()) return {{}, BodyState::kEnd};
  if (expects_continue_) return {{}, BodyState::kPending};
  bool ended = false;
  return decode_input(ended);
}

BodyRead H1Exchange::decode_input(bool& ended) noexcept {
  for (Input input = session_.wire_.input();;) {
    const BodyPart part =
        decoder_.decode(input.bytes, session_.context_.limits, session_.context_.head);
    session_.wire_.consume(part.consumed);
    request_bytes_ += part.data.size();
    switch (part.status) {
      case BodyStatus::kData:
        return {part.data, BodyState::kMore};
      case BodyStatus::kEnd:
        trailers_ = part.trailers;
        return {part.data, BodyState::kEnd};
      case BodyStatus::kBad:
        return fail_request(part.error);
      case BodyStatus::kNeedMore:
        break;
    }
    const std::size_t left = input.bytes.size() - part.consumed;
    input = session_.wire_.more_input();
    if (input.bytes.size() > left) continue;
    ended = input.state == InputState::kEnded;
    return {{}, BodyState::kPending};
  }
}

BodyRead H1Exchange::fail_request(Errc error) noexcept {
  failure_ = error;
  // The answer is the session's to send, but not while the handler is in the middle of a call.
  session_.wire_.revisit();
  return {{}, BodyState::kFailed};
}

// --- the head of the response

Result<void> H1Exchange::interim(const Response& response) noexcept {
  if (auto legal = legal_to_answer(); !legal) return legal;
  if (auto legal = rules_.interim(response); !legal) return legal;
  if (rules_.version() == Version::kHttp10) return {};  // RFC 9110 section 15.2.
  Block block = session_.wire_.blocks().take(head_bytes_bound(response) + kCrlf.size());
  if (!block) return fail(Errc::kNoMemory);
  char* out = append(write_head(block.data(), response, {}), kCrlf);
  const auto bytes = static_cast<std::size_t>(out - block.data());
  session_.wire_.send(std::move(block), bytes);
  session_.wire_.push(Final::kNo);
  wants_writable_ = !writable();
  return {};
}

Result<void> H1Exchange::start(const Response& response) noexcept {
  if (auto legal = legal_to_answer(); !legal) return legal;
  // Room first: once the rules took the response there is no way back.
  Block block =
      session_.wire_.blocks().take(head_bytes_bound(response) + session_.context_.default_bytes() +
                                   kFramingBytesMax + kInlineBodyBytes);
  if (!block) {
    this->abort(Errc::kNoMemory);
    return fail(Errc::kNoMemory);
  }
  Result<HeadFacts> facts = rules_.start(response);
  if (!facts) return fail(facts.error());
  const std::string_view defaults = session_.context_.default_fields(
      session_.wire_.unix_time(), facts->has_server, facts->has_date);
  head_ = std::move(block);
  head_bytes_ =
      static_cast<std::size_t>(write_head(head_.data(), response, defaults) - head_.data());
  if (facts->close) session_.forbid_keep_alive();
  if (auto begun = state_.response(Step::kStart); !begun) return begun;
  return rules_.is_tunnel() ? become_tunnel() : Result<void>{};
}

Result<void> H1Exchange::become_tunnel() noexcept {
  decoder_ = BodyDecoder::unframed();
  session_.forbid_keep_alive();
  release_head(0, /*last=*/false, {});
  session_.wire_.enter(Phase::kTunnel);
  session_.wire_.push(Final::kNo);
  return {};
}

bool H1Exchange::body_is_lost() const noexcept {
  // A peer that still waits for 100 Continue may or may not send its body now; a long one costs
  // more than a new connection.
  return !decoder_.done() &&
         (expects_continue_ || decoder_.missing() > session_.context_.limits.drain_bytes_max);
}

void H1Exchange::release_head(std::uint64_t first_bytes, bool last,
                              std::string_view inline_body) noexcept {
  char* out = head_.data() + head_bytes_;
  if (rules_.release_head(last)) out = write_content_length(out, first_bytes);
  const Ending ending = rules_.ending();
  if (ending == Ending::kClose || body_is_lost()) session_.forbid_keep_alive();
  if (ending == Ending::kChunked) out = append(out, kChunkedField);
  if (ending == Ending::kTunnel || rules_.names_protocol()) out = append(out, kSwitchFields);
  if (!session_.keep_alive() && ending != Ending::kTunnel) {
    out = append(out, kCloseField);
  } else if (rules_.version() == Version::kHttp10) {
    out = append(out, kKeepAliveField);
  }
  out = append(out, kCrlf);
  if (ending == Ending::kChunked && first_bytes > 0) out = write_chunk_line(out, first_bytes);
  out = append(out, inline_body);
  const auto bytes = static_cast<std::size_t>(out - head_.data());
  session_.wire_.send(std::move(head_), bytes);
  (void)state_.response(Step::kHeadEnd);
}

bool H1Exchange::fits_behind_head(std::size_t bytes) const noexcept {
  return head_ && bytes + kFramingBytesMax <= head_.capacity() - head_bytes_;
}

// --- the body of the response

Result<void> H1Exchange::legal_to_answer() const noexcept {
  if (failure_) return fail(Errc::kClosed);
  if (response_over_) return fail(Errc::kIllegalStep);
  return {};
}

Result<void> H1Exchange::write(Payload payload, Final final) noexcept {
  Keep<Payload> keep{payload};
  if (auto legal = legal_to_answer(); !legal) return legal;
  const Result<BodyPlan> planned = rules_.write(payload.bytes.size(), final);
  if (!planned) return fail(planned.error());
  const BodyPlan& part = *planned;
  if (part.error == Errc::kResponseTooShort && !rules_.head_released()) return conclude(part);

  payload.bytes = payload.bytes.substr(0, part.bytes);
  if (open_part(part, fits_behind_head(part.bytes) ? payload.bytes : std::string_view{})) {
    Payload passed = keep.pass_on();
    passed.bytes = payload.bytes;
    session_.wire_.send(passed);
  }
  return close_part(part);
}

Result<void> H1Exchange::write_file(FileRange range, Final final) noexcept {
  Keep<FileRange> keep{range};
  if (auto legal = legal_to_answer(); !legal) return legal;
  const Result<BodyPlan> planned = rules_.write(range.count, final);
  if (!planned) return fail(planned.error());
  const BodyPlan& part = *planned;
  if (part.error == Errc::kResponseTooShort && !rules_.head_released()) return conclude(part);

  if (open_part(part, {})) {
    FileRange passed = keep.pass_on();
    passed.count = part.bytes;
    session_.wire_.send_file(passed);
  }
  return close_part(part);
}

bool H1Exchange::takes_pipes() const noexcept {
  return session_.wire_.takes_pipes();
}

Result<void> H1Exchange::write_pipe(Pipe pipe, Final final) noexcept {
  if (auto legal = legal_to_answer(); !legal) return legal;
  const Result<BodyPlan> planned = rules_.write(pipe.bytes(), final);
  if (!planned) return fail(planned.error());
  const BodyPlan& part = *planned;
  if (part.error == Errc::kResponseTooShort && !rules_.head_released()) return conclude(part);

  if (open_part(part, {})) {
    session_.wire_.send_pipe(std::move(pipe), static_cast<std::size_t>(part.bytes));
  }
  return close_part(part);
}

// Sends what goes before the bytes of a part. Returns whether the bytes are still to be sent.
bool H1Exchange::open_part(const BodyPlan& part, std::string_view inline_body) noexcept {
  session_.wire_.gather();
  if (!rules_.head_released()) {
    release_head(part.bytes, part.last, inline_body);
    return part.bytes > inline_body.size();
  }
  if (rules_.ending() == Ending::kChunked && part.bytes > 0) {
    std::array<char, kChunkLineBytesMax> line;
    const char* end = write_chunk_line(line.data(), part.bytes);
    session_.wire_.send(Payload::borrow({line.data(), end}));
  }
  return part.bytes > 0;
}

Result<void> H1Exchange::close_part(const BodyPlan& part) noexcept {
  if (rules_.ending() == Ending::kChunked) {
    if (part.bytes > 0) session_.wire_.send(Payload::borrow(kCrlf));
    if (part.last) session_.wire_.send(Payload::borrow(kLastChunk));
  }
  session_.wire_.push(part.last ? Final::kYes : Final::kNo);
  wants_writable_ = !writable();
  return conclude(part);
}

Result<void> H1Exchange::conclude(const BodyPlan& part) noexcept {
  const std::optional<Errc> error = part.error;
  if (error == Errc::kResponseTooShort) {
    this->abort(*error);
  } else if (part.last) {
    (void)state_.response(Step::kMessageEnd);
    session_.response_over(std::nullopt);
  }
  if (error) return fail(*error);
  return {};
}

Result<void> H1Exchange::finish(std::span<const Field> trailers) noexcept {
  if (auto legal = legal_to_answer(); !legal) return legal;
  const Result<BodyPlan> planned = rules_.finish();
  if (!planned) return fail(planned.error());
  const BodyPlan& part = *planned;
  if (part.error) return conclude(part);
  if (!rules_.head_released()) release_head(0, /*last=*/true, {});
  if (rules_.ending() == Ending::kChunked) {
    const bool wanted = rules_.sends_trailers();
    if (auto sent = send_trailers(wanted ? trailers : std::span<const Field>{}); !sent) {
      // The body is whole; only the trailers are refused.
      session_.wire_.send(Payload::borrow(kLastChunk));
      (void)conclude(part);
      return sent;
    }
  }
  session_.wire_.push(Final::kYes);
  return conclude(part);
}

Result<void> H1Exchange::send_trailers(std::span<const Field> trailers) noexcept {
  if (auto checked = inspect_trailers(trailers); !checked) return checked;
  Block block = session_.wire_.blocks().take(trailers_bytes_bound(trailers));
  if (!block) return fail(Errc::kNoMemory);
  const char* end = write_trailers(block.data(), trailers);
  const auto bytes = static_cast<std::size_t>(end - block.data());
  session_.wire_.send(std::move(block), bytes);
  return {};
}

// --- ends

void H1Exchange::abort(Errc error, std::chrono::seconds retry_after) noexcept {
  if (response_over_) return;
  if (failure_) {
    // The peer is told what was wrong with its request, not what the handler made of it.
    error = *failure_;
    session_.forbid_keep_alive();
  }
  if (body_is_lost()) session_.forbid_keep_alive();
  if (!replace_with_error(error, retry_after)) {
    // The peer sees a body without its end. Where only the close would end it, that is a reset.
    session_.forbid_keep_alive();
    const Ending ending = rules_.ending();
    const bool ends_by_close = ending == Ending::kClose || ending == Ending::kTunnel;
    if (ends_by_close || !rules_.head_released()) session_.break_off();
  }
  session_.response_over(error);
}

bool H1Exchange::replace_with_error(Errc error, std::chrono::seconds retry_after) noexcept {
  head_ = Block{};
  if (rules_.head_released() || info(error).http_status == 0) return false;
  const bool with_body = !rules_.answers_head();
  std::string_view connection = kCloseField;
  if (session_.keep_alive()) {
    connection = rules_.version() == Version::kHttp10 ? kKeepAliveField : std::string_view{};
  }
  const std::uint16_t status = session_.send_error(error, retry_after, with_body, connection);
  if (status == 0) return false;
  rules_.replace(status, with_body ? ErrorAnswer::body_bytes(error) : 0);
  return true;
}

bool H1Exchange::writable() const noexcept {
  return session_.wire_.unsent_bytes() <= session_.context_.limits.output_high_water_bytes;
}

}  // namespace tercel::http
