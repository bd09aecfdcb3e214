// Finds keys that an object has twice, in time that whoever writes the keys cannot make quadratic.
//
// Internal to tercel/json. Of two members with the same key the last one counts, as in Python's
// json and in JavaScript; the others are marked, and a pass over the whole document takes them out
// once it is complete. Resource: keeps its memory for the next object. Tested by
// duplicate_keys_test.cc.
#pragma once

#include <cstddef>
#include <cstdint>

#include "tercel/base/keyed_hash.h"
#include "tercel/json/node.h"
#include "tercel/json/storage.h"

namespace tercel::json {

// Node::step of the key of a member that a later one replaces.
inline constexpr std::uint8_t kReplaced = 0xff;

class DuplicateKeys {
 public:
  enum class Answer : std::uint8_t { kNone, kSome, kNoMemory };

  explicit DuplicateKeys(KeyedHash hash) noexcept : hash_{hash} {}

  // Marks the keys of `object`, which is complete, that a later one replaces.
  [[nodiscard]] Answer mark(Node* object) noexcept;

  void release_above(std::size_t bytes) noexcept { table_.release_above(bytes); }

 private:
  [[nodiscard]] static bool mark_by_pairs(Node* object) noexcept;
  [[nodiscard]] Answer mark_by_table(Node* object) noexcept;

  KeyedHash hash_;
  Storage<Node*> table_;
};

// Takes what is marked out of a document of `count` nodes. Returns how many are left. `depth_max`:
// of the document, at most kReplacedDepthMax.
inline constexpr std::size_t kReplacedDepthMax = 1024;
[[nodiscard]] std::size_t remove_replaced(Node* nodes, std::size_t count) noexcept;

}  // namespace tercel::json
