#include "tercel/http/h2_body.h"

#include <algorithm>
#include <cstring>
#include <utility>

namespace tercel::http {

bool H2Body::append(std::string_view bytes, BlockPool& blocks) noexcept {
  bytes_ += bytes.size();
  while (!bytes.empty()) {
    // What was taken is being read: nothing is added to it.
    const bool open = tail_ != nullptr && !(head_taken_ && tail_ == head_);
    const std::size_t room = open ? tail_->block.capacity() - tail_->bytes : 0;
    if (room == 0) {
      // Small first, then larger: many bodies are one small part, and one of many tiny frames does
      // not take a block for each.
      const std::size_t grown = tail_ != nullptr ? 4 * tail_->block.capacity() : 0;
      Block block = blocks.take(std::min(std::max(bytes.size(), grown), kPartBytesMax));
      H2BodyPart* part = block ? parts_.make() : nullptr;
      if (part == nullptr) {
        bytes_ -= bytes.size();
        return false;
      }
      part->block = std::move(block);
      (tail_ != nullptr ? tail_->next : head_) = part;
      tail_ = part;
      continue;
    }
    const std::size_t count = std::min(room, bytes.size());
    std::memcpy(tail_->block.data() + tail_->bytes, bytes.data(), count);
    tail_->bytes += count;
    bytes.remove_prefix(count);
  }
  return true;
}

std::string_view H2Body::take() noexcept {
  if (std::exchange(head_taken_, false)) pop();
  if (head_ == nullptr) return {};
  head_taken_ = true;
  bytes_ -= head_->bytes;
  return {head_->block.data(), head_->bytes};
}

void H2Body::clear() noexcept {
  while (head_ != nullptr) pop();
  head_taken_ = false;
  bytes_ = 0;
}

void H2Body::pop() noexcept {
  H2BodyPart* done = head_;
  head_ = done->next;
  if (head_ == nullptr) tail_ = nullptr;
  parts_.destroy(done);
}

}  // namespace tercel::http
