#include "tercel/http/h1_body.h"

#include <algorithm>
#include <cstring>

#include "tercel/base/percent.h"
#include "tercel/http/chars.h"
#include "tercel/http/h1_field.h"
#include "tercel/http/scan.h"

namespace tercel::http {
namespace {

// A 64-bit number without more than its own digits: leading zeros are counted.
constexpr int kSizeDigitsMax = 16;
constexpr std::uint64_t kChunkAllowance = 16;  // Overhead that is never counted.

const char* skip_blanks(const char* at, const char* end) noexcept {
  while (at != end && is_blank(*at)) ++at;
  return at;
}

Piece parse_size(const char*& at, const char* end, std::uint64_t& size) noexcept {
  size = 0;
  for (int digits = 0; at != end; ++digits, ++at) {
    const int value = hex_value(*at);
    if (value < 0) return digits == 0 ? Piece::kBad : Piece::kDone;
    if (digits == kSizeDigitsMax) return Piece::kBad;
    size = size << 4 | static_cast<std::uint64_t>(value);
  }
  return Piece::kNeedMore;
}

Piece skip_token(const char*& at, const char* end) noexcept {
  const char* const begin = at;
  while (at != end && kToken.has(*at)) ++at;
  if (at == end) return Piece::kNeedMore;
  return at == begin ? Piece::kBad : Piece::kDone;
}

// Source: RFC 9110 section 5.6.4. REQUIRES: *at is the opening quote.
Piece skip_quoted_string(const char*& at, const char* end) noexcept {
  for (++at; at != end; ++at) {
    if (*at == '"') {
      ++at;
      return Piece::kDone;
    }
    if (*at == '\\' && ++at == end) break;
    if (scan::ValueEnd::stops(static_cast<std::uint8_t>(*at))) return Piece::kBad;
  }
  return Piece::kNeedMore;
}

// To the CR that ends the line: *( BWS ";" BWS token [ BWS "=" BWS ( token / quoted-string ) ] ).
// The extensions themselves are of no use to anyone. Source: RFC 9112 section 7.1.1.
Piece skip_extensions(const char*& at, const char* end) noexcept {
  for (;;) {
    const char* const begin = at;
    at = skip_blanks(at, end);
    if (at == end) return Piece::kNeedMore;
    if (*at == '\r') return at == begin ? Piece::kDone : Piece::kBad;
    if (*at != ';') return Piece::kBad;

    at = skip_blanks(at + 1, end);
    if (const Piece name = skip_token(at, end); name != Piece::kDone) return name;
    const char* const equals = skip_blanks(at, end);
    if (equals == end) return Piece::kNeedMore;
    if (*equals != '=') continue;

    at = skip_blanks(equals + 1, end);
    if (at == end) return Piece::kNeedMore;
    const Piece value = *at == '"' ? skip_quoted_string(at, end) : skip_token(at, end);
    if (value != Piece::kDone) return value;
  }
}

Parsed parse_chunk_line(char* line, const char* end, std::uint64_t& size) noexcept {
  const char* at = line;
  Piece piece = parse_size(at, end, size);
  if (piece == Piece::kDone && *at != '\r') piece = skip_extensions(at, end);
  return piece == Piece::kDone ? parse_line_end(line + (at - line), end) : stopped(piece);
}

std::span<char> up_to(std::span<char> bytes, std::size_t max) noexcept {
  return bytes.first(std::min(bytes.size(), max));
}

void drop_until(std::span<char>& bytes, const char* at) noexcept {
  bytes = bytes.subspan(static_cast<std::size_t>(at - bytes.data()));
}

}  // namespace

BodyDecoder BodyDecoder::length(std::uint64_t bytes) noexcept {
  BodyDecoder decoder;
  decoder.left_ = bytes;
  decoder.state_ = bytes == 0 ? State::kDone : State::kLength;
  return decoder;
}

BodyDecoder BodyDecoder::chunked() noexcept {
  BodyDecoder decoder;
  decoder.state_ = State::kChunkLine;
  return decoder;
}

BodyDecoder BodyDecoder::unframed() noexcept {
  BodyDecoder decoder;
  decoder.state_ = State::kUnframed;
  return decoder;
}

BodyPart BodyDecoder::decode(std::span<char> input, const Limits& limits,
                             HeadBuffer& fields) noexcept {
  if (state_ == State::kDone) return {BodyStatus::kEnd, {}, 0, {}, {}};
  if (state_ == State::kLength) return decode_length(input, limits);
  if (state_ == State::kUnframed) {
    const BodyStatus status = input.empty() ? BodyStatus::kNeedMore : BodyStatus::kData;
    return {status, {}, input.size(), {input.data(), input.size()}, {}};
  }
  return decode_chunked(input, limits, fields);
}

BodyPart BodyDecoder::decode_length(std::span<char> input, const Limits& limits) noexcept {
  if (limits.body_bytes_max != 0 && left_ > limits.body_bytes_max) {
    return {BodyStatus::kBad, Errc::kBodyTooLarge, 0, {}, {}};
  }
  if (input.empty()) return {BodyStatus::kNeedMore, {}, 0, {}, {}};
  const auto bytes = static_cast<std::size_t>(std::min<std::uint64_t>(left_, input.size()));
  left_ -= bytes;
  if (left_ == 0) state_ = State::kDone;
  const BodyStatus status = done() ? BodyStatus::kEnd : BodyStatus::kData;
  return {status, {}, bytes, {input.data(), bytes}, {}};
}

BodyPart BodyDecoder::decode_chunked(std::span<char> input, const Limits& limits,
                                     HeadBuffer& fields) noexcept {
  BodyPart part{BodyStatus::kNeedMore, {}, 0, {}, {}};
  std::span<char> rest = input;
  Result<bool> taken = true;
  while (taken && *taken && part.status == BodyStatus::kNeedMore) {
    switch (state_) {
      case State::kChunkEnd:
        taken = take_chunk_end(rest);
        break;
      case State::kChunkLine:
        taken = take_chunk_line(rest, limits);
        break;
      case State::kTrailers:
        taken = take_trailers(rest, limits, fields, part.trailers);
        break;
      case State::kChunkData: {
        if (rest.empty()) taken = false;
        const auto bytes = static_cast<std::size_t>(std::min<std::uint64_t>(left_, rest.size()));
        part.data = {rest.data(), bytes};
        rest = rest.subspan(bytes);
        left_ -= bytes;
        if (left_ == 0) state_ = State::kChunkEnd;
        if (bytes != 0) part.status = BodyStatus::kData;
        break;
      }
      default:
        part.status = BodyStatus::kEnd;
    }
  }
  if (!taken) {
    part.status = BodyStatus::kBad;
    part.error = taken.error();
  }
  part.consumed = input.size() - rest.size();
  return part;
}

// Whether this call need not look: no line ended since the last one found it incomplete, and what
// is there is below the limit at which it is judged before it ends.
bool BodyDecoder::nothing_new(std::span<const char> input, std::size_t limit) noexcept {
  const std::size_t seen = std::min<std::size_t>(looked_at_, input.size());
  looked_at_ = static_cast<std::uint32_t>(input.size());
  return seen != 0 && input.size() < limit &&
         (input.size() == seen ||
          std::memchr(input.data() + seen, '\n', input.size() - seen) == nullptr);
}

Result<bool> BodyDecoder::take_chunk_end(std::span<char>& input) noexcept {
  const Parsed line = parse_line_end(input.data(), input.data() + input.size());
  if (line.piece == Piece::kBad) return fail(Errc::kBadChunk);
  if (line.piece == Piece::kNeedMore) return false;
  drop_until(input, line.next);
  state_ = State::kChunkLine;
  return true;
}

Result<bool> BodyDecoder::take_chunk_line(std::span<char>& input, const Limits& limits) noexcept {
  const std::span<char> window = up_to(input, limits.chunk_line_bytes_max);
  char* const begin = window.data();
  std::uint64_t size = 0;
  const Parsed line = nothing_new(window, limits.chunk_line_bytes_max)
                          ? stopped(Piece::kNeedMore)
                          : parse_chunk_line(begin, begin + window.size(), size);
  if (line.piece == Piece::kNeedMore && input.size() < limits.chunk_line_bytes_max) return false;
  if (line.piece != Piece::kDone) return fail(Errc::kBadChunk);

  const auto line_bytes = static_cast<std::size_t>(line.next - begin);
  if (auto charged = charge(size, line_bytes, limits); !charged) return fail(charged.error());
  drop_until(input, line.next);
  looked_at_ = 0;
  left_ = size;
  state_ = size == 0 ? State::kTrailers : State::kChunkData;
  return true;
}

Result<void> BodyDecoder::charge(std::uint64_t data_bytes, std::size_t line_bytes,
                                 const Limits& limits) noexcept {
  const std::uint64_t max = limits.body_bytes_max == 0 ? INT64_MAX : limits.body_bytes_max;
  if (seen_ > max || data_bytes > max - seen_) return fail(Errc::kBodyTooLarge);
  seen_ += data_bytes;
  const std::uint64_t overhead = overhead_ + line_bytes;
  const std::uint64_t allowed = std::min(overhead, kChunkAllowance + 2 * data_bytes);
  if (overhead - allowed > kOverheadBytesMax) return fail(Errc::kBadChunk);
  overhead_ = static_cast<std::uint16_t>(overhead - allowed);
  return {};
}

Result<bool> BodyDecoder::take_trailers(std::span<char>& input, const Limits& limits,
                                        HeadBuffer& fields,
                                        std::span<const Field>& trailers) noexcept {
  const std::span<char> section = up_to(input, limits.trailer_bytes_max);
  const Result<bool> incomplete =
      input.size() < limits.trailer_bytes_max ? Result<bool>{false} : fail(Errc::kTrailersTooLarge);
  if (nothing_new(section, limits.trailer_bytes_max)) return incomplete;

  char* at = section.data();
  char* const end = at + section.size();
  const std::size_t fields_max = std::min(limits.fields_max, kFieldsMax);
  std::size_t kept = 0;
  for (std::size_t count = 0; at != end && *at != '\r'; ++count) {
    if (count == fields_max) return fail(Errc::kTooManyFields);
    Field& field = fields.fields[kept];
    const Parsed line = parse_field_line(at, end, field);
    if (line.piece == Piece::kBad) return fail(Errc::kBadField);
    if (line.piece == Piece::kNeedMore) return incomplete;
    if (may_be_trailer(field.name)) ++kept;
    at = line.next;
  }
  const Parsed empty_line = parse_line_end(at, end);
  if (empty_line.piece == Piece::kBad) return fail(Errc::kBadField);
  if (empty_line.piece == Piece::kNeedMore) return incomplete;

  drop_until(input, empty_line.next);
  trailers = {fields.fields.data(), kept};
  state_ = State::kDone;
  return true;
}

}  // namespace tercel::http
