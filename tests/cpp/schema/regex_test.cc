#include "tercel/schema/regex.h"

#include <chrono>
#include <string>

#include <gtest/gtest.h>

namespace tercel::schema {
namespace {

bool found(std::string_view pattern, std::string_view text) {
  std::string reason;
  const Regex regex = Regex::compile(pattern, reason);
  EXPECT_TRUE(regex) << pattern << ": " << reason;
  return regex && regex.found_in(text);
}

std::string refusal(std::string_view pattern) {
  std::string reason;
  EXPECT_FALSE(Regex::compile(pattern, reason)) << pattern;
  return reason;
}

TEST(RegexTest, IsFoundAnywhere) {
  EXPECT_TRUE(found("b", "abc"));
  EXPECT_FALSE(found("^b", "abc"));
  EXPECT_TRUE(found("c$", "abc"));
  EXPECT_FALSE(found("c$", "abc\n"));
  EXPECT_TRUE(found("^$", ""));
  EXPECT_TRUE(found("", "x"));
  EXPECT_TRUE(found("a\\u0000b", std::string_view{"a\0b", 3}));
}

TEST(RegexTest, CharactersAreCodePoints) {
  EXPECT_TRUE(found("^.$", "\xF0\x9F\x98\x80"));
  EXPECT_TRUE(found("^\\u{1F600}$", "\xF0\x9F\x98\x80"));
  EXPECT_TRUE(found("^[\\uD83D\\uDE00]$", "\xF0\x9F\x98\x80"));
  EXPECT_FALSE(found("^\\w$", "\xC3\xA9"));
  EXPECT_TRUE(found("^\\p{Letter}$", "\xC3\xA9"));
  EXPECT_TRUE(found("\\s", "\xE2\x80\xA8"));
  EXPECT_FALSE(found("^.$", "\xE2\x80\xA8"));
  EXPECT_FALSE(found("\\S", " \xEF\xBB\xBF\n"));
  EXPECT_FALSE(found("[]", "a"));
  EXPECT_TRUE(found("[^]", "\n"));
}

TEST(RegexTest, SaysWhyAPatternIsRefused) {
  EXPECT_EQ(refusal("a(?=b)"), "RE2 cannot do this: look-ahead at byte 1");
  EXPECT_EQ(refusal("a)"), "the pattern is malformed: a group ends that did not begin at byte 1");
  EXPECT_EQ(refusal("\\p{Unknown}"),
            "RE2 cannot do this: invalid character class range: \\p{Unknown}");
  EXPECT_FALSE(refusal("((a{1000}){1000}){1000}").empty());
}

// What makes a backtracking engine run for ever.
TEST(RegexTest, TimeIsLinearInTheText) {
  const std::string text = std::string(100'000, 'a') + "!";
  const auto start = std::chrono::steady_clock::now();
  EXPECT_FALSE(found("^(a+)+$", text));
  EXPECT_FALSE(found("^(a|aa)+$", text));
  EXPECT_FALSE(found("(.*)*x", text));
  EXPECT_FALSE(found("(a?){50}a{50}b", text));
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds{5});
}

}  // namespace
}  // namespace tercel::schema
