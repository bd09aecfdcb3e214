// MessagePack to a document, as if it had been JSON.
//
//   json::MsgpackReader reader;
//   const auto root = reader.read(body, document, {.text_bytes_max = 1 << 20});
//   if (!root) return answer(root.error(), describe(reader.fault().kind));
//
// | MessagePack           | in the document                                                      |
// |-----------------------|----------------------------------------------------------------------|
// | nil, booleans, ints   | as they are; all 64 bits of either sign                              |
// | float 32, float 64    | a decimal, written as the shortest one that is the same double       |
// | NaN, infinities       | kNotFinite                                                           |
// | str                   | a string; kNotUtf8 if it is none                                     |
// | bin                   | a string: its base64, as a `bytes` of a schema is written in JSON    |
// | array, map            | an array, an object; keys are str, else kTextKeyExpected             |
// | ext, timestamps       | kExtension                                                           |
//
// As strict as Parser: the bytes are one value, whole, to their end; depth is limited; of members
// with the same key the last one counts, or they are refused. A length that the bytes cannot hold
// is refused before anything is made of it. No byte outside of the text is read. What is written
// longer than it need be (a 1 in eight bytes) is taken: writers do so.
//
// Memory: 16 bytes for each value, 16 more for a float, and the texts of floats and bins; counted
// before it is taken. Resource: as Parser. Cost: two passes, linear. Source: the MessagePack
// specification (msgpack.org). Tested by msgpack_reader_test.cc,
// tests/python/test_api_msgpack.py (against msgspec); fuzzed by msgpack_fuzz.cc.
#pragma once

#include <string_view>

#include "tercel/base/keyed_hash.h"
#include "tercel/base/result.h"
#include "tercel/json/document.h"
#include "tercel/json/duplicate_keys.h"
#include "tercel/json/fault.h"
#include "tercel/json/parser.h"
#include "tercel/json/value.h"

namespace tercel::json {

class MsgpackReader {
 public:
  explicit MsgpackReader(KeyedHash hash = KeyedHash::random()) noexcept : duplicates_{hash} {}
  MsgpackReader(const MsgpackReader&) = delete;
  MsgpackReader& operator=(const MsgpackReader&) = delete;

  // Fills `document`, whose earlier values end, and returns its root. Its strings are views into
  // `bytes` unless they are copied. Fails as Parser::parse(). `integer_bytes_max` has no meaning.
  [[nodiscard]] Result<Value> read(std::string_view bytes, Document& document,
                                   const ParseOptions& options = {}) noexcept;
  // Of the last read() that failed. Its offset is that of the value.
  [[nodiscard]] const Fault& fault() const noexcept { return fault_; }

 private:
  [[nodiscard]] FaultKind fill(std::string_view bytes, Document& document,
                               const ParseOptions& options) noexcept;

  DuplicateKeys duplicates_;
  Fault fault_;
};

}  // namespace tercel::json
