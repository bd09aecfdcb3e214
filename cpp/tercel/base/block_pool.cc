#include "tercel/base/block_pool.h"

#include <algorithm>
#include <bit>
#include <cstdlib>
#include <cstring>
#include <iterator>
#include <new>
#include <span>
#include <utility>

#include "tercel/base/assert.h"
#include "tercel/base/pages.h"
#include "tercel/base/poison.h"

namespace tercel {
namespace {

constexpr std::size_t kClassCount = std::size(BlockPool::kClasses);
constexpr std::size_t kLargestClass = BlockPool::kClasses[kClassCount - 1];

// Index of the smallest class that holds `bytes`. Each class is four times the one before.
constexpr std::size_t class_of(std::size_t bytes) noexcept {
  if (bytes <= BlockPool::kClasses[0]) return 0;
  return (static_cast<std::size_t>(std::bit_width(bytes - 1)) - 7) / 2;
}

constexpr bool classes_match_their_formula() noexcept {
  for (std::size_t i = 0; i < kClassCount; ++i) {
    if (class_of(BlockPool::kClasses[i]) != i) return false;
    if (i + 1 < kClassCount && class_of(BlockPool::kClasses[i] + 1) != i + 1) return false;
  }
  return true;
}
static_assert(classes_match_their_formula());

}  // namespace

Block::Block(Block&& other) noexcept
    : pool_{std::exchange(other.pool_, nullptr)},
      data_{std::exchange(other.data_, nullptr)},
      capacity_{std::exchange(other.capacity_, 0)} {}

Block& Block::operator=(Block&& other) noexcept {
  Block taken{std::move(other)};
  std::swap(pool_, taken.pool_);
  std::swap(data_, taken.data_);
  std::swap(capacity_, taken.capacity_);
  return *this;
}

Block::~Block() {
  if (data_ != nullptr) pool_->give_back(data_, capacity_);
}

BlockPool::~BlockPool() {
  // A block that is still out would come back to a pool that is gone.
  static_cast<void>(TERCEL_BUG_IF(outstanding_ != 0));
  trim();
}

Block BlockPool::take(std::size_t bytes) noexcept {
  if (bytes > UINT32_MAX) return {};  // A block's capacity has 32 bits.
  std::size_t capacity = bytes;
  if (bytes <= kLargestClass) {
    const std::size_t index = class_of(bytes);
    capacity = kClasses[index];
    if (FreeBlock* block = free_[index]) {
      free_[index] = block->next;
      --free_count_[index];
      ++outstanding_;
      unpoison(block, capacity);
      return {this, reinterpret_cast<char*>(block), static_cast<std::uint32_t>(capacity)};
    }
  }
  auto* data = capacity >= kPagesBytes ? Pages::map(capacity).release().data()
                                       : static_cast<char*>(std::malloc(capacity));
  if (data == nullptr) return {};
  ++outstanding_;
  return {this, data, static_cast<std::uint32_t>(capacity)};
}

bool BlockPool::grow(Block& block, std::size_t used, std::size_t bytes) noexcept {
  if (block.capacity_ >= kPagesBytes && bytes >= kPagesBytes && bytes <= UINT32_MAX) {
    Pages pages = Pages::adopt({block.data_, block.capacity_});
    const bool grown = pages.resize(bytes);
    const std::span<char> memory = pages.release();
    block.data_ = memory.data();
    block.capacity_ = static_cast<std::uint32_t>(memory.size());
    return grown;
  }
  Block larger = take(bytes);
  if (!larger) return false;
  if (block) std::memcpy(larger.data_, block.data_, used);
  block = std::move(larger);
  return true;
}

bool BlockPool::append(Block& block, std::size_t used, std::string_view bytes) noexcept {
  if (bytes.empty()) return true;
  const std::size_t needed = used + bytes.size();
  if (needed > block.capacity()) {
    const std::size_t wanted = std::max({needed, block.capacity() * 2, kAppendedBytesMin});
    if (!grow(block, used, wanted)) return false;
  }
  std::memcpy(block.data() + used, bytes.data(), bytes.size());
  return true;
}

void BlockPool::give_back(char* data, std::size_t capacity) noexcept {
  --outstanding_;
  if (capacity <= kLargestClass) {
    const std::size_t index = class_of(capacity);
    if ((free_count_[index] + 1) * capacity <= kFreeBytesMax) {
      free_[index] = new (data) FreeBlock{free_[index]};
      ++free_count_[index];
      poison(data + sizeof(FreeBlock), capacity - sizeof(FreeBlock));
      return;
    }
  }
  if (capacity >= kPagesBytes) {
    const Pages unmapped = Pages::adopt({data, capacity});
    return;
  }
  std::free(data);
}

std::size_t BlockPool::trim() noexcept {
  std::size_t freed = 0;
  for (std::size_t i = 0; i < kClassCount; ++i) {
    freed += free_count_[i] * kClasses[i];
    free_count_[i] = 0;
    while (FreeBlock* block = free_[i]) {
      free_[i] = block->next;
      std::free(block);
    }
  }
  return freed;
}

}  // namespace tercel
