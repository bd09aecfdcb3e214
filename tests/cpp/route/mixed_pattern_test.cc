#include "tercel/route/mixed_pattern.h"

#include <optional>
#include <regex>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace tercel::route {
namespace {

using Texts = std::vector<std::string>;

std::optional<Texts> split(const Texts& literals, std::string_view text) {
  const MixedPattern pattern{literals};
  std::vector<Capture> fields(pattern.fields());
  std::uint32_t steps = 0;
  if (!pattern.split(text, fields, steps)) return std::nullopt;
  Texts out;
  for (const Capture& field : fields) out.emplace_back(field.text);
  return out;
}

// The same by a regular expression with greedy fields.
std::optional<Texts> split_by_regex(const Texts& literals, const std::string& text) {
  std::string expression = literals.front();
  for (std::size_t i = 1; i < literals.size(); ++i) expression += "(.+)" + literals[i];
  std::smatch match;
  if (!std::regex_match(text, match, std::regex{expression})) return std::nullopt;
  Texts out;
  for (std::size_t i = 1; i < match.size(); ++i) out.push_back(match[i]);
  return out;
}

TEST(MixedPatternTest, PutsLiteralsAtTheirRightMostPosition) {
  EXPECT_EQ(split({"", ".", ""}, "a.tar.gz"), (Texts{"a.tar", "gz"}));
  EXPECT_EQ(split({"", "...", ""}, "v1...v2"), (Texts{"v1", "v2"}));
  EXPECT_EQ(split({"", "...", ""}, "v1....v2"), (Texts{"v1.", "v2"}));
  EXPECT_EQ(split({"", ":", "...", ":", ""}, "a:b...c:d"), (Texts{"a", "b", "c", "d"}));
  EXPECT_EQ(split({"v", ""}, "v1"), (Texts{"1"}));
  EXPECT_EQ(split({"(", ")"}, "(x)"), (Texts{"x"}));
}

// Of "aabaaac", read from the right, six bytes match; then two of them count for the next
// occurrence.
TEST(MixedPatternTest, FindsLiteralsThatOverlapThemselves) {
  EXPECT_EQ(split({"", "caaabaa", ""}, "xcaaabaaabaay"), (Texts{"x", "abaay"}));
}

TEST(MixedPatternTest, WantsAByteForEachField) {
  EXPECT_FALSE(split({"", ".", ""}, "."));
  EXPECT_FALSE(split({"", ".", ""}, "a."));
  EXPECT_FALSE(split({"", ".", ""}, ".a"));
  EXPECT_EQ(split({"", ".", ""}, "..."), (Texts{".", "."}));
  EXPECT_FALSE(split({"v", ""}, "v"));
  EXPECT_FALSE(split({"aa", "aa"}, "aaaa"));
  EXPECT_EQ(split({"aa", "aa"}, "aaaaa"), (Texts{"a"}));
}

// All texts of up to 9 letters of two, against patterns whose literals overlap themselves.
TEST(MixedPatternTest, AgreesWithRegularExpressions) {
  const std::vector<Texts> patterns{
      {"", "a", ""},          {"", "ab", ""},       {"", "aa", ""},          {"", "aba", ""},
      {"a", "b", ""},         {"", "b", "a"},       {"a", "a", "a"},         {"", "a", "b", ""},
      {"", "aab", "a", ""},   {"", "aa", "aa", ""}, {"", "abab", "ba", "b"}, {"", "aabaa", ""},
      {"", "a", "a", "a", ""}};
  for (const Texts& pattern : patterns) {
    for (std::size_t size = 0; size <= 9; ++size) {
      for (unsigned bits = 0; bits < 1U << size; ++bits) {
        std::string text;
        for (std::size_t i = 0; i < size; ++i) text += (bits >> i & 1) != 0 ? 'a' : 'b';
        ASSERT_EQ(split(pattern, text), split_by_regex(pattern, text)) << text;
      }
    }
  }
}

// A search that starts anew at each byte would make 2^29 comparisons.
TEST(MixedPatternTest, IsLinearInHostileTexts) {
  const std::string many(1 << 16, 'a');
  const std::string half(1 << 14, 'a');
  for (const Texts& literals :
       {Texts{"", "b" + half, ""}, Texts{"", half + "b", ""}, Texts{"", "b" + half, half, ""},
        Texts{"", half + "b" + half, ""}}) {
    const MixedPattern pattern{literals};
    std::vector<Capture> fields(pattern.fields());
    std::uint32_t steps = 0;
    EXPECT_FALSE(pattern.split(many, fields, steps));
    EXPECT_LE(steps, 2 * many.size());
    EXPECT_GE(steps, many.size() / 2);
  }
}

}  // namespace
}  // namespace tercel::route
