#include "tercel/base/percent.h"

#include <string>
#include <string_view>

#include <gtest/gtest.h>

namespace tercel {
namespace {

TEST(HexValueTest, KnowsHexDigits) {
  for (int i = 0; i < 256; ++i) {
    const char c = static_cast<char>(i);
    const char lower = c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
    const std::size_t value = std::string_view{"0123456789abcdef"}.find(lower);
    EXPECT_EQ(hex_value(c), value == std::string_view::npos ? -1 : static_cast<int>(value)) << i;
  }
}

std::string decoded(std::string text) {
  const std::string_view view = percent_decode(text, text);  // In place.
  return std::string{view};
}

TEST(PercentDecodeTest, DecodesInPlace) {
  EXPECT_EQ(decoded("a%20b%2Fc%2f"), "a b/c/");
  EXPECT_EQ(decoded("%00%ff%7F"), std::string("\x00\xff\x7f", 3));
  EXPECT_EQ(decoded(""), "");
}

TEST(PercentDecodeTest, LeavesWhatIsNoEscape) {
  EXPECT_EQ(decoded("%"), "%");
  EXPECT_EQ(decoded("%4"), "%4");
  EXPECT_EQ(decoded("%zz%4g%41"), "%zz%4gA");
  EXPECT_EQ(decoded("%%41"), "%A");
  EXPECT_EQ(decoded("a+b"), "a+b");
}

TEST(PercentDecodeTest, DecodesOnce) {
  EXPECT_EQ(decoded("%2541"), "%41");
}

TEST(PercentDecodeTest, DecodesEveryByte) {
  constexpr std::string_view kDigits = "0123456789ABCDEFabcdef";
  for (char high : kDigits) {
    for (char low : kDigits) {
      const std::string digits{high, low};
      const char byte = static_cast<char>(std::stoi(digits, nullptr, 16));
      EXPECT_EQ(decoded("%" + digits), std::string{byte}) << digits;
    }
  }
}

TEST(ValidPercentEncodingTest, WantsTwoHexDigitsBehindEachSign) {
  for (std::string_view good : {"", "abc", "%41", "x%aFy%00", "%25%25"}) {
    EXPECT_TRUE(valid_percent_encoding(good)) << good;
  }
  for (std::string_view bad : {"%", "%4", "a%", "%4g", "%g4", "%%41", "%41%"}) {
    EXPECT_FALSE(valid_percent_encoding(bad)) << bad;
  }
}

}  // namespace
}  // namespace tercel
