// The bodies that a Relay takes from one side to the other.
#include <span>
#include <string_view>
#include <utility>

#include "tercel/proxy/relay.h"

namespace tercel::proxy {
using http::BodyState;
using http::Final;
using http::Payload;

namespace {

// A filter has nothing more to say about the bytes that it was given. At the end it is asked once
// more without any, since it may have held something back.
bool is_done(std::string_view left, Final final, const BodyFilter::Passed& passed) noexcept {
  if (!passed.bytes.empty()) return false;
  return passed.consumed == 0 || (left.empty() && final == Final::kNo);
}

}  // namespace

// The one place that decides it. Who reads knows the rest: whether enough is left of a body with a
// length, nothing of it is in memory, the stream has no TLS, and there is a pipe.
bool Relay::goes_unseen(Way way) const noexcept {
  const BodyFilter* const filter = way == Way::kUp ? filters_.request : filters_.response;
  if (filters_.throttle != nullptr || (filter != nullptr && !filter->passes_all())) return false;
  return way == Way::kUp ? call_.takes_pipes() : exchange_.takes_pipes();
}

template <typename Write>
bool Relay::run_filter(BodyFilter* filter, std::string_view& bytes, Final final,
                       const Write& write) noexcept {
  if (filter == nullptr || filter->passes_all()) return true;
  std::string_view left = std::exchange(bytes, {});
  for (;;) {
    const auto passed = filter->pass(left, final);
    if (!passed) {
      refuse(passed.error());
      return false;
    }
    left.remove_prefix(passed->consumed);
    if (!passed->bytes.empty() && !write(passed->bytes)) return false;
    if (is_done(left, final, *passed)) return true;
  }
}

// --- the request

void Relay::pump_request() noexcept {
  while (!over_ && !request_over_ && !response_over_ && call_.writable()) {
    if (held_up(Way::kUp)) return;
    Pipe pipe;
    const http::BodyRead part =
        goes_unseen(Way::kUp) ? exchange_.read_body_into(pipe) : exchange_.read_body();
    tell_throttle(Way::kUp, part.bytes.size());
    if (part.state == BodyState::kPending) return;
    if (part.state == BodyState::kFailed) {
      // The exchange tells the client what was wrong with its request, and ends.
      request_over_ = true;
      call_.close();
      return;
    }
    const bool last = part.state == BodyState::kEnd;
    const Final final = last ? Final::kYes : Final::kNo;
    body_touched_ |= !filters_.repeats && (last || pipe || !part.bytes.empty());
    if (!(pipe ? pass_on_request(std::move(pipe), final) : pass_on_request(part.bytes, final))) {
      return;
    }
    request_over_ = last;
  }
  if (tunnel_ && request_over_ && !response_over_ && !over_ && call_.drained()) {
    // The client left the tunnel, and the origin has what it said before: nobody would hear what
    // still comes.
    response_over_ = true;
    call_.close();
    (void)exchange_.write({}, Final::kYes);
  }
}

bool Relay::pass_on_request(Pipe pipe, Final final) noexcept {
  // A body with a length, so it has no trailers.
  const Result<void> sent = call_.write_pipe(std::move(pipe), final);
  if (!sent) refuse(sent.error());
  return sent.has_value();
}

bool Relay::pass_on_request(std::string_view bytes, Final final) noexcept {
  const auto went = [this](const Result<void>& sent) {
    if (!sent) refuse(sent.error());  // A filter whose bytes are not as many as the head says.
    return sent.has_value();
  };
  const auto write = [&](std::string_view part) {
    return went(call_.write(Payload::borrow(part), Final::kNo));
  };
  if (!run_filter(filters_.request, bytes, final, write)) return false;
  const bool last = final == Final::kYes;
  const std::span<const http::Field> trailers =
      last && passes_trailers_ ? exchange_.request_trailers() : std::span<const http::Field>{};
  if (trailers.empty()) {
    return (bytes.empty() && !last) || went(call_.write(Payload::borrow(bytes), final));
  }
  return (bytes.empty() || write(bytes)) && went(call_.finish(trailers));
}

// --- the response

void Relay::pump_response() noexcept {
  if (alone_) return read_alone();
  if (!started_) return;
  call_.begin_step();
  while (!over_ && !response_over_ && exchange_.writable() && !held_up(Way::kDown)) {
    Pipe pipe;
    const http::BodyRead part =
        goes_unseen(Way::kDown) ? call_.read_body_into(pipe) : call_.read_body();
    tell_throttle(Way::kDown, part.bytes.size());
    if (part.state == BodyState::kFailed) break;
    if (part.state == BodyState::kPending) break;
    const bool last = part.state == BodyState::kEnd;
    response_over_ = last;
    head_released_ = true;
    const Final final = last ? Final::kYes : Final::kNo;
    if (!(pipe ? pass_on_response(std::move(pipe), final) : pass_on_response(part.bytes, final))) {
      break;
    }
    if (!last && end_early(BodyFilter::Rest::kMayCome)) break;
  }
  if (!over_ && !response_over_ && !head_released_ && !holds_head()) {
    // A head without a body yet need not wait for it. Behind what the client did not take it waits,
    // and on_writable() follows.
    head_released_ = true;
    (void)exchange_.write({}, Final::kNo);
  }
  // The next request may have the connection now, though on_end() may come later.
  if (response_over_) call_.close();
  call_.end_step();
}

bool Relay::end_early(BodyFilter::Rest rest) noexcept {
  if (filters_.response == nullptr) return false;
  const std::string_view end = filters_.response->end_early(rest);
  if (end.empty()) return false;
  head_released_ = response_over_ = true;
  (void)exchange_.write(Payload::borrow(end), Final::kYes);
  return true;
}

bool Relay::pass_on_response(Pipe pipe, Final final) noexcept {
  return exchange_.write_pipe(std::move(pipe), final).has_value();
}

bool Relay::pass_on_response(std::string_view bytes, Final final) noexcept {
  const auto write = [this](std::string_view part) {
    return exchange_.write(Payload::borrow(part), Final::kNo).has_value();
  };
  if (!run_filter(filters_.response, bytes, final, write)) return false;
  const bool last = final == Final::kYes;
  if (bytes.empty() && !last && holds_head()) return true;
  const std::span<const http::Field> trailers =
      last ? call_.trailers() : std::span<const http::Field>{};
  if (trailers.empty()) return exchange_.write(Payload::borrow(bytes), final).has_value();
  return (bytes.empty() || write(bytes)) && exchange_.finish(trailers).has_value();
}

// --- how fast

bool Relay::held_up(Way way) noexcept {
  if (filters_.throttle == nullptr || (way == Way::kDown && holds_head())) return false;
  net::Loop& loop = context_.calls.loop;
  const auto body_bytes = way == Way::kUp ? request_.content_length : response_bytes_;
  const auto wait = filters_.throttle->wait(way, body_bytes, loop.now());
  if (wait == wait.zero()) return false;
  loop.timers().arm_by(pause_, loop.now() + wait);
  return true;
}

void Relay::tell_throttle(Way way, std::size_t bytes) noexcept {
  if (filters_.throttle != nullptr && bytes != 0) {
    filters_.throttle->passed(way, bytes, context_.calls.loop.now());
  }
}

}  // namespace tercel::proxy
