// Messages that came and were not taken yet, and the one that is still coming.
//
// Small messages lie one behind the other in shared blocks: a peer that sends thousands of empty
// ones costs memory in proportion to what it sent. A large one has a block of its own, which grew
// with what arrived, by the classes of blocks, not with what was announced. An empty queue holds no
// memory.
//
// Resources: one owner, one thread; the pool outlives them. Tested by websocket_queue_test.cc.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "tercel/base/block_pool.h"

namespace tercel::http {

enum class MessageKind : std::uint8_t { kText, kBinary };

struct Message {
  MessageKind kind;
  std::string_view bytes;  // Valid until the message is taken off its queue.
};

class MessageQueue;

// One message that arrives in parts.
class MessageBuffer {
 public:
  MessageBuffer() noexcept = default;
  MessageBuffer(const MessageBuffer&) = delete;
  MessageBuffer& operator=(const MessageBuffer&) = delete;

  // Room behind what is there: at least one byte, at most `most`. Memory grows to `arrived` more,
  // or to twice what is there. Empty when it is exhausted. Valid until the next call. REQUIRES:
  // most is not 0.
  [[nodiscard]] std::span<char> room(BlockPool& pool, std::size_t arrived,
                                     std::size_t most) noexcept;
  // The first `bytes` of the room were filled.
  void add(std::size_t bytes) noexcept { size_ += bytes; }
  [[nodiscard]] std::size_t size() const noexcept { return size_; }
  [[nodiscard]] std::string_view bytes() const noexcept;
  void clear() noexcept;

 private:
  friend class MessageQueue;
  Block block_;
  std::size_t size_ = 0;
};

class MessageQueue {
 public:
  MessageQueue() noexcept = default;
  MessageQueue(const MessageQueue&) = delete;
  MessageQueue& operator=(const MessageQueue&) = delete;
  ~MessageQueue() { clear(); }

  // Room for a message of `bytes` bytes, which commit() makes the last of the queue. Null when
  // memory is exhausted. Valid until the next call.
  [[nodiscard]] char* reserve(BlockPool& pool, std::size_t bytes) noexcept;
  void commit(MessageKind kind, std::size_t bytes) noexcept;
  // Makes what is in `buffer` the last message, and empties it. False when memory is exhausted.
  [[nodiscard]] bool push(BlockPool& pool, MessageKind kind, MessageBuffer& buffer) noexcept;

  [[nodiscard]] bool empty() const noexcept { return count_ == 0; }
  [[nodiscard]] std::size_t count() const noexcept { return count_; }
  // Of the messages, with what each costs besides.
  [[nodiscard]] std::size_t bytes() const noexcept { return bytes_; }
  // REQUIRES: not empty, both.
  [[nodiscard]] Message front() const noexcept;
  void pop() noexcept;
  void clear() noexcept;

 private:
  friend class MessageBuffer;
  struct Record;
  struct Segment;

  void add_segment(Block block) noexcept;
  void drop_first() noexcept;

  Segment* first_ = nullptr;
  Segment* last_ = nullptr;
  std::size_t count_ = 0;
  std::size_t bytes_ = 0;
};

}  // namespace tercel::http
