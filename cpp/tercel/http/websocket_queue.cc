#include "tercel/http/websocket_queue.h"

#include <algorithm>
#include <memory>
#include <new>
#include <utility>

namespace tercel::http {

// In front of each message.
struct MessageQueue::Record {
  std::uint64_t size;
  MessageKind kind;
};

// At the start of its own block; behind it, records.
struct MessageQueue::Segment {
  Block block;
  Segment* next = nullptr;
  std::size_t taken = sizeof(Segment);   // Up to here the records are taken off,
  std::size_t filled = sizeof(Segment);  // up to here they are written.

  [[nodiscard]] char* at(std::size_t offset) noexcept {
    return reinterpret_cast<char*>(this) + offset;
  }
  [[nodiscard]] Record& record() noexcept { return *reinterpret_cast<Record*>(at(taken)); }
};

namespace {

// A block that small messages share.
constexpr std::size_t kSharedBytes = 4096;
// Up to here copying a message is cheaper than a block of its own.
constexpr std::size_t kSmallBytes = 1024;
constexpr std::size_t kFirstRoomBytes = 512;

}  // namespace

// --- MessageBuffer

std::string_view MessageBuffer::bytes() const noexcept {
  constexpr std::size_t kBegin = sizeof(MessageQueue::Segment) + sizeof(MessageQueue::Record);
  return {block_ ? block_.data() + kBegin : nullptr, size_};
}

void MessageBuffer::clear() noexcept {
  block_ = Block{};
  size_ = 0;
}

std::span<char> MessageBuffer::room(BlockPool& pool, std::size_t arrived,
                                    std::size_t most) noexcept {
  constexpr std::size_t kBegin = sizeof(MessageQueue::Segment) + sizeof(MessageQueue::Record);
  std::size_t here = block_ ? block_.capacity() - kBegin - size_ : 0;
  if (here == 0) {
    const std::size_t wanted = std::min(std::max({size_, arrived, kFirstRoomBytes}), most);
    if (!pool.grow(block_, kBegin + size_, kBegin + size_ + wanted)) return {};
    here = block_.capacity() - kBegin - size_;
  }
  return {block_.data() + kBegin + size_, std::min(here, most)};
}

// --- MessageQueue

void MessageQueue::add_segment(Block block) noexcept {
  auto* const segment = new (block.data()) Segment;
  segment->block = std::move(block);
  (last_ != nullptr ? last_->next : first_) = segment;
  last_ = segment;
}

char* MessageQueue::reserve(BlockPool& pool, std::size_t bytes) noexcept {
  const std::size_t needed = sizeof(Record) + bytes;
  if (last_ == nullptr || last_->block.capacity() - last_->filled < needed) {
    // One message is commonly taken before the next comes.
    const std::size_t wanted = sizeof(Segment) + needed;
    Block block = pool.take(last_ != nullptr ? std::max(wanted, kSharedBytes) : wanted);
    if (!block) return nullptr;
    add_segment(std::move(block));
  }
  return last_->at(last_->filled + sizeof(Record));
}

void MessageQueue::commit(MessageKind kind, std::size_t bytes) noexcept {
  new (last_->at(last_->filled)) Record{.size = bytes, .kind = kind};
  const std::size_t written = sizeof(Record) + bytes;
  const std::size_t aligned = (written + alignof(Record) - 1) / alignof(Record) * alignof(Record);
  // The last of a block need not be aligned: nothing follows it.
  last_->filled = std::min<std::size_t>(last_->filled + aligned, last_->block.capacity());
  ++count_;
  bytes_ += written;
}

bool MessageQueue::push(BlockPool& pool, MessageKind kind, MessageBuffer& buffer) noexcept {
  if (!buffer.block_ || buffer.size() <= kSmallBytes) {
    const std::string_view bytes = buffer.bytes();
    char* const room = reserve(pool, bytes.size());
    if (room == nullptr) return false;
    std::copy_n(bytes.data(), bytes.size(), room);
    commit(kind, bytes.size());
  } else {
    add_segment(std::move(buffer.block_));
    commit(kind, buffer.size());
  }
  buffer.clear();
  return true;
}

Message MessageQueue::front() const noexcept {
  const Record& record = first_->record();
  return {.kind = record.kind, .bytes = {reinterpret_cast<const char*>(&record + 1), record.size}};
}

void MessageQueue::pop() noexcept {
  const std::size_t written = sizeof(Record) + first_->record().size;
  const std::size_t aligned = (written + alignof(Record) - 1) / alignof(Record) * alignof(Record);
  first_->taken += aligned;
  --count_;
  bytes_ -= written;
  if (first_->taken >= first_->filled) drop_first();
}

void MessageQueue::drop_first() noexcept {
  Segment* const segment = std::exchange(first_, first_->next);
  if (first_ == nullptr) last_ = nullptr;
  const Block block = std::move(segment->block);
  std::destroy_at(segment);
}

void MessageQueue::clear() noexcept {
  while (first_ != nullptr) drop_first();
  count_ = bytes_ = 0;
}

}  // namespace tercel::http
