#include "tercel/gateway/buckets.h"

#include <string>

#include <gtest/gtest.h>

#include "tercel/gateway/glob.h"

namespace tercel::gateway {
namespace {

Backend named(std::string rule) {
  Backend backend;
  backend.rule = std::move(rule);
  return backend;
}

std::string rule_of(const Buckets& buckets, std::string_view bucket) {
  const Backend* const found = buckets.find(bucket);
  return found != nullptr ? found->rule : "none";
}

TEST(BucketsTest, ANameIsMeantBeforeAPatternAndTheMoreLiteralPatternBeforeOthers) {
  Buckets buckets;
  for (const char* name : {"*", "tmp-*", "tmp-a*", "tmp-a1", "?"}) {
    EXPECT_FALSE(buckets.add(name, named(name)));
  }
  EXPECT_EQ(rule_of(buckets, "tmp-a1"), "tmp-a1");
  EXPECT_EQ(rule_of(buckets, "tmp-a2"), "tmp-a*");
  EXPECT_EQ(rule_of(buckets, "tmp-b"), "tmp-*");
  EXPECT_EQ(rule_of(buckets, "x"), "*");  // As literal as "?", and added before it.
  EXPECT_EQ(rule_of(buckets, "other"), "*");
  EXPECT_EQ(buckets.names(), std::vector<std::string>{"tmp-a1"});
}

TEST(BucketsTest, WithoutADefaultABucketMayBeOnNone) {
  Buckets buckets;
  EXPECT_FALSE(buckets.add("logs", named("logs")));
  EXPECT_EQ(rule_of(buckets, "log"), "none");
  EXPECT_EQ(rule_of(buckets, ""), "none");
  EXPECT_EQ(rule_of(buckets, "logs"), "logs");
}

TEST(BucketsTest, ANameIsThereOnceAndIsOne) {
  Buckets buckets;
  EXPECT_FALSE(buckets.add("a", named("a")));
  EXPECT_FALSE(buckets.add("a*", named("a*")));
  EXPECT_TRUE(buckets.add("a", named("a")));
  EXPECT_TRUE(buckets.add("a*", named("a*")));
  EXPECT_TRUE(buckets.add("", named("")));
  EXPECT_TRUE(buckets.add("a/b", named("a/b")));
  EXPECT_TRUE(buckets.add(std::string(256, 'a'), named("long")));
}

// Every pattern of up to 4 bytes of "ab*?" on every name of up to 4 bytes of "ab", against the
// definition.
bool by_definition(std::string_view pattern, std::string_view name) {
  if (pattern.empty()) return name.empty();
  if (pattern[0] == '*') {
    return by_definition(pattern.substr(1), name) ||
           (!name.empty() && by_definition(pattern, name.substr(1)));
  }
  if (name.empty()) return false;
  return (pattern[0] == '?' || pattern[0] == name[0]) &&
         by_definition(pattern.substr(1), name.substr(1));
}

std::vector<std::string> all_texts(std::string_view letters, std::size_t size_max) {
  std::vector<std::string> all{""};
  for (std::size_t begin = 0, size = 0; size < size_max; ++size) {
    const std::size_t end = all.size();
    for (; begin < end; ++begin) {
      for (const char letter : letters) all.push_back(all[begin] + letter);
    }
  }
  return all;
}

TEST(GlobTest, MatchesWhatItsDefinitionDoes) {
  const auto names = all_texts("ab", 4);
  for (const std::string& pattern : all_texts("ab*?", 4)) {
    for (const std::string& name : names) {
      ASSERT_EQ(matches(pattern, name), by_definition(pattern, name)) << pattern << ' ' << name;
    }
  }
}

TEST(GlobTest, IsQuickOnPatternsThatTryMuch) {
  const std::string pattern = "*a*a*a*a*a*a*a*a*a*a*b";
  EXPECT_FALSE(matches(pattern, std::string(10'000, 'a')));
}

}  // namespace
}  // namespace tercel::gateway
