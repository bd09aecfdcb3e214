#include "response_reader.h"

#include "tercel/base/parse_number.h"
#include "tercel/http/chars.h"
#include "tercel/http/limits.h"

namespace tercel::load {
namespace {

using http::Parsed;
using http::Piece;
using http::stopped;

constexpr std::string_view kVersion = "HTTP/1.1 ";
constexpr std::size_t kStatusDigits = 3;
constexpr std::uint16_t kSwitchingProtocols = 101;

constexpr bool is_reason_byte(char c) noexcept {
  return http::is_blank(c) || (static_cast<unsigned char>(c) > 0x20 && c != 0x7F);
}

// No limit but that of its time: a client asked for this body.
constexpr http::Limits kLimits{.body_bytes_max = 0};

}  // namespace

void ResponseReader::reset() noexcept {
  state_ = State::kHead;
  keep_alive_ = true;
  fields_ = {};
  body_ = {};
}

ResponseReader::Event ResponseReader::next(std::span<char>& bytes) noexcept {
  body_ = {};
  switch (state_) {
    case State::kHead:
      return read_head(bytes);
    case State::kBody:
      return read_body(bytes);
    case State::kUntilEnd:
      if (bytes.empty()) return Event::kNeedMore;
      body_ = {bytes.data(), bytes.size()};
      bytes = {};
      return Event::kBody;
    case State::kTunnel:
      break;
  }
  return Event::kNeedMore;
}

ResponseReader::Event ResponseReader::end_of_input(std::span<const char> left) noexcept {
  if (state_ == State::kUntilEnd) return Event::kEnd;
  return state_ == State::kHead && left.empty() ? Event::kNeedMore : Event::kBad;
}

Parsed ResponseReader::read_status_line(char* at, const char* end) noexcept {
  for (const char expected : kVersion) {
    if (at == end) return stopped(Piece::kNeedMore);
    if (*at++ != expected) return stopped(Piece::kBad);
  }
  status_ = 0;
  for (std::size_t i = 0; i < kStatusDigits; ++i, ++at) {
    if (at == end) return stopped(Piece::kNeedMore);
    if (!http::is_digit(*at)) return stopped(Piece::kBad);
    status_ = static_cast<std::uint16_t>(status_ * 10 + (*at - '0'));
  }
  if (status_ < 100 || status_ > 599) return stopped(Piece::kBad);
  // The space stays when there is no reason phrase.
  if (at == end) return stopped(Piece::kNeedMore);
  if (*at++ != ' ') return stopped(Piece::kBad);
  while (at != end && is_reason_byte(*at)) ++at;
  return http::parse_line_end(at, end);
}

bool ResponseReader::note(const http::Field& field) noexcept {
  if (field.name == "content-length") {
    const Result<std::uint64_t> length = parse_decimal(field.value);
    if (!length || length_) return false;
    length_ = *length;
  } else if (field.name == "transfer-encoding") {
    if (chunked_ || !http::equals_ignoring_case(field.value, "chunked")) return false;
    chunked_ = true;
  } else if (field.name == "connection") {
    for (std::string_view rest = field.value; !rest.empty();) {
      if (http::equals_ignoring_case(http::next_element(rest), "close")) keep_alive_ = false;
    }
  }
  return true;
}

// Source: RFC 9112 section 6.3, for responses to GET.
bool ResponseReader::choose_framing() noexcept {
  const bool bodiless = status_ < 200 || status_ == 204 || status_ == 304;
  if (length_ && chunked_) return false;
  if ((status_ < 200 || status_ == 204) && (length_ || chunked_)) return false;
  state_ = State::kBody;
  if (status_ == kSwitchingProtocols) {
    state_ = State::kTunnel;
  } else if (bodiless) {
    decoder_ = http::BodyDecoder{};
  } else if (chunked_) {
    decoder_ = http::BodyDecoder::chunked();
  } else if (length_) {
    decoder_ = http::BodyDecoder::length(*length_);
  } else {
    state_ = State::kUntilEnd;
    keep_alive_ = false;
  }
  return true;
}

ResponseReader::Event ResponseReader::read_head(std::span<char>& bytes) noexcept {
  for (;;) {
    char* const end = bytes.data() + bytes.size();
    const Event incomplete = bytes.size() > kHeadBytesMax ? Event::kBad : Event::kNeedMore;
    length_.reset();
    chunked_ = false;
    keep_alive_ = true;
    fields_ = {};
    Parsed line = read_status_line(bytes.data(), end);
    std::size_t count = 0;
    while (line.piece == Piece::kDone) {
      if (line.next == end) return incomplete;
      if (*line.next == '\r') {
        line = http::parse_line_end(line.next, end);
        break;
      }
      if (count == buffer_.fields.size()) return Event::kBad;
      http::Field& field = buffer_.fields[count];
      line = http::parse_field_line(line.next, end, field);
      if (line.piece == Piece::kDone) {
        if (!note(field)) return Event::kBad;
        ++count;
      }
    }
    if (line.piece == Piece::kBad) return Event::kBad;
    if (line.piece == Piece::kNeedMore) return incomplete;
    if (!choose_framing()) return Event::kBad;
    bytes = bytes.subspan(static_cast<std::size_t>(line.next - bytes.data()));
    fields_ = std::span{buffer_.fields}.first(count);
    if (status_ >= 200 || state_ == State::kTunnel) return Event::kHead;
    state_ = State::kHead;
  }
}

ResponseReader::Event ResponseReader::read_body(std::span<char>& bytes) noexcept {
  // The decoder says kEnd together with the last bytes: those are told first.
  if (decoder_.done()) {
    state_ = State::kHead;
    return Event::kEnd;
  }
  const http::BodyPart part = decoder_.decode(bytes, kLimits, buffer_);
  bytes = bytes.subspan(part.consumed);
  body_ = part.data;
  if (part.status == http::BodyStatus::kBad) return Event::kBad;
  if (!body_.empty()) return Event::kBody;
  if (part.status == http::BodyStatus::kNeedMore) return Event::kNeedMore;
  state_ = State::kHead;
  return Event::kEnd;
}

}  // namespace tercel::load
