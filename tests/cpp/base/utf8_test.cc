#include "tercel/base/utf8.h"

#include <cstdint>
#include <optional>
#include <string>

#include <gtest/gtest.h>

namespace tercel {
namespace {

// How many bytes the validator takes before it says no; all of them when it never does.
struct Verdict {
  std::size_t taken = 0;
  bool valid = true;
  bool complete = true;
  bool operator==(const Verdict&) const = default;
};

Verdict judge_byte_by_byte(std::string_view text) {
  Utf8Validator validator;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (!validator.feed(text.substr(i, 1))) return {.taken = i, .valid = false, .complete = false};
  }
  return {.taken = text.size(), .valid = true, .complete = validator.complete()};
}

std::string encode(std::uint32_t c) {
  const auto tail = [c](int shift) { return static_cast<char>(0x80 | (c >> shift & 0x3F)); };
  if (c < 0x80) return {static_cast<char>(c)};
  if (c < 0x800) return {static_cast<char>(0xC0 | c >> 6), tail(0)};
  if (c < 0x10000) return {static_cast<char>(0xE0 | c >> 12), tail(6), tail(0)};
  return {static_cast<char>(0xF0 | c >> 18), tail(12), tail(6), tail(0)};
}

TEST(Utf8Test, TakesEveryCharacterThereIsAndNoOther) {
  for (std::uint32_t c = 0; c < 0x120000; ++c) {
    const bool surrogate = c >= 0xD800 && c <= 0xDFFF;
    const bool exists = c <= 0x10FFFF && !surrogate;
    Utf8Validator validator;
    const bool valid = validator.feed(encode(c)) && validator.complete();
    ASSERT_EQ(valid, exists) << c;
  }
}

// Every sequence of two bytes, and what a third makes of it: refused at the first byte that no
// character has there. Source: Unicode table 3-7.
TEST(Utf8Test, RefusesAtTheFirstByteThatGivesItAway) {
  const struct {
    std::string_view text;
    std::size_t taken;
  } cases[] = {{"\x80", 0},         {"\xBF", 0},         {"\xC0\x80", 0},
               {"\xC1\xBF", 0},     {"\xC2\x7F", 1},     {"\xE0\x9F\xBF", 1},
               {"\xED\xA0\x80", 1}, {"\xE1\x80\x7F", 2}, {"\xF0\x8F\xBF\xBF", 1},
               {"\xF4\x90", 1},     {"\xF5", 0},         {"\xFF", 0},
               {"\xFE", 0},         {"a\xC2z", 2},       {"\xF1\x80\x80\xC0", 3}};
  for (const auto& [text, taken] : cases) {
    const Verdict expected{.taken = taken, .valid = false, .complete = false};
    EXPECT_EQ(judge_byte_by_byte(text), expected) << testing::PrintToString(text);
    Utf8Validator whole;
    EXPECT_FALSE(whole.feed(text));
  }
}

TEST(Utf8Test, IsIncompleteWithinACharacter) {
  for (const std::string_view start : {"\xC2", "\xE1", "\xE1\x80", "\xF1", "\xF1\x80\x80"}) {
    Utf8Validator validator;
    EXPECT_TRUE(validator.feed(start));
    EXPECT_FALSE(validator.complete());
  }
}

// The words of the fast path begin and end anywhere.
TEST(Utf8Test, JudgesTheSameAtEverySplit) {
  for (const std::string_view middle : {"\xC3\xA9", "\xE2\x82\xAC", "\xF0\x9F\x98\x80", "\xC3("}) {
    for (std::size_t before = 0; before < 70; ++before) {
      const std::string text =
          std::string(before, 'a') + std::string{middle} + std::string(40, 'b');
      const bool valid = judge_byte_by_byte(text).valid;
      for (std::size_t cut = 0; cut <= text.size(); ++cut) {
        Utf8Validator validator;
        const bool same = validator.feed(std::string_view{text}.substr(0, cut)) &&
                          validator.feed(std::string_view{text}.substr(cut));
        ASSERT_EQ(same, valid) << before << ' ' << cut;
      }
    }
  }
}

TEST(IsUtf8Test, WantsWholeCharacters) {
  EXPECT_TRUE(is_utf8(""));
  EXPECT_TRUE(is_utf8("gr\xc3\xbc\xc3\x9f"));
  EXPECT_FALSE(is_utf8("gr\xc3"));
  EXPECT_FALSE(is_utf8("\xfc"));
}

}  // namespace
}  // namespace tercel
