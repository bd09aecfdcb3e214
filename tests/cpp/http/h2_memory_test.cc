#include "tercel/http/h2_memory.h"

#include <cstddef>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

#include "support/allocations.h"

namespace tercel::http {
namespace {

TEST(H2MemoryTest, KeepsWhatCameBackForTheNext) {
  H2Memory memory;
  void* const first = memory.take(100);
  memory.give_back(first, 100);
  EXPECT_EQ(memory.kept_bytes(), 128U);
  {
    const test::AllocationCount count;
    EXPECT_EQ(memory.take(128), first);  // Rounded up to the same size.
    EXPECT_EQ(count.so_far(), 0U);
  }
  EXPECT_EQ(memory.kept_bytes(), 0U);
  void* const other = memory.take(129);
  EXPECT_NE(other, first);
  memory.give_back(other, 129);
  memory.give_back(first, 128);
}

TEST(H2MemoryTest, KeepsNoMoreThanItMay) {
  H2Memory memory;
  std::vector<void*> pieces;
  for (std::size_t bytes = 0; bytes < 2 * H2Memory::kKeptBytesMax; bytes += 1024) {
    pieces.push_back(memory.take(1024));
  }
  for (void* piece : pieces) memory.give_back(piece, 1024);
  EXPECT_EQ(memory.kept_bytes(), H2Memory::kKeptBytesMax);
}

TEST(H2MemoryTest, LeavesWhatIsLargeToTheAllocator) {
  H2Memory memory;
  void* const large = memory.take(5000);
  memory.give_back(large, 5000);
  EXPECT_EQ(memory.kept_bytes(), 0U);
}

TEST(H2MemoryTest, GivesMemoryForNothing) {
  H2Memory memory;
  void* const nothing = memory.take(0);
  EXPECT_NE(nothing, nullptr);
  memory.give_back(nothing, 0);
}

TEST(H2MemoryTest, ResizesWithWhatIsInIt) {
  H2Memory memory;
  std::string text(10, 'x');
  void* at = memory.take(text.size());
  ASSERT_NE(at, nullptr);
  std::memcpy(at, text.data(), text.size());
  for (const std::size_t wanted : {20U, 64U, 65U, 1024U, 1025U, 5000U, 9000U, 3000U, 900U, 10U}) {
    at = memory.resize(at, text.size(), wanted);
    ASSERT_NE(at, nullptr);
    const std::size_t kept = std::min(text.size(), wanted);
    ASSERT_EQ(std::string_view(static_cast<char*>(at), kept), text.substr(0, kept)) << wanted;
    text.resize(wanted, 'y');
    std::memcpy(at, text.data(), text.size());
  }
  memory.give_back(at, text.size());
}

TEST(H2MemoryTest, WhatCannotBeResizedStays) {
  H2Memory memory;
  auto* const at = static_cast<char*>(memory.take(10));
  at[9] = 'z';
  {
    const test::AllocationFailure failing{1};
    EXPECT_EQ(memory.resize(at, 10, 500), nullptr);
  }
  EXPECT_EQ(at[9], 'z');
  memory.give_back(at, 10);
}

}  // namespace
}  // namespace tercel::http
