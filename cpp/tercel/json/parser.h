// JSON text to a document.
//
//   json::Parser parser;
//   json::Document document;
//   const auto root = parser.parse(body, document, {.text_bytes_max = 1 << 20});
//   if (!root) return answer(root.error(), describe(parser.fault().kind));
//   for (const json::Value element : root->elements()) ...
//   document.clear();
//
// Everything is checked before parse() returns: UTF-8, grammar, escapes, depth, what follows. No
// byte outside of the text is read. Numbers are exact: integers of any size, and decimals as they
// are written beside their nearest double. Of members with the same key the last one counts, or
// they are refused. NaN, Infinity, comments, a byte order mark and lone surrogates are not JSON.
//
// Memory, for a text of n bytes: 4n for the offsets of its tokens, and up to 16 for each token and
// one more; pages that a text does not need are not touched. What is above
// Document::kKeptBytesMax in each part goes back when it was used.
//
// Resource: one a thread, its memory serves one text after the other; the documents it fills are
// independent of it. Cost: about a nanosecond for two bytes. Source: RFC 8259.
// Tested by parser_test.cc, tests/python/test_json_parser.py (against Python's json); fuzzed by
// json_fuzz.cc.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "tercel/base/keyed_hash.h"
#include "tercel/base/result.h"
#include "tercel/json/document.h"
#include "tercel/json/duplicate_keys.h"
#include "tercel/json/fault.h"
#include "tercel/json/structural_index.h"
#include "tercel/json/value.h"

namespace tercel::json {

enum class DuplicatePolicy : std::uint8_t { kLastCounts, kRefuse };
enum class TextPolicy : std::uint8_t {
  kBorrow,  // The text outlives the document's values: they point into it.
  kCopy
};

struct ParseOptions {
  // Arrays and objects in each other. Refused above with kTooDeep.
  static constexpr std::uint32_t kDepthDefault = 128;
  static constexpr std::uint32_t kDepthMax = kReplacedDepthMax;

  std::size_t text_bytes_max = StructuralIndex::kTextBytesMax;
  std::uint32_t depth_max = kDepthDefault;  // Up to kDepthMax: walks of a document may recurse.
  // Of an integer, with its sign: who makes numbers of them may not want them longer.
  std::uint32_t integer_bytes_max = ~std::uint32_t{0};
  DuplicatePolicy duplicates = DuplicatePolicy::kLastCounts;
  TextPolicy text = TextPolicy::kBorrow;
};

class Parser {
 public:
  explicit Parser(KeyedHash hash = KeyedHash::random()) noexcept : duplicates_{hash} {}
  Parser(const Parser&) = delete;
  Parser& operator=(const Parser&) = delete;

  // Fills `document`, whose earlier values end, and returns its root. Fails with kBadJson,
  // kBodyTooLarge or kNoMemory; then the document is empty, and fault() says what is wrong.
  [[nodiscard]] Result<Value> parse(std::string_view text, Document& document,
                                    const ParseOptions& options = {}) noexcept;
  // Of the last parse() that failed.
  [[nodiscard]] const Fault& fault() const noexcept { return fault_; }

 private:
  [[nodiscard]] FaultKind fill(std::string_view text, Document& document,
                               const ParseOptions& options) noexcept;

  StructuralIndex index_;
  DuplicateKeys duplicates_;
  Fault fault_;
};

}  // namespace tercel::json
