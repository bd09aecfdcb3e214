#include "tercel/schema/regex_syntax.h"

#include <string>

#include <gtest/gtest.h>

namespace tercel::schema {
namespace {

std::string re2(std::string_view pattern) {
  const Translation translation = translate_regex(pattern);
  EXPECT_EQ(translation.verdict, RegexVerdict::kTranslated) << pattern << translation.reason;
  return translation.re2;
}

TEST(RegexSyntaxTest, WritesForRe2WhatEcmaMeans) {
  EXPECT_EQ(re2("^ab$"), "^ab$");
  EXPECT_EQ(re2("a.b"), R"(a[^\n\r\x{2028}\x{2029}]b)");
  EXPECT_EQ(re2("(a)(?:b)(?<name>c)"), "(?:a)(?:b)(?:c)");
  EXPECT_EQ(re2(R"(\d\D\w\W\b\B)"), R"(\d\D\w\W\b\B)");
  EXPECT_EQ(re2(R"(\p{Letter}\p{L}\P{Lu}\p{Script=Greek}\p{sc=Greek}\p{gc=Lu})"),
            R"(\p{L}\p{L}\P{Lu}\p{Greek}\p{Greek}\p{Lu})");
  EXPECT_EQ(re2(R"(\p{LC})"), R"([\p{Lu}\p{Ll}\p{Lt}])");
  EXPECT_EQ(re2(R"(\cA\t\0\x41\u0041\u{1F600}\uD83D\uDE00\/\-)"),
            R"(\x{1}\x{9}\x{0}AA\x{1f600}\x{1f600}\x{2f}\x{2d})");
  EXPECT_EQ(re2("[a-c]"), R"([\x{61}-\x{63}])");
  EXPECT_EQ(re2("[^-a]"), R"([^\x{2d}\x{61}])");
  EXPECT_EQ(re2(R"([\d\b\-\]a-])"), R"([\d\x{8}\x{2d}\x{5d}\x{61}\x{2d}])");
  EXPECT_EQ(re2("[[:alpha:]]"), R"([\x{5b}\x{3a}\x{61}\x{6c}\x{70}\x{68}\x{61}\x{3a}]\x{5d})");
  EXPECT_EQ(re2("[]"), R"([^\x{0}-\x{10ffff}])");
  EXPECT_EQ(re2("[^]"), R"([\x{0}-\x{10ffff}])");
  EXPECT_EQ(re2("a{2}b{2,}c{2,3}?d*?e+?f??"), "a{2}b{2,}c{2,3}?d*?e+?f??");
  EXPECT_EQ(re2("a{b{,3}{2"), R"(a\{b\{\x{2c}3\x{7d}\{2)");
  EXPECT_EQ(re2("(?i:a)"), "(?i:a)");
  EXPECT_EQ(re2("\xC3\xA9"), R"(\x{e9})");
}

TEST(RegexSyntaxTest, SpacesAreThoseOfEcma) {
  const std::string spaces = re2(R"(\s)");
  EXPECT_NE(spaces.find(R"(\x{9}-\x{d})"), std::string::npos);
  EXPECT_NE(spaces.find(R"(\x{feff})"), std::string::npos);
  EXPECT_EQ(re2(R"(\S)").substr(0, 13), R"([\x{0}-\x{8}\)");
  EXPECT_EQ(re2(R"([\s])"), spaces);
}

TEST(RegexSyntaxTest, SaysWhatRe2CannotDoAndWhere) {
  const struct {
    std::string_view pattern;
    std::size_t offset;
  } cases[] = {{"a(?=b)", 1},   {"a(?!b)", 1},          {"(?<=a)b", 0}, {"(?<!a)b", 0},
               {R"((a)\1)", 3}, {R"(\k<a>)", 0},        {"a{1001}", 1}, {"a{0,1001}", 1},
               {"x(?m:a)", 1},  {R"(\p{scx=Greek})", 0}};
  for (const auto& [pattern, offset] : cases) {
    const Translation translation = translate_regex(pattern);
    EXPECT_EQ(translation.verdict, RegexVerdict::kUnsupported) << pattern;
    EXPECT_EQ(translation.offset, offset) << pattern;
    EXPECT_FALSE(translation.reason.empty());
  }
}

TEST(RegexSyntaxTest, RefusesWhatIsNoPattern) {
  for (const std::string_view pattern :
       {"(",      ")",     "(a",       "a)",    "[",           "[a",     "[b-a]",  "[\\d-a]",
        "*",      "+a",    "?",        "a**",   "a{2}{3}",     "^*",     "a|*",    "{2}",
        "a{3,2}", "\\",    "\\a",      "\\z",   "\\Z",         "\\A",    "\\Q",    "\\8x(?",
        "(?",     "(?i)a", "(?P<a>b)", "(?#c)", "(?<1>a)",     "(?<>a)", "(?<a",   "\\x",
        "\\x4",   "\\u",   "\\u12",    "\\u{",  "\\u{110000}", "\\u{}",  "\\c",    "\\c1",
        "\\01",   "\\p",   "\\p{",     "\\p{}", "\\p{^L}",     "\\pL",   "(?-:a)", "(?<=a)("}) {
    EXPECT_EQ(translate_regex(pattern).verdict, RegexVerdict::kMalformed) << pattern;
  }
}

// No pattern of few letters makes it read beyond its end; the fuzzer goes further.
TEST(RegexSyntaxTest, EndsForEveryShortPattern) {
  constexpr std::string_view kLetters = R"(\[](){}?*+-^$|.:<=!uxpk1a,)";
  std::string pattern(4, ' ');
  for (std::size_t i = 0; i < kLetters.size() * kLetters.size() * kLetters.size() * kLetters.size();
       ++i) {
    std::size_t rest = i;
    for (char& c : pattern) {
      c = kLetters[rest % kLetters.size()];
      rest /= kLetters.size();
    }
    const std::string exact{pattern};
    const Translation translation = translate_regex(exact);
    ASSERT_EQ(translation.verdict == RegexVerdict::kTranslated, translation.reason.empty());
    ASSERT_LE(translation.offset, exact.size());
  }
}

}  // namespace
}  // namespace tercel::schema
