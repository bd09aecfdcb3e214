#include "tercel/json/duplicate_keys.h"

#include <chrono>
#include <string>

#include <gtest/gtest.h>

#include "json/parsed.h"

namespace tercel::json {
namespace {

std::string parsed(std::string_view text) {
  return to_text(*Parsed{text});
}

bool refused(std::string_view text) {
  Parser parser;
  Document document;
  const auto root = parser.parse(text, document, {.duplicates = DuplicatePolicy::kRefuse});
  return !root && parser.fault().kind == FaultKind::kDuplicateKey;
}

TEST(DuplicateKeysTest, TheLastOneCounts) {
  EXPECT_EQ(parsed(R"({"a":1,"a":2})"), R"({"a":2})");
  EXPECT_EQ(parsed(R"({"a":1,"b":2,"a":3,"b":4,"a":5})"), R"({"b":4,"a":5})");
  EXPECT_EQ(parsed(R"({"a":1,"\u0061":2})"), R"({"a":2})");
  EXPECT_EQ(parsed(R"({"":1,"":2,"c":1.5})"), R"({"":2,"c":1.5})");
}

TEST(DuplicateKeysTest, WhatIsReplacedGoesWithAllThatIsInIt) {
  EXPECT_EQ(parsed(R"([{"a":{"x":[1,2.5,{}],"x":[]},"a":[[],{"b":0,"b":1.5}]},3])"),
            R"([{"a":[[],{"b":1.5}]},3])");
  const Parsed document{R"({"k":{"a":[1,1.5],"a":2,"b":3},"l":[4]})"};
  EXPECT_EQ(document->size(), 2U);
  EXPECT_EQ(document->find("k")->size(), 2U);
  EXPECT_EQ(document->find("l")->size(), 1U);
}

TEST(DuplicateKeysTest, AreRefusedWhenAskedFor) {
  EXPECT_TRUE(refused(R"({"a":1,"a":1})"));
  EXPECT_TRUE(refused(R"([{"b":{"a":1,"b":2,"a":1}}])"));
  EXPECT_FALSE(refused(R"({"a":{"a":1},"b":{"a":1}})"));
}

// Every size around the three ways to look, with a pair at every two places.
TEST(DuplicateKeysTest, AreFoundWhereverTheyAre) {
  for (int size = 2; size < 20; ++size) {
    for (int first = 0; first < size; ++first) {
      for (int second = first; second < size; ++second) {
        std::string text = "{";
        for (int i = 0; i < size; ++i) {
          text += (i > 0 ? ",\"k" : "\"k") + std::to_string(i == second ? first : i) + "\":0";
        }
        ASSERT_EQ(refused(text + "}"), first != second) << text;
      }
    }
  }
}

// Keys that are alike to hash_key(): the same length, beginning and end.
TEST(DuplicateKeysTest, KeysMadeToCollideCostNoMoreThanOthers) {
  const auto parse_seconds = [](std::string_view middle) {
    std::string text = "{";
    for (int i = 0; i < 50000; ++i) {
      const std::string number = std::to_string(100000 + i);
      text += (i > 0 ? ",\"" : "\"") +
              (middle.empty() ? number + "123456789012345678" : "12345678" + number + "12345678") +
              "\":0";
    }
    text += "}";
    const auto start = std::chrono::steady_clock::now();
    EXPECT_EQ(
        Parsed { text } -> size(), 50000U);
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  };
  // Pair by pair it would be a billion comparisons, which take seconds.
  EXPECT_LT(parse_seconds("collide"), parse_seconds("") * 10 + 0.1);
}

}  // namespace
}  // namespace tercel::json
