// One field line of HTTP/1: shared by heads and trailers, requests and responses.
//
// Internal to tercel/http. Source: RFC 9112 section 5, RFC 9110 section 5. Tested through
// h1_head_test.cc and h1_body_test.cc.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "tercel/http/chars.h"
#include "tercel/http/message.h"
#include "tercel/http/scan.h"

namespace tercel::http {

// The verdict on a piece of a message depends on its bytes in order: what is kBad stays kBad
// whatever follows, so a message can be presented in any parts with the same result.
enum class Piece : std::uint8_t { kDone, kNeedMore, kBad };

// CRLF at `at`: moves behind it. Nothing else ends a line.
inline Piece parse_line_end(char*& at, const char* end) noexcept {
  if (at == end) return Piece::kNeedMore;
  if (*at != '\r') return Piece::kBad;
  if (end - at == 1) return Piece::kNeedMore;
  if (at[1] != '\n') return Piece::kBad;
  at += 2;
  return Piece::kDone;
}

// Behind the name: no white space may precede the colon (RFC 9112 section 5.1).
inline char* find_name_end(char* at, const char* end) noexcept {
  const char* stop = scan::find<scan::NameEnd>(at, end);
  while (stop != end && kToken.has(*stop)) ++stop;
  return at + (stop - at);
}

// "name: value CRLF" at `at`: moves behind it and turns the name to lower case, if kDone. A line
// that begins with white space, a folded one, is bad.
inline Piece parse_field_line(char*& at, char* end, Field& field) noexcept {
  char* const name = at;
  char* const colon = find_name_end(name, end);
  if (colon == end) return Piece::kNeedMore;
  if (*colon != ':' || colon == name) return Piece::kBad;

  char* value = colon + 1;
  while (value != end && is_blank(*value)) ++value;
  char* stop = value + (scan::find<scan::ValueEnd>(value, end) - value);
  char* next = stop;
  if (const Piece piece = parse_line_end(next, end); piece != Piece::kDone) return piece;
  while (stop != value && is_blank(stop[-1])) --stop;

  // Written only now: a load that overlaps a fresh store would wait for it.
  const auto name_bytes = static_cast<std::size_t>(colon - name);
  scan::lower(name, name_bytes, end);
  field = {{name, name_bytes}, {value, static_cast<std::size_t>(stop - value)}};
  at = next;
  return Piece::kDone;
}

// Whether a field may stand in a trailer section, where it was not seen when the message was
// judged. `name` in lower case. Source: RFC 9110 section 6.5.1.
[[nodiscard]] bool may_be_trailer(std::string_view name) noexcept;

}  // namespace tercel::http
