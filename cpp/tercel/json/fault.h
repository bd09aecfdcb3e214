// What is wrong with a text that is not taken as JSON, and where: for the one who wrote it.
//
// Source: RFC 8259. Tested by fault_test.cc.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace tercel::json {

// name, sentence
#define TERCEL_JSON_FAULTS(X)                                                 \
  X(kNone, "nothing is wrong")                                                \
  X(kEmpty, "there is no value")                                              \
  X(kByteOrderMark, "the text begins with a byte order mark")                 \
  X(kNotUtf8, "this byte is not UTF-8")                                       \
  X(kControlInString, "a control character in a string must be escaped")      \
  X(kOpenString, "this string has no end")                                    \
  X(kBadEscape, "this escape is none of JSON's")                              \
  X(kLoneSurrogate, "this escape is one half of a surrogate pair")            \
  X(kBadNumber, "this number is malformed")                                   \
  X(kLongInteger, "this integer has more digits than the limit")              \
  X(kExponent, "the exponent of this number is beyond the limit")             \
  X(kValueExpected, "a value is expected here")                               \
  X(kKeyExpected, "a key in double quotes is expected here")                  \
  X(kColonExpected, "a colon is expected here")                               \
  X(kCommaOrBracketExpected, "a comma or a closing bracket is expected here") \
  X(kCommaOrBraceExpected, "a comma or a closing brace is expected here")     \
  X(kTrailing, "nothing may follow the value")                                \
  X(kTooDeep, "arrays and objects are nested more deeply than the limit")     \
  X(kDuplicateKey, "the object that ends here has a key twice")               \
  X(kTruncated, "the value is not whole")                                     \
  X(kTextKeyExpected, "the key of a map must be a string")                    \
  X(kNotFinite, "JSON has neither NaN nor infinities")                        \
  X(kExtension, "extension types are not taken")                              \
  X(kTooLong, "the text is longer than the limit")                            \
  X(kNoMemory, "the server is out of memory")

#define TERCEL_JSON_NAME(name, text) name,
enum class FaultKind : std::uint8_t { TERCEL_JSON_FAULTS(TERCEL_JSON_NAME) };
#undef TERCEL_JSON_NAME

struct Fault {
  FaultKind kind = FaultKind::kNone;
  std::size_t offset = 0;  // Of the byte; the length of the text where its end is the fault.

  bool operator==(const Fault&) const = default;
};

// A sentence without capital and full stop. Nothing of the text is in it.
[[nodiscard]] std::string_view describe(FaultKind kind) noexcept;

struct Position {
  std::size_t line = 1;
  std::size_t column = 1;  // In bytes.

  bool operator==(const Position&) const = default;
};
// Where `offset` is in `text`. Lines end with LF. Cost: O(offset).
[[nodiscard]] Position find_position(std::string_view text, std::size_t offset) noexcept;

}  // namespace tercel::json
