// What a Call sends.
#include <array>
#include <span>
#include <string_view>
#include <utility>

#include "tercel/http/h1_writer.h"
#include "tercel/http/keep.h"
#include "tercel/proxy/call.h"

namespace tercel::proxy {
using http::Final;

namespace {

constexpr std::string_view kCrlf = "\r\n";
constexpr std::string_view kCrlfLastChunk = "\r\n0\r\n\r\n";

}  // namespace

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

}  // namespace tercel::proxy
