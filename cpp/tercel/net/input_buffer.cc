#include "tercel/net/input_buffer.h"

#include <cstring>
#include <utility>

namespace tercel::net {

std::span<char> InputBuffer::room(Borrow borrow) noexcept {
  if (unread_.empty()) {
    if (scratch_.empty() && borrow == Borrow::kYes) scratch_ = loop_.borrow_scratch();
    if (scratch_.empty()) return room_in_stash(kBlockBytes);
    unread_ = scratch_.first(0);
    return scratch_;
  }
  char* end = unread_.data() + unread_.size();
  if (in_scratch()) {
    const std::span<char> behind{end, scratch_.data() + scratch_.size()};
    if (!behind.empty()) return behind;
  }
  return room_in_stash(unread_.size());
}

// Moves the unread bytes into a block of their own, or to its start, with room for `bytes` or so
// more.
std::span<char> InputBuffer::room_in_stash(std::size_t bytes) noexcept {
  const std::size_t have = unread_.size();
  if (stash_ && !in_scratch() && have > 0) {
    const std::span<char> behind{unread_.data() + have, stash_.data() + stash_.capacity()};
    if (!behind.empty()) return behind;
  }
  const bool reuse = stash_ && stash_.capacity() > have + have / 2;
  Block block = reuse ? std::move(stash_) : loop_.blocks().take(have + bytes);
  if (!block) return {};
  if (have > 0) std::memmove(block.data(), unread_.data(), have);
  stash_ = std::move(block);
  unread_ = {stash_.data(), have};
  return {stash_.data() + have, stash_.capacity() - have};
}

bool InputBuffer::settle() noexcept {
  if (scratch_.empty()) return true;
  bool kept = true;
  if (!unread_.empty() && in_scratch()) {
    Block block = loop_.blocks().take(unread_.size());
    kept = static_cast<bool>(block);
    if (kept) std::memcpy(block.data(), unread_.data(), unread_.size());
    unread_ = {block.data(), kept ? unread_.size() : 0};
    stash_ = std::move(block);
  }
  give_back();
  return kept;
}

void InputBuffer::give_back() noexcept {
  if (std::exchange(scratch_, {}).empty()) return;
  loop_.return_scratch();
}

}  // namespace tercel::net
