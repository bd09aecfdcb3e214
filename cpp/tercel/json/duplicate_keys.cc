#include "tercel/json/duplicate_keys.h"

#include <algorithm>
#include <array>
#include <bit>
#include <string_view>

#include "tercel/base/assert.h"
#include "tercel/json/value.h"

namespace tercel::json {
namespace {

// Objects up to this size compare every two keys.
constexpr std::uint64_t kPairsMax = 12;

std::string_view text_of(const Node* key) noexcept {
  return {key->text, key->size};
}

bool same_key(const Node* a, const Node* b) noexcept {
  return a->key_hash == b->key_hash && text_of(a) == text_of(b);
}

Node* next_key(Node* key) noexcept {
  Node* const value = key + 1;
  return value + (value->step != 0 ? value->step : value->size);
}

// True when no two keys fall on the same of 256 bits: most objects have few keys, and are done.
bool surely_distinct(Node* object) noexcept {
  std::array<std::uint64_t, 4> seen{};
  Node* key = object + 1;
  for (const Node* const end = object + object->size; key != end; key = next_key(key)) {
    std::uint64_t& word = seen[key->key_hash >> 6 & 3];
    const std::uint64_t bit = std::uint64_t{1} << (key->key_hash & 63);
    if ((word & bit) != 0) return false;
    word |= bit;
  }
  return true;
}

}  // namespace

bool DuplicateKeys::mark_by_pairs(Node* object) noexcept {
  bool found = false;
  std::array<Node*, kPairsMax> keys{};
  std::size_t count = 0;
  Node* key = object + 1;
  for (const Node* const end = object + object->size; key != end; key = next_key(key)) {
    for (std::size_t i = 0; i < count; ++i) {
      if (!same_key(keys[i], key)) continue;
      keys[i]->step = kReplaced;
      keys[i] = keys[--count];
      found = true;
      break;
    }
    keys[count++] = key;
  }
  return found;
}

DuplicateKeys::Answer DuplicateKeys::mark_by_table(Node* object) noexcept {
  const std::size_t slots = std::bit_ceil(static_cast<std::size_t>(object->count) * 2);
  if (!table_.reserve(slots)) return Answer::kNoMemory;
  Node** const table = table_.data();
  std::fill_n(table, slots, nullptr);
  bool found = false;
  Node* key = object + 1;
  for (const Node* const end = object + object->size; key != end; key = next_key(key)) {
    std::size_t slot = static_cast<std::size_t>(hash_(text_of(key))) & (slots - 1);
    while (table[slot] != nullptr && !same_key(table[slot], key)) slot = (slot + 1) & (slots - 1);
    if (table[slot] != nullptr) {
      table[slot]->step = kReplaced;
      found = true;
    }
    table[slot] = key;
  }
  return found ? Answer::kSome : Answer::kNone;
}

DuplicateKeys::Answer DuplicateKeys::mark(Node* object) noexcept {
  if (object->count < 2) return Answer::kNone;
  if (surely_distinct(object)) return Answer::kNone;
  if (object->count > kPairsMax) return mark_by_table(object);
  return mark_by_pairs(object) ? Answer::kSome : Answer::kNone;
}

std::size_t remove_replaced(Node* nodes, std::size_t count) noexcept {
  // The arrays and objects around the node that is read: where each ends, and where it went.
  struct Open {
    std::size_t end;
    std::size_t out;
  };
  std::array<Open, kReplacedDepthMax> open;  // NOLINT: written before it is read.
  std::size_t depth = 0;
  std::size_t out = 0;
  for (std::size_t in = 0; in < count;) {
    Node node = nodes[in];
    if (node.step == kReplaced) {
      --nodes[open[depth - 1].out].count;
      in = static_cast<std::size_t>(next_key(nodes + in) - nodes);
    } else if (node.step == 0) {
      TERCEL_ASSERT(depth < open.size());
      open[depth++] = {.end = in + node.size, .out = out};
      nodes[out++] = node;
      ++in;
    } else {
      // A decimal is two nodes, and its second is one without a meaning of its own.
      nodes[out++] = node;
      ++in;
    }
    for (; depth > 0 && in == open[depth - 1].end; --depth) {
      Node& closed = nodes[open[depth - 1].out];
      closed.size = static_cast<std::uint32_t>(out - open[depth - 1].out);
    }
  }
  return out;
}

}  // namespace tercel::json
