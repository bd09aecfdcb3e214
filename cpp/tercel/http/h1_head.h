// Parses the head of an HTTP/1 request: strict, in one pass, without a copy and without state.
//
//   HeadBuffer fields;
//   HeadResult head = parse_request_head(bytes, limits, fields);
//   if (head.status == HeadStatus::kDone) use(head.request, bytes.subspan(head.bytes));
//
// Strict: CRLF ends every line, no bare CR or LF, no obs-fold, no space before a colon, one Host,
// one meaning of every size field. Lines that are complete are judged at once, so a bad one is
// refused before the head is complete. The verdict is the same however the bytes arrive: it depends
// on them in their order, and what is bad stays bad for the same reason whatever follows.
// An absolute-form target overrules the Host field, which is given its authority, and is added
// where HTTP/1.0 has none (RFC 9112 section 3.2.2). Methods pass if they are upper-case tokens,
// known or not, but for CONNECT and TRACE. Not here: what the fields mean beyond the framing of the
// body, the connection and the host; the limit of the body, which may depend on the request.
// Source: RFC 9112 sections 2 to 6, RFC 9110 section 5, RFC 3986. Tested by h1_head_test.cc,
// compared with llhttp by tests/python/test_llhttp_agrees.py, fuzzed by h1_head_fuzz.cc.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "tercel/base/result.h"
#include "tercel/http/limits.h"
#include "tercel/http/message.h"

namespace tercel::http {

// Room for the fields of one head, and for a Host field that its target makes up for. About 8 KiB:
// one a loop, not one a connection.
struct HeadBuffer {
  std::array<Field, kFieldsMax + 1> fields;
};

enum class HeadStatus : std::uint8_t { kNeedMore, kDone, kBad };

// How the body of a request ends. Source: RFC 9112 section 6.3.
enum class Framing : std::uint8_t { kNone, kLength, kChunked };

struct HeadResult {
  HeadStatus status;
  Errc error;         // If kBad. A kBad head ends the connection after its answer.
  std::size_t bytes;  // If kDone: size of the head, its last CRLF included.
  // If kDone: views into the parsed bytes (an absent path: a literal "/"). If not, its method and
  // its target are what was read of them and is in order, or empty,
  Request request;
  bool line_known;  // and its version counts if this is true.
  Framing framing;
  bool keep_alive;        // The client wants, or by its version allows, to reuse the connection.
  bool expects_continue;  // Expect: 100-continue, HTTP/1.1 only.
};

// Parses from the first byte of `bytes`, which may hold more than the head. Field names are turned
// to lower case in place; nothing else is written, and parsing the same bytes again gives the same
// result. At most one empty line before the request line is skipped.
// `previous_bytes`: how many of `bytes` an earlier call saw and answered kNeedMore. When no line
// end is among the new ones the call costs only a search in them, so a head that dribbles in is
// parsed once per line, not once per byte. A line that is bad may so be refused as late as it ends.
[[nodiscard]] HeadResult parse_request_head(std::span<char> bytes, std::size_t previous_bytes,
                                            const Limits& limits, HeadBuffer& fields) noexcept;

}  // namespace tercel::http
