#include "tercel/base/block_pool.h"

#include <sys/mman.h>

#include <cstring>
#include <random>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "support/allocations.h"

namespace tercel {
namespace {

using test::AllocationCount;
using test::AllocationFailure;

TEST(BlockPoolTest, ABlockHasTheSizeOfItsClass) {
  BlockPool pool;
  EXPECT_EQ(pool.take(0).capacity(), 256U);
  std::size_t below = 1;
  for (const std::size_t size : BlockPool::kClasses) {
    EXPECT_EQ(pool.take(below).capacity(), size);
    EXPECT_EQ(pool.take(size).capacity(), size);
    below = size + 1;
  }
}

TEST(BlockPoolTest, ALargerWishIsAllocatedExactlyAndFreedWhenReturned) {
  BlockPool pool;
  {
    Block block = pool.take(65537);
    EXPECT_EQ(block.capacity(), 65537U);
    std::memset(block.data(), 1, block.capacity());
  }
  EXPECT_EQ(pool.trim(), 0U);
}

TEST(BlockPoolTest, AWishBeyondTheCapacityOfABlockIsNotMet) {
  BlockPool pool;
  EXPECT_FALSE(pool.take(std::size_t{UINT32_MAX} + 1));
  EXPECT_FALSE(pool.take(SIZE_MAX));
  EXPECT_EQ(pool.outstanding(), 0U);
}

TEST(BlockPoolTest, ExhaustedMemoryIsAnEmptyBlock) {
  BlockPool pool;
  const AllocationFailure failure{1};
  EXPECT_FALSE(pool.take(100));
  EXPECT_TRUE(failure.happened());
  EXPECT_EQ(pool.outstanding(), 0U);
  EXPECT_TRUE(pool.take(100));
}

TEST(BlockPoolTest, ALargeBlockIsGoneWhenItIsReturned) {
  BlockPool pool;
  char* data = nullptr;
  {
    Block block = pool.take(BlockPool::kPagesBytes);
    data = block.data();
    std::memset(data, 'x', block.capacity());
  }
  unsigned char page = 0;
  EXPECT_NE(::mincore(data, 1, &page), 0);
}

TEST(BlockPoolTest, ABlockThatGrowsKeepsWhatIsInIt) {
  BlockPool pool;
  Block block;
  std::size_t used = 0;
  for (const std::size_t bytes : {100U, 1000U, 65536U, 65537U, 1U << 20, 1U << 24}) {
    ASSERT_TRUE(pool.grow(block, used, bytes));
    ASSERT_GE(block.capacity(), bytes);
    EXPECT_EQ(pool.outstanding(), 1U);
    for (std::size_t i = 0; i < used; ++i) ASSERT_EQ(block.data()[i], 'x') << i;
    std::memset(block.data() + used, 'x', block.capacity() - used);
    used = bytes;
  }
}

TEST(BlockPoolTest, WhatIsAppendedStandsBehindWhatIsThere) {
  BlockPool pool;
  Block block;
  std::string all;
  std::size_t capacity = 0;
  int grown = 0;
  for (int i = 0; i < 10'000; ++i) {
    const std::string part(static_cast<std::size_t>(i % 7), static_cast<char>('a' + i % 26));
    ASSERT_TRUE(pool.append(block, all.size(), part));
    all += part;
    if (block.capacity() != capacity) ++grown;
    capacity = block.capacity();
  }
  EXPECT_EQ(std::string_view(block.data(), all.size()), all);
  EXPECT_LE(grown, 4);
  const std::string more(block.capacity(), 'x');
  const AllocationFailure failure{1};
  EXPECT_FALSE(pool.append(block, all.size(), more));
  EXPECT_EQ(std::string_view(block.data(), all.size()), all);
}

TEST(BlockPoolTest, ABlockThatCannotGrowStaysAsItIs) {
  for (const std::size_t bytes : {1000U, 70000U, 1U << 20}) {
    BlockPool pool;
    Block block = pool.take(bytes);
    char* const data = block.data();
    const std::size_t capacity = block.capacity();
    {
      const AllocationFailure failure{1};
      EXPECT_FALSE(pool.grow(block, bytes, 100 * bytes));
      EXPECT_TRUE(failure.happened());
    }
    EXPECT_FALSE(pool.grow(block, bytes, SIZE_MAX));
    EXPECT_EQ(block.data(), data);
    EXPECT_EQ(block.capacity(), capacity);
    EXPECT_EQ(pool.outstanding(), 1U);
  }
}

TEST(BlockPoolTest, TheBlockReturnedLastIsTakenFirst) {
  BlockPool pool;
  Block first = pool.take(256);
  Block second = pool.take(256);
  const char* const first_data = first.data();
  const char* const second_data = second.data();
  second = {};
  first = {};
  const Block third = pool.take(1);
  const Block fourth = pool.take(256);
  EXPECT_EQ(third.data(), first_data);
  EXPECT_EQ(fourth.data(), second_data);
}

TEST(BlockPoolTest, MovingABlockMovesItsOwnership) {
  BlockPool pool;
  Block block = pool.take(1000);
  char* const data = block.data();
  Block other{std::move(block)};
  EXPECT_FALSE(block);  // NOLINT(bugprone-use-after-move): what is left behind is part of the API.
  EXPECT_EQ(block.capacity(), 0U);
  EXPECT_EQ(other.data(), data);
  EXPECT_EQ(pool.outstanding(), 1U);

  Block replaced = pool.take(1000);
  EXPECT_EQ(pool.outstanding(), 2U);
  replaced = std::move(other);
  EXPECT_EQ(replaced.data(), data);
  EXPECT_EQ(pool.outstanding(), 1U);
  Block& same = replaced;
  replaced = std::move(same);
  EXPECT_EQ(replaced.data(), data);
}

TEST(BlockPoolTest, ASteadyStateAllocatesNothing) {
  BlockPool pool;
  const auto turn = [&pool] {
    std::array<Block, 20> blocks;
    for (std::size_t i = 0; i < blocks.size(); ++i) {
      blocks[i] = pool.take(BlockPool::kClasses[i % std::size(BlockPool::kClasses)]);
    }
  };
  turn();
  const AllocationCount count;
  for (int i = 0; i < 100; ++i) turn();
  EXPECT_EQ(count.so_far(), 0U);
}

TEST(BlockPoolTest, WhatIsKeptFreeIsCappedAndTrimReturnsAllOfIt) {
  BlockPool pool;
  for (const std::size_t size : BlockPool::kClasses) {
    const std::size_t count = BlockPool::kFreeBytesMax / size;
    std::vector<Block> blocks;
    for (std::size_t i = 0; i < count + 5; ++i) blocks.push_back(pool.take(size));
    blocks.clear();
    EXPECT_EQ(pool.trim(), BlockPool::kFreeBytesMax) << size;
    EXPECT_EQ(pool.trim(), 0U);
  }
}

// Blocks never overlap and keep their bytes, whatever the order of taking and returning.
TEST(BlockPoolTest, RandomUseKeepsEveryByte) {
  const unsigned seed = std::random_device{}();
  SCOPED_TRACE(testing::Message() << "seed " << seed);
  std::mt19937 random{seed};
  BlockPool pool;
  std::vector<std::pair<Block, char>> held;
  for (int i = 0; i < 20'000; ++i) {
    if (held.size() < 50 && random() % 2 == 0) {
      Block block = pool.take(random() % (random() % 10 == 0 ? 100'000 : 2'000));
      const auto mark = static_cast<char>(random());
      std::memset(block.data(), mark, block.capacity());
      held.emplace_back(std::move(block), mark);
    } else if (!held.empty()) {
      const std::size_t index = random() % held.size();
      const auto& [block, mark] = held[index];
      ASSERT_EQ(block.data()[0], mark);
      ASSERT_EQ(std::memcmp(block.data(), block.data() + 1, block.capacity() - 1), 0);
      std::swap(held[index], held.back());
      held.pop_back();
    }
    if (random() % 1000 == 0) pool.trim();
    ASSERT_EQ(pool.outstanding(), held.size());
  }
}

#ifndef NDEBUG
TEST(BlockPoolDeathTest, ABlockThatOutlivesItsPoolIsABug) {
  EXPECT_DEATH(
      {
        Block block;
        BlockPool pool;
        block = pool.take(1);
      },
      "outstanding_ != 0");
}
#endif

}  // namespace
}  // namespace tercel
