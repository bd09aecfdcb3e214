// One field line of HTTP/1: shared by heads and trailers, requests and responses.
//
// Internal to tercel/http. Source: RFC 9112 section 5, RFC 9110 section 5. Tested through
// h1_head_test.cc and h1_body_test.cc.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <span>
#include <string_view>

#include "tercel/base/errors.h"
#include "tercel/http/chars.h"
#include "tercel/http/message.h"
#include "tercel/http/scan.h"

namespace tercel::http {

// The verdict on a piece of a message depends on its bytes in order: what is kBad stays kBad
// whatever follows, so a message can be presented in any parts with the same result.
enum class Piece : std::uint8_t { kDone, kNeedMore, kBad };

// Where a parser stands. `next`: behind the piece, if kDone.
struct Parsed {
  char* next;
  Piece piece;
};

constexpr Parsed stopped(Piece why) noexcept {
  return {nullptr, why};
}

// CRLF; nothing else ends a line.
inline Parsed parse_line_end(char* at, const char* end) noexcept {
  if (at == end) return stopped(Piece::kNeedMore);
  if (*at != '\r') return stopped(Piece::kBad);
  if (end - at == 1) return stopped(Piece::kNeedMore);
  if (at[1] != '\n') return stopped(Piece::kBad);
  return {at + 2, Piece::kDone};
}

// The first byte that is none of a field name; `end` when there is none.
inline const char* find_name_end(const char* at, const char* end) noexcept {
  const char* stop = scan::find<scan::NameEnd>(at, end);
  while (stop != end && kToken.has(*stop)) ++stop;
  return stop;
}

// "name: value CRLF" at `name`, which is turned to lower case if kDone. No white space may precede
// the colon, nor begin the line: it would continue the line before.
[[gnu::always_inline]] inline Parsed parse_field_line(char* name, char* end,
                                                      Field& field) noexcept {
  char* const colon = name + (find_name_end(name, end) - name);
  if (colon == end) return stopped(Piece::kNeedMore);
  if (*colon != ':' || colon == name) return stopped(Piece::kBad);

  char* value = colon + 1;
  while (value != end && is_blank(*value)) ++value;
  char* stop = value + (scan::find<scan::ValueEnd>(value, end) - value);
  const Parsed line = parse_line_end(stop, end);
  if (line.piece != Piece::kDone) return line;
  while (stop != value && is_blank(stop[-1])) --stop;

  // Written only now: a load that overlaps a fresh store would wait for it.
  const auto name_bytes = static_cast<std::size_t>(colon - name);
  scan::lower(name, name_bytes, end);
  field = {{name, name_bytes}, {value, static_cast<std::size_t>(stop - value)}};
  return line;
}

// The field lines of a head, with the empty line that ends them. `count`: of the complete ones,
// which are in `fields`. `note(field)` judges each: an error, or none. `error`: if kBad.
template <typename Note>
[[gnu::always_inline]] inline Parsed parse_field_lines(char* at, char* end, std::span<Field> fields,
                                                       std::size_t& count, Errc& error,
                                                       Note note) noexcept {
  for (count = 0;; ++count) {
    if (at == end) return stopped(Piece::kNeedMore);
    if (*at == '\r') {
      const Parsed line = parse_line_end(at, end);
      if (line.piece == Piece::kBad) error = Errc::kBadField;
      return line;
    }
    if (count == fields.size()) {
      error = Errc::kTooManyFields;
      return stopped(Piece::kBad);
    }
    const Parsed line = parse_field_line(at, end, fields[count]);
    if (line.piece == Piece::kBad) error = Errc::kBadField;
    if (line.piece != Piece::kDone) return line;
    if (const std::optional<Errc> fault = note(fields[count])) {
      error = *fault;
      return stopped(Piece::kBad);
    }
    at = line.next;
  }
}

// No line ended among the bytes behind the first `seen`.
inline bool no_line_ended(std::span<const char> bytes, std::size_t seen) noexcept {
  return bytes.size() <= seen ||
         std::memchr(bytes.data() + seen, '\n', bytes.size() - seen) == nullptr;
}

// Whether a field may stand in a trailer section, where it was not seen when the message was
// judged. `name` in lower case. Source: RFC 9110 section 6.5.1.
[[nodiscard]] bool may_be_trailer(std::string_view name) noexcept;

}  // namespace tercel::http
