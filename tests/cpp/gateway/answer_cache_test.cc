#include "tercel/gateway/answer_cache.h"

#include <functional>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "support/allocations.h"

namespace tercel::gateway {
namespace {

using namespace std::chrono_literals;  // NOLINT(google-build-using-namespace): only literals.

using Cache = AnswerCache<std::string>;

struct TestWaiter final : Cache::Waiter {
  void on_answer(const SharedConst<std::string>& value) noexcept override {
    told.push_back(value ? *value : "nothing");
    if (and_then) and_then();
  }
  std::vector<std::string> told;
  std::function<void()> and_then;
};

SharedConst<std::string> text(std::string value) {
  return SharedConst{std::move(value)};
}

TEST(AnswerCacheTest, AnAnswerIsUsedUntilItsEndAndAskedForAnewBeforeIt) {
  Cache cache{8};
  EXPECT_TRUE(cache.find("a", 0s).ask);
  ASSERT_TRUE(cache.begin("a"));
  EXPECT_FALSE(cache.find("a", 0s).ask);
  cache.answer("a", text("one"), {.fresh_until = 8s, .until = 10s});
  const auto fresh = cache.find("a", 7s);
  ASSERT_NE(fresh.value, nullptr);
  EXPECT_EQ(**fresh.value, "one");
  EXPECT_FALSE(fresh.ask);
  const auto old = cache.find("a", 9s);
  ASSERT_NE(old.value, nullptr);
  EXPECT_TRUE(old.ask);
  ASSERT_TRUE(cache.begin("a"));
  EXPECT_FALSE(cache.find("a", 9s).ask);
  EXPECT_NE(cache.find("a", 9s).value, nullptr);
  EXPECT_EQ(cache.find("a", 10s).value, nullptr);
}

TEST(AnswerCacheTest, WhatHoldsStaysWhereTheNextIsNotToBeHad) {
  Cache cache{2};
  EXPECT_FALSE(cache.put_off("a", 0s, 1s));  // Nobody has asked.
  ASSERT_TRUE(cache.begin("a"));
  EXPECT_FALSE(cache.put_off("a", 0s, 1s));  // There is none.
  cache.answer("a", text("one"), {.fresh_until = 8s, .until = 20s});
  ASSERT_TRUE(cache.begin("a"));
  EXPECT_TRUE(cache.put_off("a", 9s, 11s));
  EXPECT_FALSE(cache.find("a", 10s).ask);
  const auto kept = cache.find("a", 11s);
  ASSERT_NE(kept.value, nullptr);
  EXPECT_EQ(**kept.value, "one");
  EXPECT_TRUE(kept.ask);
  ASSERT_TRUE(cache.begin("a"));
  EXPECT_FALSE(cache.put_off("a", 20s, 22s));  // It does not hold any more.
  cache.answer("a", text("none"), {.fresh_until = 22s, .until = 22s});
  EXPECT_EQ(**cache.find("a", 21s).value, "none");
  ASSERT_TRUE(cache.begin("a"));
  cache.forget_if([](std::string_view) { return true; });
  EXPECT_FALSE(cache.put_off("a", 21s, 30s));  // It does not count any more.
}

TEST(AnswerCacheTest, AllWhoWaitAreToldOnce) {
  Cache cache{8};
  TestWaiter first, second, left;
  EXPECT_FALSE(cache.wait("a", first));  // Nobody has asked.
  ASSERT_TRUE(cache.begin("a"));
  EXPECT_TRUE(cache.wait("a", first));
  EXPECT_TRUE(cache.wait("a", second));
  EXPECT_TRUE(cache.wait("a", left));
  left.unlink();
  cache.answer("a", text("one"), {0s, 0s});
  cache.answer("a", text("two"), {9s, 9s});  // Was not asked for.
  EXPECT_EQ(first.told, std::vector<std::string>{"one"});
  EXPECT_EQ(second.told, std::vector<std::string>{"one"});
  EXPECT_TRUE(left.told.empty());
  EXPECT_EQ(cache.find("a", 1s).value, nullptr);  // Held for no time.
}

TEST(AnswerCacheTest, AWaiterMayAskAgainAndEndAnother) {
  Cache cache{8};
  TestWaiter first, second;
  ASSERT_TRUE(cache.begin("a"));
  ASSERT_TRUE(cache.wait("a", first));
  ASSERT_TRUE(cache.wait("a", second));
  first.and_then = [&] {
    second.unlink();
    EXPECT_TRUE(cache.begin("a"));
    EXPECT_TRUE(cache.wait("a", first));
  };
  cache.answer("a", text("one"), {0s, 0s});
  EXPECT_EQ(first.told, std::vector<std::string>{"one"});
  EXPECT_TRUE(second.told.empty());
  first.and_then = {};
  cache.answer("a", text("two"), {0s, 0s});
  EXPECT_EQ(first.told, (std::vector<std::string>{"one", "two"}));
}

TEST(AnswerCacheTest, TheOneThatWasUsedLeastLatelyGivesItsPlace) {
  Cache cache{2};
  for (const char* key : {"a", "b"}) {
    ASSERT_TRUE(cache.begin(key));
    cache.answer(key, text(key), {9s, 9s});
  }
  EXPECT_NE(cache.find("a", 1s).value, nullptr);
  ASSERT_TRUE(cache.begin("c"));
  EXPECT_EQ(cache.find("b", 1s).value, nullptr);
  EXPECT_NE(cache.find("a", 1s).value, nullptr);
  EXPECT_EQ(cache.size(), 2);
}

void fill(Cache& cache, std::string_view key, bool gives_way) {
  ASSERT_TRUE(cache.begin(key));
  cache.answer(key, text(std::string{key}), {9s, 9s, gives_way});
}

TEST(AnswerCacheTest, WhatIsAskedForKeepsItsPlace) {
  Cache cache{4};
  TestWaiter waiter;
  ASSERT_TRUE(cache.begin("a"));
  ASSERT_TRUE(cache.wait("a", waiter));
  (void)cache.find("a", 1s);
  EXPECT_FALSE(cache.begin("b"));  // A quarter is asked for.
  cache.answer("a", text("one"), {9s, 9s});
  EXPECT_EQ(waiter.told.size(), 1);
  EXPECT_TRUE(cache.begin("b"));
}

TEST(AnswerCacheTest, RefusalsGiveTheirPlacesBeforeAllOthers) {
  Cache cache{4};
  fill(cache, "good", false);
  fill(cache, "bad", true);
  fill(cache, "also good", false);
  for (int i = 0; i < 100; ++i) fill(cache, std::to_string(i), true);
  EXPECT_NE(cache.find("good", 1s).value, nullptr);
  EXPECT_NE(cache.find("also good", 1s).value, nullptr);
  EXPECT_EQ(cache.find("bad", 1s).value, nullptr);
  EXPECT_NE(cache.find("99", 1s).value, nullptr);
  // One that is answered otherwise by now is as good as any.
  fill(cache, "99", false);
  fill(cache, "100", true);
  fill(cache, "101", true);
  EXPECT_NE(cache.find("99", 1s).value, nullptr);
  EXPECT_EQ(cache.size(), 4);
}

TEST(AnswerCacheTest, WhatIsAskedForPushesOutLittle) {
  Cache cache{8};
  for (int i = 0; i < 8; ++i) fill(cache, std::to_string(i), false);
  int begun = 0;
  for (int i = 0; i < 100; ++i) begun += cache.begin("unknown" + std::to_string(i)) ? 1 : 0;
  EXPECT_EQ(begun, 2);
  for (int i = 2; i < 8; ++i) EXPECT_NE(cache.find(std::to_string(i), 1s).value, nullptr) << i;
}

TEST(AnswerCacheTest, WhatIsForgottenWhileItIsAskedForIsAskedAgain) {
  Cache cache{8};
  TestWaiter waiter;
  ASSERT_TRUE(cache.begin("a"));
  ASSERT_TRUE(cache.wait("a", waiter));
  ASSERT_TRUE(cache.begin("b"));
  cache.answer("b", text("one"), {9s, 9s});
  cache.forget_if([](std::string_view) { return true; });
  EXPECT_EQ(cache.find("b", 1s).value, nullptr);
  cache.answer("a", text("old"), {9s, 9s});
  EXPECT_EQ(waiter.told, std::vector<std::string>{"nothing"});
  EXPECT_EQ(cache.find("a", 1s).value, nullptr);
  ASSERT_TRUE(cache.begin("a"));
  cache.answer("a", text("new"), {9s, 9s});
  EXPECT_EQ(**cache.find("a", 1s).value, "new");
}

TEST(AnswerCacheTest, FindingAllocatesNothing) {
  Cache cache{8};
  const std::string key(100, 'k');
  ASSERT_TRUE(cache.begin(key));
  cache.answer(key, text("one"), {9s, 9s});
  const test::AllocationCount counted;
  for (int i = 0; i < 100; ++i) EXPECT_NE(cache.find(key, 1s).value, nullptr);
  EXPECT_EQ(counted.so_far(), 0U);
}

// --- bytes

std::string key_of(int number) {
  return "key " + std::to_string(number);
}
void keep(Cache& cache, const std::string& key, std::string value, bool gives_way = false) {
  ASSERT_TRUE(cache.begin(key));
  cache.answer(key, text(std::move(value)),
               {.fresh_until = 9s, .until = 10s, .gives_way = gives_way});
}

TEST(AnswerCacheBytesTest, ThoseThatWereUsedLeastLatelyMakeRoom) {
  Cache cache{1000};
  const std::string value(32'768, 'x');
  keep(cache, "gives way", value, true);
  for (int i = 0; i < 100; ++i) {
    keep(cache, key_of(i), value);
    EXPECT_LE(cache.bytes(), Cache::kBytesMin);
    EXPECT_NE(cache.find(key_of(0), 1s).value, nullptr) << "it is used";
  }
  EXPECT_EQ(cache.size(), Cache::kBytesMin / (32'768 + 512));
  EXPECT_EQ(cache.find("gives way", 1s).value, nullptr);
  EXPECT_EQ(cache.find(key_of(1), 1s).value, nullptr);
  EXPECT_NE(cache.find(key_of(99), 1s).value, nullptr);
  cache.forget_if([](std::string_view) { return true; });
  EXPECT_EQ(cache.bytes(), 0U);
}

TEST(AnswerCacheBytesTest, MorePlacesHaveMoreBytes) {
  constexpr int kPlaces = 4096;
  Cache cache{kPlaces};
  for (int i = 0; i < kPlaces; ++i) keep(cache, key_of(i), std::string(512, 'x'));
  EXPECT_EQ(cache.size(), std::size_t{kPlaces});
  EXPECT_GT(cache.bytes(), 2 * Cache::kBytesMin);
}

TEST(AnswerCacheBytesTest, AnAnswerThatIsTooLongIsForThoseWhoWait) {
  Cache cache{8};
  TestWaiter waiter;
  ASSERT_TRUE(cache.begin("a"));
  ASSERT_TRUE(cache.wait("a", waiter));
  const std::string value(Cache::kEntryBytesMax, 'x');
  cache.answer("a", text(value), {.fresh_until = 9s, .until = 10s});
  EXPECT_EQ(waiter.told, std::vector{value});
  EXPECT_EQ(cache.size(), 0U);
  EXPECT_EQ(cache.bytes(), 0U);
  EXPECT_TRUE(cache.find("a", 1s).ask);
  cache.put("b", text(value), {.fresh_until = 9s, .until = 10s});
  EXPECT_EQ(cache.size(), 0U);
}

// What is asked for is not given up, so there is no more of it than there is room for.
TEST(AnswerCacheBytesTest, QuestionsAreBoundedToo) {
  Cache cache{1 << 10};
  int asked = 0;
  while (asked < 256 && cache.begin(key_of(asked) + std::string(16'384, 'k'))) ++asked;
  EXPECT_GT(asked, 50);
  EXPECT_LT(asked, 64);
  EXPECT_LE(cache.bytes(), Cache::kBytesMin);
}

TEST(AnswerCacheBytesTest, ANewAnswerTakesThePlaceOfTheOld) {
  Cache cache{8};
  keep(cache, "a", std::string(1000, 'x'));
  const std::size_t before = cache.bytes();
  keep(cache, "a", std::string(1000, 'y'));
  EXPECT_EQ(cache.bytes(), before);
  keep(cache, "a", "");
  EXPECT_EQ(cache.bytes(), before - 1000);
  ASSERT_TRUE(cache.begin("a"));
  cache.forget_if([](std::string_view) { return true; });
  EXPECT_EQ(cache.bytes(), before - 1000);
  cache.answer("a", {}, {});
  EXPECT_EQ(cache.bytes(), before - 1000);
}

}  // namespace
}  // namespace tercel::gateway
