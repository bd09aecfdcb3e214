// Name/value pairs of a query string or of an application/x-www-form-urlencoded body.
//
//   QueryPairs pairs{request.query, scratch};
//   QueryPair pair;
//   for (;;) {
//     const Result<bool> more = pairs.next(pair);
//     if (!more) return fail(more.error());
//     if (!*more) break;
//     ...                                        // pair.name, pair.value
//
// Text is cut at each '&' and at the first '=' of a piece; empty pieces are none, a piece without
// '=' has an empty value; '+' is a space; %XX is a byte. ';' separates nothing. Allocates nothing:
// a pair is views into the text, or into `scratch` where something was to be decoded. Bytes that
// are not UTF-8 are told, not replaced: an API answers 400 or 422. Cost: linear in the text.
// Source: WHATWG URL section 5.1. Tested by query_test.cc, fuzzed by query_fuzz.cc, compared with
// urllib.parse by test_input_agrees.py.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "tercel/base/result.h"
#include "tercel/http/limits.h"

namespace tercel::http {

// What a '%' without two hex digits behind it is.
enum class Escapes : std::uint8_t {
  kLenient,  // Itself, as WHATWG URL wants it.
  kStrict    // kBadQuery.
};

struct QueryLimits {
  std::size_t pairs_max = 1000;           // kTooManyPairs, 400
  std::size_t bytes_max = 1 * kMebibyte;  // kFormTooLarge, 413; a query is held to its target's
};

struct QueryPair {
  std::string_view name;
  std::string_view value;
  bool name_is_utf8 = true;
  bool value_is_utf8 = true;
};

// A value. Pairs are valid as long as text and scratch are.
class QueryPairs {
 public:
  // `scratch` may be the memory of `text`, which is then decoded in place. REQUIRES: it is not
  // shorter than `text`.
  QueryPairs(std::string_view text, std::span<char> scratch, Escapes escapes = Escapes::kLenient,
             const QueryLimits& limits = {}) noexcept
      : text_{text}, rest_{text}, scratch_{scratch}, limits_{limits}, escapes_{escapes} {}

  // Reads the next pair; false: there is none. After a failure do not call again.
  [[nodiscard]] Result<bool> next(QueryPair& pair) noexcept;

 private:
  [[nodiscard]] Result<void> decode(std::string_view& part, bool& is_utf8) noexcept;

  std::string_view text_;
  std::string_view rest_;
  std::span<char> scratch_;
  QueryLimits limits_;
  std::size_t pairs_ = 0;
  Escapes escapes_;
};

}  // namespace tercel::http
