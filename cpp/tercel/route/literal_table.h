// The literals of a tree: from a node and a text to the child. One table for all levels.
//
// Open addressing with linear probing, at most half full, filled once. Whether a node has one child
// or a thousand, a search looks at a slot or a few: the longest run of slots depends on the
// literals, never on the text that is searched for. Tested by literal_table_test.cc.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace tercel::route {

inline constexpr std::uint32_t kNone = UINT32_MAX;

struct LiteralEdge {
  std::uint32_t parent;
  std::string_view text;
  std::uint32_t child;
};

class LiteralTable {
 public:
  LiteralTable() : LiteralTable(std::vector<LiteralEdge>{}) {}
  // REQUIRES: no two edges have parent and text in common; texts are shorter than 64 KiB.
  explicit LiteralTable(const std::vector<LiteralEdge>& edges);

  // kNone: there is no such child. `hash` is hash_of(text) | 1.
  [[nodiscard]] std::uint32_t find(std::uint32_t parent, std::string_view text,
                                   std::uint64_t hash) const noexcept;

  // Slots of the longest run: what a search looks at, at most.
  [[nodiscard]] std::size_t longest_run() const noexcept;

 private:
  struct Slot {
    std::uint32_t parent = kNone;  // kNone: the slot is free.
    std::uint32_t child = kNone;
    std::uint32_t text = 0;  // Where it begins in texts_.
    std::uint16_t bytes = 0;
    std::uint16_t tag = 0;  // Of the hash, so that nearly every other text is told apart by it.
  };
  static_assert(sizeof(Slot) == 16);

  [[nodiscard]] static std::uint64_t key(std::uint32_t parent, std::uint64_t hash) noexcept {
    return (hash ^ (std::uint64_t{parent} * 0xC2B2AE3D27D4EB4F)) * 0x9E3779B97F4A7C15;
  }
  [[nodiscard]] static std::uint16_t tag_of(std::uint64_t key) noexcept {
    return static_cast<std::uint16_t>(key >> 8);
  }

  std::vector<Slot> slots_;  // A power of two.
  unsigned shift_;           // The highest bits of a key are its place.
  std::string texts_;
};

}  // namespace tercel::route
