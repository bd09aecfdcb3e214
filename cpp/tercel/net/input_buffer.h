// The bytes that a connection received and nobody consumed yet.
//
//   std::span<char> room = input.room(InputBuffer::Borrow::kYes);
//   input.add(stream.read(room).bytes);
//   input.consume(parse(input.unread()));
//   if (!input.settle()) ...  // At the end of the step.
//
// Within a step they are in the loop's shared buffer, if this connection could borrow it; what the
// step leaves is copied into a pooled block. Unread bytes are always in one piece.
// Resource: exists while there is something to hold. Thread: the loop's. Tested by
// input_buffer_test.cc.
#pragma once

#include <cstddef>
#include <span>

#include "tercel/base/block_pool.h"
#include "tercel/net/loop.h"

namespace tercel::net {

class InputBuffer {
 public:
  // Whether the shared buffer may be taken: it has to be given back by settle().
  enum class Borrow : bool { kNo, kYes };

  explicit InputBuffer(Loop& loop) noexcept : loop_{loop} {}
  InputBuffer(const InputBuffer&) = delete;
  InputBuffer& operator=(const InputBuffer&) = delete;
  ~InputBuffer() { give_back(); }

  // Valid until the next call of room() or settle().
  [[nodiscard]] std::span<char> unread() const noexcept { return unread_; }
  [[nodiscard]] bool empty() const noexcept { return unread_.empty(); }

  // Free room right behind the unread bytes, which may move; empty when memory is exhausted.
  [[nodiscard]] std::span<char> room(Borrow borrow) noexcept;
  // The first `bytes` of what room() returned last are received.
  void add(std::size_t bytes) noexcept { unread_ = {unread_.data(), unread_.size() + bytes}; }
  // REQUIRES: bytes <= unread().size().
  void consume(std::size_t bytes) noexcept { unread_ = unread_.subspan(bytes); }
  void discard() noexcept { unread_ = unread_.first(0); }

  // Gives the shared buffer back, and keeps what is unread. False: memory is exhausted, and the
  // bytes are lost.
  [[nodiscard]] bool settle() noexcept;
  // Gives the block back, too, for an owner that lives on with nothing to hold. REQUIRES: empty().
  void release() noexcept {
    stash_ = Block{};
    unread_ = {};
  }

 private:
  // First size of a block when the shared buffer is not to be had.
  static constexpr std::size_t kBlockBytes = 16384;

  [[nodiscard]] bool in_scratch() const noexcept {
    return unread_.data() >= scratch_.data() && unread_.data() < scratch_.data() + scratch_.size();
  }
  [[nodiscard]] std::span<char> room_in_stash(std::size_t bytes) noexcept;
  void give_back() noexcept;

  Loop& loop_;
  Block stash_;
  std::span<char> unread_;   // In the stash, or in the scratch.
  std::span<char> scratch_;  // The loop's buffer while it is borrowed.
};

}  // namespace tercel::net
