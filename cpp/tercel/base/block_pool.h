// Pooled memory for bytes that must outlive the loop's shared receive buffer: a head that arrived
// in parts, a response that the socket did not take.
//
// Resource: one pool a loop, one thread. A steady state takes every block from the free lists and
// calls malloc never; what is kept free is capped, so a burst gives its memory back. Blocks of
// kPagesBytes or more are pages of their own: the kernel has them back when the block ends, where
// malloc may keep them for ever, and they grow without being copied.
// Tested by block_pool_test.cc.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>

namespace tercel {

class BlockPool;

// Owns one block. Moves, does not copy; gives the block back when destroyed.
class Block {
 public:
  Block() noexcept = default;
  Block(Block&& other) noexcept;
  Block& operator=(Block&& other) noexcept;
  ~Block();

  explicit operator bool() const noexcept { return data_ != nullptr; }
  [[nodiscard]] char* data() const noexcept { return data_; }
  [[nodiscard]] std::size_t capacity() const noexcept { return capacity_; }

 private:
  friend class BlockPool;
  Block(BlockPool* pool, char* data, std::uint32_t capacity) noexcept
      : pool_{pool}, data_{data}, capacity_{capacity} {}

  BlockPool* pool_ = nullptr;
  char* data_ = nullptr;
  std::uint32_t capacity_ = 0;
};

class BlockPool {
 public:
  // Size classes in bytes. A larger wish is allocated exactly and freed when returned.
  static constexpr std::size_t kClasses[] = {256, 1024, 4096, 16384, 65536};
  // Bytes kept on the free list of each class, at most.
  static constexpr std::size_t kFreeBytesMax = std::size_t{1} << 20;
  static constexpr std::size_t kPagesBytes = std::size_t{1} << 20;
  // What append() begins with.
  static constexpr std::size_t kAppendedBytesMin = 4096;

  BlockPool() noexcept = default;
  BlockPool(const BlockPool&) = delete;
  BlockPool& operator=(const BlockPool&) = delete;
  ~BlockPool();

  // Returns a block of at least `bytes`, or an empty one when memory is exhausted.
  [[nodiscard]] Block take(std::size_t bytes) noexcept;
  // Makes `block`, which is this pool's or empty, hold `bytes` or more; the first `used` bytes
  // stay. Returns false, and leaves it as it is, when memory is exhausted.
  [[nodiscard]] bool grow(Block& block, std::size_t used, std::size_t bytes) noexcept;

  // Writes `bytes` behind the first `used`, for which `block` grows as grow() does, to twice its
  // size: what is copied in all is no more than what is appended. False as grow().
  [[nodiscard]] bool append(Block& block, std::size_t used, std::string_view bytes) noexcept;

  // Frees what is on the free lists. Returns the number of bytes freed.
  std::size_t trim() noexcept;

  // Blocks handed out and not yet returned.
  [[nodiscard]] std::size_t outstanding() const noexcept { return outstanding_; }

 private:
  friend class Block;
  void give_back(char* data, std::size_t capacity) noexcept;

  struct FreeBlock {
    FreeBlock* next;
  };
  FreeBlock* free_[std::size(kClasses)] = {};
  std::size_t free_count_[std::size(kClasses)] = {};
  std::size_t outstanding_ = 0;
};

}  // namespace tercel
