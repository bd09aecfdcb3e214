// One entry of the tape that a document is parsed into.
//
// Internal to tercel/json; others read it through Value. A document is one array of nodes in the
// order of its text: an array or object is a node, followed by those of its content, and knows how
// many they are; a member of an object is the node of its key and then its value. So a walk needs
// neither a stack nor an index, and a value is the address of its node. Decision 0014 has the
// reasons. Tested by parser_test.cc.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace tercel::json {

// In this order: kinds from kInteger to kDecimal are numbers.
enum class Kind : std::uint8_t {
  kNull,
  kFalse,
  kTrue,
  kInteger,     // Fits std::int64_t.
  kUnsigned,    // Does not, but fits std::uint64_t.
  kBigInteger,  // Any other number written without fraction and exponent.
  kDecimal,     // A number written with one of them.
  kString,
  kArray,
  kObject
};

struct Node {
  union {
    std::int64_t integer;
    std::uint64_t natural;
    double decimal;       // The nearest one. `text` of the next node is where it is written.
    const char* text;     // Of a string, without escapes, or of a big integer.
    std::uint64_t count;  // Elements or members.
  };
  std::uint32_t size;  // Bytes of the text, or nodes of the array or object, with this one.
  Kind kind;
  std::uint8_t step;       // Nodes to the next sibling; 0: `size`.
  std::uint16_t key_hash;  // Of a key: hash_key().
};
static_assert(sizeof(Node) == 16);

// A hash to tell keys apart that nobody chose to look alike: of its length, its first eight bytes
// and its last eight. REQUIRES of its users: a cost that is bounded when all of them collide.
[[nodiscard]] inline std::uint16_t hash_key(std::string_view key) noexcept {
  std::uint64_t first = 0;
  std::uint64_t last = 0;
  const char* const at = key.data();
  const std::size_t size = key.size();
  if (size >= 8) {
    std::memcpy(&first, at, 8);
    std::memcpy(&last, at + size - 8, 8);
  } else if (size >= 4) {
    std::memcpy(&first, at, 4);
    std::memcpy(&last, at + size - 4, 4);
  } else if (size > 0) {
    first = static_cast<unsigned char>(at[0]);
    last = std::uint64_t{static_cast<unsigned char>(at[size / 2])} << 8 |
           static_cast<unsigned char>(at[size - 1]);
  }
  const std::uint64_t mixed = (first ^ (last << 29 | last >> 35) ^ size) * 0x9e3779b97f4a7c15;
  return static_cast<std::uint16_t>((mixed ^ mixed >> 32) >> 16);
}

}  // namespace tercel::json
