#include "tercel/base/intrusive_list.h"

#include <memory>
#include <optional>
#include <vector>

#include <gtest/gtest.h>

namespace tercel {
namespace {

struct Item : ListNode {
  explicit Item(int initial) noexcept : value{initial} {}
  int value;
};

std::vector<int> drained(IntrusiveList<Item>& list) {
  std::vector<int> values;
  while (const Item* item = list.pop_front()) values.push_back(item->value);
  return values;
}

TEST(IntrusiveListTest, KeepsTheOrder) {
  Item one{1}, two{2}, three{3};
  IntrusiveList<Item> list;
  EXPECT_TRUE(list.empty());
  EXPECT_EQ(list.pop_front(), nullptr);
  for (Item* item : {&one, &two, &three}) list.push_back(*item);
  EXPECT_EQ(list.front(), &one);
  EXPECT_TRUE(two.linked());
  EXPECT_EQ(drained(list), (std::vector{1, 2, 3}));
  EXPECT_FALSE(two.linked());
  EXPECT_TRUE(list.empty());
}

TEST(IntrusiveListTest, AnItemLeavesFromAnyPlaceAndWhenItIsDestroyed) {
  for (int leaving = 0; leaving < 3; ++leaving) {
    IntrusiveList<Item> list;
    std::vector<std::unique_ptr<Item>> items;
    std::vector<int> rest;
    for (int i = 0; i < 3; ++i) {
      list.push_back(*items.emplace_back(std::make_unique<Item>(i)));
      if (i != leaving) rest.push_back(i);
    }
    items[static_cast<std::size_t>(leaving)].reset();
    EXPECT_EQ(drained(list), rest);
  }
  Item alone{1};
  alone.unlink();  // In no list: nothing happens.
  EXPECT_FALSE(alone.linked());
}

TEST(IntrusiveListTest, TakesEverythingFromAnotherListInOrder) {
  Item one{1}, two{2}, three{3}, four{4};
  IntrusiveList<Item> list;
  IntrusiveList<Item> other;
  list.take_all(other);
  EXPECT_TRUE(list.empty());
  other.push_back(one);
  other.push_back(two);
  list.take_all(other);
  EXPECT_TRUE(other.empty());
  other.push_back(three);
  list.take_all(other);
  list.push_back(four);
  EXPECT_EQ(drained(list), (std::vector{1, 2, 3, 4}));
}

TEST(IntrusiveListTest, ItemsOutliveTheirList) {
  Item item{1};
  std::optional<IntrusiveList<Item>> list{std::in_place};
  list->push_back(item);
  list.reset();
  EXPECT_FALSE(item.linked());
  IntrusiveList<Item> another;
  another.push_back(item);
  EXPECT_EQ(another.front(), &item);
}

}  // namespace
}  // namespace tercel
