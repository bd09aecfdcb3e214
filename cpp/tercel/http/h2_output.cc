#include "tercel/http/h2_output.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "tercel/http/keep.h"

namespace tercel::http {
namespace {

// The wire is done with a slice.
void drop_slice(void* owner) noexcept {
  auto* part = static_cast<H2Part*>(owner);
  if (--part->slices == 0 && part->cut_up) part->home.destroy(part);
}

}  // namespace

// --- H2Sender

void H2Sender::copy(std::string_view bytes) noexcept {
  while (!bytes.empty() && !broken_) {
    if (!block_) {
      block_ = wire_.blocks().take(kBlockBytes);
      if (!block_) {
        broken_ = true;
        return;
      }
      bytes_ = 0;
    }
    const std::size_t count = std::min(bytes.size(), block_.capacity() - bytes_);
    std::memcpy(block_.data() + bytes_, bytes.data(), count);
    bytes_ += count;
    bytes.remove_prefix(count);
    if (bytes_ == block_.capacity()) flush();
  }
}

void H2Sender::pass(const Payload& payload) noexcept {
  flush();
  wire_.send(payload);
}

void H2Sender::pass(const FileRange& range) noexcept {
  flush();
  wire_.send_file(range);
}

void H2Sender::flush() noexcept {
  if (block_) wire_.send(std::move(block_), std::exchange(bytes_, 0));
}

// --- H2Output

H2Part* H2Output::append() noexcept {
  H2Part* part = parts_.make(parts_);
  if (part == nullptr) return nullptr;
  (tail_ != nullptr ? tail_->next : head_) = part;
  tail_ = part;
  return part;
}

bool H2Output::push(const Payload& payload, BlockPool& blocks) noexcept {
  Keep<Payload> keep{payload};
  if (payload.bytes.empty()) return true;
  if (payload.release == nullptr) return copy(payload.bytes, blocks);
  H2Part* part = append();
  if (part == nullptr) return false;
  const Payload owned = keep.pass_on();
  part->data = owned.bytes.data();
  part->left = owned.bytes.size();
  part->owner = owned.owner;
  part->release = owned.release;
  bytes_ += owned.bytes.size();
  return true;
}

bool H2Output::push(const FileRange& range) noexcept {
  Keep<FileRange> keep{range};
  if (range.count == 0) return true;
  H2Part* part = append();
  if (part == nullptr) return false;
  const FileRange owned = keep.pass_on();
  part->file = owned.file;
  part->offset = owned.offset;
  part->left = owned.count;
  part->owner = owned.owner;
  part->release = owned.release;
  bytes_ += owned.count;
  return true;
}

bool H2Output::copy(std::string_view bytes, BlockPool& blocks) noexcept {
  if (tail_ != nullptr && tail_->block) {
    // The free room of a block lies behind the bytes that are still to be cut.
    char* const end = const_cast<char*>(tail_->data) + tail_->left;
    const char* const limit = tail_->block.data() + tail_->block.capacity();
    if (bytes.size() <= static_cast<std::size_t>(limit - end)) {
      std::memcpy(end, bytes.data(), bytes.size());
      tail_->left += bytes.size();
      bytes_ += bytes.size();
      return true;
    }
  }
  Block block = blocks.take(bytes.size());
  H2Part* part = block ? append() : nullptr;
  if (part == nullptr) return false;
  std::memcpy(block.data(), bytes.data(), bytes.size());
  part->data = block.data();
  part->left = bytes.size();
  part->block = std::move(block);
  bytes_ += bytes.size();
  return true;
}

void H2Output::cut(std::size_t bytes, H2Sender& sender) noexcept {
  bytes_ -= bytes;
  while (bytes > 0) {
    H2Part& part = *head_;
    const auto count = static_cast<std::size_t>(std::min<std::uint64_t>(bytes, part.left));
    const bool whole = count == part.left;
    bytes -= count;
    part.left -= count;
    if (part.file >= 0) {
      const FileRange slice{part.file, part.offset, count, &part, &drop_slice};
      part.offset += count;
      ++part.slices;
      if (whole) pop();  // Before the slice, with which it may go.
      sender.pass(slice);
      continue;
    }
    const std::string_view slice{part.data, count};
    part.data += count;
    if (count <= kCopyBytesMax) {
      sender.copy(slice);
      if (whole) pop();
      continue;
    }
    ++part.slices;
    if (whole) pop();
    sender.pass(Payload::own(slice, &part, &drop_slice));
  }
}

void H2Output::clear() noexcept {
  while (head_ != nullptr) pop();
  bytes_ = 0;
}

// Out of the queue; the memory goes with the last slice.
void H2Output::pop() noexcept {
  H2Part* done = head_;
  head_ = done->next;
  if (head_ == nullptr) tail_ = nullptr;
  done->cut_up = true;
  if (done->slices == 0) parts_.destroy(done);
}

}  // namespace tercel::http
