#include "tercel/http/chars.h"

#include <algorithm>
#include <string>

#include <gtest/gtest.h>

namespace tercel::http {
namespace {

constexpr std::string_view kAlphanumeric =
    "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

std::string members(const CharSet& set) {
  std::string found;
  for (int i = 0; i < 256; ++i) {
    if (set.has(static_cast<char>(i))) found += static_cast<char>(i);
  }
  return found;
}

std::string sorted(std::string text) {
  std::sort(text.begin(), text.end());
  return text;
}

TEST(CharSetTest, HoldsExactlyTheGrammar) {
  // tchar of RFC 9110 section 5.6.2; unreserved and sub-delims of RFC 3986.
  EXPECT_EQ(members(kToken), sorted("!#$%&'*+-.^_`|~" + std::string{kAlphanumeric}));
  EXPECT_EQ(members(kRegName), sorted("-._~!$&'()*+,;=" + std::string{kAlphanumeric}));
}

TEST(CharsTest, IsTokenWantsOneByteAtLeast) {
  EXPECT_TRUE(is_token("x-A~1"));
  EXPECT_FALSE(is_token(""));
  EXPECT_FALSE(is_token("a b"));
  EXPECT_FALSE(is_token("a\xc3\xa9"));
}

TEST(CharsTest, CompareIgnoringTheCaseOfAsciiOnly) {
  EXPECT_TRUE(equals_ignoring_case("ChUnKeD", "chunked"));
  EXPECT_FALSE(equals_ignoring_case("chunke", "chunked"));
  EXPECT_FALSE(equals_ignoring_case("[hunked", "{hunked"));
  EXPECT_FALSE(equals_ignoring_case("\xc1", "\xe1"));
}

TEST(CharsTest, CutListsAtTheirCommas) {
  std::string_view list = " a ,\tb\t,, c";
  EXPECT_EQ(next_element(list), "a");
  EXPECT_EQ(next_element(list), "b");
  EXPECT_EQ(next_element(list), "");
  EXPECT_EQ(next_element(list), "c");
  EXPECT_TRUE(list.empty());
  EXPECT_EQ(next_element(list), "");
}

}  // namespace
}  // namespace tercel::http
