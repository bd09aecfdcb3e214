#include "tercel/base/slab.h"

#include <algorithm>
#include <array>
#include <random>
#include <set>
#include <vector>

#include <gtest/gtest.h>

#include "support/allocations.h"

namespace tercel {
namespace {

using test::AllocationCount;
using test::AllocationFailure;

struct Item {
  explicit Item(int initial, int* destroyed_count = nullptr) noexcept
      : value{initial}, destroyed{destroyed_count} {}
  ~Item() {
    if (destroyed != nullptr) ++*destroyed;
  }
  int value;
  int* destroyed;
  std::array<char, 300> room{};
};

TEST(SlabTest, MakesAndDestroysObjects) {
  Slab<Item> slab;
  int destroyed = 0;
  Item* item = slab.make(7, &destroyed);
  ASSERT_NE(item, nullptr);
  EXPECT_EQ(item->value, 7);
  EXPECT_EQ(slab.alive(), 1U);
  slab.destroy(item);
  EXPECT_EQ(destroyed, 1);
  EXPECT_EQ(slab.alive(), 0U);
}

TEST(SlabTest, ThePlaceFreedLastIsTakenFirst) {
  Slab<Item> slab;
  std::vector<Item*> items;
  for (int i = 0; i < 500; ++i) items.push_back(slab.make(i));
  std::shuffle(items.begin(), items.end(), std::mt19937{1});
  for (int i = 0; i < 100; ++i) slab.destroy(items[static_cast<std::size_t>(i)]);
  for (int i = 99; i >= 0; --i) EXPECT_EQ(slab.make(i), items[static_cast<std::size_t>(i)]);
  for (Item* item : items) slab.destroy(item);
}

TEST(SlabTest, ExhaustedMemoryIsNullAndTheNextTryMayWork) {
  Slab<Item> slab;
  {
    const AllocationFailure failure{1};
    EXPECT_EQ(slab.make(1), nullptr);
    EXPECT_TRUE(failure.happened());
  }
  EXPECT_EQ(slab.alive(), 0U);
  EXPECT_EQ(slab.held_bytes(), 0U);
  Item* item = slab.make(2);
  ASSERT_NE(item, nullptr);
  slab.destroy(item);
}

TEST(SlabTest, ASteadyStateAllocatesNothing) {
  Slab<Item> slab;
  const auto turn = [&slab] {
    std::array<Item*, 200> items;
    for (Item*& item : items) item = slab.make(1);
    for (Item* item : items) slab.destroy(item);
  };
  turn();
  const AllocationCount count;
  for (int i = 0; i < 100; ++i) turn();
  EXPECT_EQ(count.so_far(), 0U);
}

TEST(SlabTest, AChunkHoldsAboutSixtyFourObjects) {
  Slab<Item> slab;
  Item* item = slab.make(1);
  EXPECT_GE(slab.held_bytes() / sizeof(Item), 60U);
  EXPECT_LE(slab.held_bytes() / sizeof(Item), 130U);
  slab.destroy(item);
}

TEST(SlabTest, ABurstGivesItsMemoryBack) {
  Slab<Item> slab;
  std::vector<Item*> items;
  for (int i = 0; i < 20'000; ++i) items.push_back(slab.make(i));
  EXPECT_GT(slab.held_bytes(), 20'000 * sizeof(Item));
  for (Item* item : items) slab.destroy(item);
  EXPECT_LE(slab.held_bytes(), Slab<Item>::kFreeBytesMax);
  EXPECT_GT(slab.held_bytes(), 0U);
  const std::size_t held = slab.held_bytes();
  EXPECT_EQ(slab.trim(), held);
  EXPECT_EQ(slab.held_bytes(), 0U);
}

TEST(SlabTest, TrimKeepsChunksThatHoldAnObject) {
  Slab<Item> slab;
  std::vector<Item*> items;
  for (int i = 0; i < 1000; ++i) items.push_back(slab.make(i));
  Item* survivor = items[500];
  for (Item* item : items) {
    if (item != survivor) slab.destroy(item);
  }
  slab.trim();
  EXPECT_GT(slab.held_bytes(), 0U);
  EXPECT_LT(slab.held_bytes(), 200 * sizeof(Item));
  EXPECT_EQ(survivor->value, 500);
  slab.destroy(survivor);
}

template <typename T>
class SlabOfTypeTest : public testing::Test {};
struct alignas(64) Aligned {
  char bytes[100];
};
using ItemTypes = testing::Types<char, std::uint64_t, std::array<char, 17>, std::array<char, 1008>,
                                 Item, Aligned, std::array<char, 5000>>;
TYPED_TEST_SUITE(SlabOfTypeTest, ItemTypes);

// Objects never overlap, are aligned, and keep their bytes, whatever the order and the size.
TYPED_TEST(SlabOfTypeTest, RandomUseKeepsObjectsApart) {
  const unsigned seed = std::random_device{}();
  SCOPED_TRACE(testing::Message() << "seed " << seed);
  std::mt19937 random{seed};
  union Value {
    Value() noexcept {}
    ~Value() {}
    TypeParam never_made;
    std::array<unsigned char, sizeof(TypeParam)> bytes;
  };
  Slab<Value> slab;
  std::vector<std::pair<Value*, unsigned char>> held;
  for (int i = 0; i < 20'000; ++i) {
    const bool growing = i / 2000 % 2 == 0;
    if (random() % 10 < (growing ? 7U : 3U)) {
      Value* value = slab.make();
      ASSERT_NE(value, nullptr);
      ASSERT_EQ(reinterpret_cast<std::uintptr_t>(value) % alignof(TypeParam), 0U);
      const auto mark = static_cast<unsigned char>(random());
      value->bytes.fill(mark);
      held.emplace_back(value, mark);
    } else if (!held.empty()) {
      std::swap(held[random() % held.size()], held.back());
      const auto [value, mark] = held.back();
      ASSERT_TRUE(std::all_of(value->bytes.begin(), value->bytes.end(),
                              [mark = mark](unsigned char byte) { return byte == mark; }));
      slab.destroy(value);
      held.pop_back();
    }
    if (random() % 500 == 0) slab.trim();
    ASSERT_EQ(slab.alive(), held.size());
    if (random() % 500 != 0) continue;
    std::set<const void*> wanted, found;
    for (const auto& [each, mark] : held) wanted.insert(each);
    slab.for_each([&](auto& each) { EXPECT_TRUE(found.insert(&each).second); });
    ASSERT_EQ(found, wanted);
    ASSERT_EQ(slab.any() != nullptr, !held.empty());
    ASSERT_TRUE(held.empty() || wanted.contains(slab.any()));
  }
  for (const auto& [value, mark] : held) slab.destroy(value);
}

#ifndef NDEBUG
TEST(SlabDeathTest, AnObjectThatOutlivesItsSlabIsABug) {
  EXPECT_DEATH(
      {
        Slab<Item> slab;
        static_cast<void>(slab.make(1));
      },
      "alive_ != 0");
}
#endif

#ifdef TERCEL_ADDRESS_SANITIZER
TEST(SlabDeathTest, AddressSanitizerSeesAUseAfterDestroy) {
  Slab<Item> slab;
  Item* item = slab.make(1);
  slab.destroy(item);
  EXPECT_DEATH(item->room[100] = 1, "use-after-poison");
}
#endif

}  // namespace
}  // namespace tercel
