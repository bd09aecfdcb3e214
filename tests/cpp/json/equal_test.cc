#include "tercel/json/equal.h"

#include <algorithm>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "json/parsed.h"

namespace tercel::json {
namespace {

constexpr KeyedHash kHash{5, 6};

// Equality, checked to be symmetric and to agree with the hash.
bool same(std::string_view a_text, std::string_view b_text) {
  const Parsed a{a_text};
  const Parsed b{b_text};
  const bool result = equal(*a, *b);
  EXPECT_EQ(equal(*b, *a), result) << a_text << ' ' << b_text;
  EXPECT_EQ(hash_value(*a, kHash) == hash_value(*b, kHash), result) << a_text << ' ' << b_text;
  return result;
}

TEST(EqualTest, ValuesOfDifferentKindsDiffer) {
  const std::string_view values[] = {"null", "false", "true",  "0",           "1",       "1.5",
                                     "\"\"", "\"1\"", "[]",    "{}",          "[[]]",    "[{}]",
                                     "[0]",  "[[0]]", "\"0\"", "{\"\":null}", "{\"\":0}"};
  for (const std::string_view a : values) {
    for (const std::string_view b : values) EXPECT_EQ(same(a, b), a == b) << a << ' ' << b;
  }
}

TEST(EqualTest, OrderCountsInArraysOnly) {
  EXPECT_FALSE(same("[1,2]", "[2,1]"));
  EXPECT_TRUE(same(R"({"a":1,"b":[2.0]})", R"({"b":[2],"a":1e0})"));
  EXPECT_FALSE(same(R"({"a":1,"b":2})", R"({"a":2,"b":1})"));
  EXPECT_FALSE(same(R"({"a":1})", R"({"a":1,"b":2})"));
  EXPECT_FALSE(same(R"({"a":1,"c":2})", R"({"a":1,"b":2})"));
  EXPECT_FALSE(same("[[1],[]]", "[[],[1]]"));
}

// On both sides of the size from which keys are sorted, in an order that is another one.
TEST(EqualTest, LargeObjectsAreComparedInAnyOrder) {
  for (const int size : {2, 16, 17, 20000}) {
    std::vector<std::string> members;
    for (int i = 0; i < size; ++i) {
      members.push_back("\"k" + std::to_string(i) + "\":" + std::to_string(i));
    }
    const auto join = [&members] {
      std::string text = "{" + members[0];
      for (std::size_t i = 1; i < members.size(); ++i) text += "," + members[i];
      return text + "}";
    };
    const std::string forward = join();
    std::reverse(members.begin(), members.end());
    EXPECT_TRUE(same(forward, join())) << size;
    members[0] += "0";
    EXPECT_FALSE(same(forward, join())) << size;
  }
}

}  // namespace
}  // namespace tercel::json
