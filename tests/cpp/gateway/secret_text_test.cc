#include "tercel/gateway/secret_text.h"

#include <cstdlib>
#include <cstring>
#include <memory>
#include <new>
#include <string>
#include <string_view>
#include <utility>

#include <gtest/gtest.h>

namespace {

// What is looked for in memory that is given back, and how often it was there.
std::string_view looked_for;
int found = 0;

bool has(const void* memory, std::size_t bytes, std::string_view text) {
  return ::memmem(memory, bytes, text.data(), text.size()) != nullptr;
}

}  // namespace

// The test's own, so that it sees memory before it is gone: a number in front says how much it is.
void* operator new[](std::size_t bytes) {
  auto* const memory = static_cast<std::max_align_t*>(std::malloc(bytes + sizeof(max_align_t)));
  if (memory == nullptr) throw std::bad_alloc{};
  std::memcpy(memory, &bytes, sizeof bytes);
  return memory + 1;
}
void operator delete[](void* memory) noexcept {
  if (memory == nullptr) return;
  auto* const whole = static_cast<std::max_align_t*>(memory) - 1;
  std::size_t bytes = 0;
  std::memcpy(&bytes, whole, sizeof bytes);
  if (!looked_for.empty() && has(memory, bytes, looked_for)) ++found;
  std::free(whole);
}
void operator delete[](void* memory, std::size_t) noexcept {
  operator delete[](memory);
}

namespace tercel::gateway {
namespace {

constexpr std::string_view kShort = "minioadmin";
constexpr std::string_view kLong = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";

TEST(SecretTextTest, IsAValue) {
  EXPECT_TRUE(SecretText{}.empty());
  EXPECT_EQ(SecretText{}.view(), "");
  EXPECT_TRUE(SecretText{""}.empty());
  for (const std::string_view text : {kShort, kLong}) {
    SecretText first{text};
    SecretText copy = first;
    EXPECT_EQ(copy.view(), text);
    EXPECT_NE(copy.view().data(), first.view().data());
    const SecretText moved = std::move(first);
    EXPECT_EQ(moved.view(), text);
    EXPECT_TRUE(first.empty());  // NOLINT(bugprone-use-after-move): it says so.
    copy = SecretText{"other"};
    EXPECT_EQ(copy.view(), "other");
    copy = moved;
    EXPECT_EQ(copy.view(), text);
  }
}

// However short it is.
TEST(SecretTextTest, LeavesNothingBehindWhereItWas) {
  for (const std::string_view text : {kShort, kLong}) {
    const std::string_view most = text.substr(1);
    alignas(SecretText) unsigned char room[3][sizeof(SecretText)] = {};
    auto* const first = new (room[0]) SecretText{text};
    auto* const second = new (room[1]) SecretText{std::move(*first)};
    auto* const third = new (room[2]) SecretText{"another one"};
    *third = std::move(*second);
    EXPECT_EQ(third->view(), text);
    std::destroy_at(first);
    std::destroy_at(second);
    std::destroy_at(third);
    EXPECT_FALSE(has(room, sizeof room, most));
  }
}

TEST(SecretTextTest, LeavesNothingBehindInMemoryThatItGivesBack) {
  for (const std::string_view text : {kShort, kLong}) {
    const std::string_view most = text.substr(1);
    looked_for = most;
    found = 0;
    {
      SecretText first{text};
      SecretText copy = first;
      const SecretText moved = std::move(first);
      copy = SecretText{"another one"};
    }
    EXPECT_EQ(found, 0);
    // And the test would see it.
    char* volatile bare = new char[most.size()];
    most.copy(bare, most.size());
    delete[] bare;
    EXPECT_EQ(found, 1);
    looked_for = {};
  }
}

}  // namespace
}  // namespace tercel::gateway
