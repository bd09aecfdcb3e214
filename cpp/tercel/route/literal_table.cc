#include "tercel/route/literal_table.h"

#include <algorithm>
#include <bit>
#include <cstring>

#include "tercel/base/assert.h"
#include "tercel/route/segments.h"

namespace tercel::route {
namespace {

constexpr std::size_t kSlotsMin = 2;  // So that one is always free.

}  // namespace

LiteralTable::LiteralTable(const std::vector<LiteralEdge>& edges)
    : slots_(std::bit_ceil(std::max(edges.size() * 2, kSlotsMin))),
      shift_{static_cast<unsigned>(64 - std::countr_zero(slots_.size()))} {
  for (const LiteralEdge& edge : edges) {
    TERCEL_ASSERT(edge.text.size() <= UINT16_MAX);
    const std::uint64_t key = LiteralTable::key(edge.parent, hash_of(edge.text) | 1);
    std::size_t place = key >> shift_;
    while (slots_[place].parent != kNone) place = (place + 1) & (slots_.size() - 1);
    slots_[place] = {edge.parent, edge.child, static_cast<std::uint32_t>(texts_.size()),
                     static_cast<std::uint16_t>(edge.text.size()), tag_of(key)};
    texts_ += edge.text;
  }
}

std::uint32_t LiteralTable::find(std::uint32_t parent, std::string_view text,
                                 std::uint64_t hash) const noexcept {
  const std::uint64_t key = LiteralTable::key(parent, hash);
  for (std::size_t place = key >> shift_;; place = (place + 1) & (slots_.size() - 1)) {
    const Slot& slot = slots_[place];
    if (slot.parent == parent && slot.tag == tag_of(key) && slot.bytes == text.size() &&
        std::memcmp(texts_.data() + slot.text, text.data(), text.size()) == 0) {
      return slot.child;
    }
    if (slot.parent == kNone) return kNone;
  }
}

std::size_t LiteralTable::longest_run() const noexcept {
  std::size_t longest = 0;
  std::size_t run = 0;
  // Twice, as a run may go over the end.
  for (std::size_t i = 0; i < 2 * slots_.size(); ++i) {
    run = slots_[i & (slots_.size() - 1)].parent == kNone ? 0 : run + 1;
    longest = std::max(longest, run);
  }
  return longest;
}

}  // namespace tercel::route
