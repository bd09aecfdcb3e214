// Parses the head of an HTTP/1 response: strict, in one pass, without a copy and without state.
//
//   HeadBuffer fields;
//   ResponseHead head = parse_response_head(bytes, 0, AnswerTo::kOther, limits, fields);
//   if (head.verdict == HeadStatus::kDone) use(head, bytes.subspan(head.bytes));
//
// The other side of h1_head.h, with the same contract: lines that are complete are judged at once,
// and the verdict does not depend on how the bytes arrive. Strict where two readers could differ on
// where the response ends: CRLF ends every line, one meaning of every size field. An interim
// response (1xx) is a head of its own. 101 is refused, unless the request asked for it; then it is
// a final head, and all that follows, until the close, is the other protocol's.
// Source: RFC 9112 sections 4 to 6 and 9.3, RFC 9110 section 15. Tested by h1_response_test.cc,
// compared with llhttp by tests/python/test_llhttp_responses.py, fuzzed by h1_response_fuzz.cc.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "tercel/base/result.h"
#include "tercel/http/h1_head.h"
#include "tercel/http/limits.h"
#include "tercel/http/message.h"

namespace tercel::http {

// The request decides whether its response has a body: that to HEAD never has; and whether it may
// switch to another protocol: kUpgrade, of which 101 alone is special.
enum class AnswerTo : std::uint8_t { kHead, kUpgrade, kOther };

// How the body of a response ends. Source: RFC 9112 section 6.3.
enum class ResponseFraming : std::uint8_t {
  kNone,
  kLength,
  kChunked,
  kUntilClose  // An end that looks like any other: complete or not, nobody knows.
};

struct ResponseHead {
  HeadStatus verdict;
  Errc error;         // If kBad: what is wrong, as of a request. Its blame is not the client's.
  std::size_t bytes;  // If kDone: size of the head, its last CRLF included.
  // If kDone, views into the parsed bytes.
  std::uint16_t status;
  std::string_view reason;
  std::span<const Field> fields;  // Names in lower case.
  std::optional<std::uint64_t> content_length;
  Version version;
  ResponseFraming framing;
  bool keep_alive;  // The connection may carry another request once the body is read.

  [[nodiscard]] bool interim() const noexcept { return status < 200 && !switches(); }
  [[nodiscard]] bool switches() const noexcept { return status == 101; }
};

// As parse_request_head(), which see for `previous_bytes`. Of `limits` those of heads count.
[[nodiscard]] ResponseHead parse_response_head(std::span<char> bytes, std::size_t previous_bytes,
                                               AnswerTo request, const Limits& limits,
                                               HeadBuffer& fields) noexcept;

}  // namespace tercel::http
