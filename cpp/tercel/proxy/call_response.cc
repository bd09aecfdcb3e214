// What a Call reads.
#include <utility>

#include "tercel/proxy/call.h"

namespace tercel::proxy {
using http::BodyState;

namespace {

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

void Call::read_head() noexcept {
  for (;;) {
    const std::span<char> bytes = connection_->unread();
    if (bytes.size() > head_seen_) {
      answered_ = true;
      // A head that has begun is not waited for longer because more of it drips in.
      if (head_seen_ == 0) progress_ = context_.loop.now();
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

}  // namespace tercel::proxy
