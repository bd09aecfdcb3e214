#include "tercel/base/pages.h"

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

namespace tercel {
namespace {

std::size_t page_bytes() {
  return static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
}

std::size_t resident_pages(std::span<char> memory) {
  std::vector<unsigned char> pages((memory.size() + page_bytes() - 1) / page_bytes());
  if (::mincore(memory.data(), memory.size(), pages.data()) != 0) return SIZE_MAX;
  return static_cast<std::size_t>(std::count_if(
      pages.begin(), pages.end(), [](unsigned char page) { return (page & 1) != 0; }));
}

TEST(PagesTest, WhatIsNotWrittenToIsNotResident) {
  const Pages pages = Pages::map(16 * page_bytes());
  ASSERT_TRUE(pages);
  ASSERT_EQ(pages.span().size(), 16 * page_bytes());
  EXPECT_EQ(resident_pages(pages.span()), 0u);
  pages.span().front() = 'a';
  EXPECT_EQ(resident_pages(pages.span()), 1u);
}

TEST(PagesTest, TheMappingEndsWithItsOwner) {
  std::span<char> memory;
  {
    Pages first = Pages::map(page_bytes());
    memory = first.span();
    Pages second{std::move(first)};
    EXPECT_FALSE(first);  // NOLINT(bugprone-use-after-move): that is the question.
    EXPECT_EQ(second.span().data(), memory.data());
    first = std::move(second);
    EXPECT_EQ(first.span().data(), memory.data());
    EXPECT_EQ(resident_pages(memory), 0u);
  }
  EXPECT_EQ(resident_pages(memory), SIZE_MAX);
}

TEST(PagesTest, WhatIsInItStaysWhenItsSizeChanges) {
  Pages pages = Pages::map(2 * page_bytes());
  pages.span().back() = 'a';
  ASSERT_TRUE(pages.resize(1000 * page_bytes()));
  ASSERT_EQ(pages.span().size(), 1000 * page_bytes());
  EXPECT_EQ(pages.span()[2 * page_bytes() - 1], 'a');
  EXPECT_EQ(resident_pages(pages.span()), 1u);
  EXPECT_FALSE(pages.resize(SIZE_MAX / 2));
  EXPECT_EQ(pages.span()[2 * page_bytes() - 1], 'a');
}

TEST(PagesTest, WhatIsReleasedIsTheCallers) {
  const std::span<char> memory = Pages::map(page_bytes()).release();
  memory.front() = 'a';
  {
    const Pages pages = Pages::adopt(memory);
    EXPECT_EQ(pages.span().front(), 'a');
  }
  EXPECT_EQ(resident_pages(memory), SIZE_MAX);
}

TEST(PagesTest, WhatTheMachineDoesNotHaveIsEmpty) {
  EXPECT_FALSE(Pages::map(SIZE_MAX / 2));
  EXPECT_FALSE(Pages{});
}

}  // namespace
}  // namespace tercel
