#include "tercel/base/parse_number.h"

#include <array>
#include <charconv>
#include <random>
#include <string>

#include <gtest/gtest.h>

namespace tercel {
namespace {

using Parse = Result<std::uint64_t> (*)(std::string_view, std::uint64_t) noexcept;

TEST(ParseNumberTest, ReadsEveryValueFromZeroToItsMaximum) {
  EXPECT_EQ(*parse_decimal("0"), 0U);
  EXPECT_EQ(*parse_decimal("42"), 42U);
  EXPECT_EQ(*parse_decimal("18446744073709551615"), UINT64_MAX);
  EXPECT_EQ(*parse_hex("0"), 0U);
  EXPECT_EQ(*parse_hex("fF"), 255U);
  EXPECT_EQ(*parse_hex("ffffffffffffffff"), UINT64_MAX);
}

TEST(ParseNumberTest, LeadingZerosAreDigits) {
  EXPECT_EQ(*parse_decimal("007"), 7U);
  EXPECT_EQ(*parse_decimal(std::string(1000, '0') + "9"), 9U);
  EXPECT_EQ(*parse_hex(std::string(1000, '0') + "a"), 10U);
}

TEST(ParseNumberTest, RefusesWhatIsNotAllDigits) {
  for (const std::string_view text : {"", "+1", "-1", " 1", "1 ", "1\t", "\r1", "1\n", "0x10",
                                      "1_0", "1,000", "1.0", "1e3", "1,1", "\xd9\xa3", "0b1"}) {
    EXPECT_FALSE(parse_decimal(text)) << text;
  }
  for (const std::string_view text : {"", "+a", "-a", " a", "a ", "0xa", "a;", "g", "1_0", "a\r"}) {
    EXPECT_FALSE(parse_hex(text)) << text;
  }
  EXPECT_FALSE(parse_decimal(std::string_view("1\0", 2)));
  EXPECT_FALSE(parse_decimal("a"));
  EXPECT_EQ(parse_decimal("x").error(), Errc::kNotANumber);
}

TEST(ParseNumberTest, RefusesWhatDoesNotFit) {
  for (const std::string_view text :
       {"18446744073709551616", "18446744073709551620", "36893488147419103232",
        "99999999999999999999", "100000000000000000000000000000000"}) {
    EXPECT_FALSE(parse_decimal(text)) << text;
  }
  EXPECT_FALSE(parse_hex("10000000000000000"));
  EXPECT_FALSE(parse_hex("100000000000000000000000000000000"));
}

TEST(ParseNumberTest, TheMaximumIsIncluded) {
  EXPECT_TRUE(parse_decimal("599", 599));
  EXPECT_FALSE(parse_decimal("600", 599));
  EXPECT_TRUE(parse_hex("7fffffff", INT32_MAX));
  EXPECT_FALSE(parse_hex("80000000", INT32_MAX));
  EXPECT_TRUE(parse_decimal("0", 0));
  EXPECT_FALSE(parse_decimal("1", 0));
}

// Every text of up to three bytes, against a definition that is too simple to be wrong.
TEST(ParseNumberTest, AgreesWithTheDefinitionOnEveryShortText) {
  const auto check = [](std::string_view text, unsigned base, Parse parse) {
    std::uint64_t expected = 0;
    bool valid = !text.empty();
    for (const char byte : text) {
      const auto at = std::string_view("0123456789abcdefABCDEF").find(byte);
      const std::size_t digit = at < 16 ? at : at - 6;
      valid = valid && at != std::string_view::npos && digit < base;
      expected = expected * base + digit;
    }
    const auto parsed = parse(text, UINT64_MAX);
    ASSERT_EQ(parsed.has_value(), valid) << text;
    if (valid) {
      ASSERT_EQ(*parsed, expected) << text;
    }
  };
  for (int a = 0; a < 256; ++a) {
    for (int b = 0; b < 256; ++b) {
      const std::array text{static_cast<char>(a), static_cast<char>(b), '9'};
      for (std::size_t size = 0; size <= text.size(); ++size) {
        check({text.data(), size}, 10, parse_decimal);
        check({text.data(), size}, 16, parse_hex);
      }
    }
  }
}

TEST(ParseNumberTest, AgreesWithFromCharsOnRandomNumbers) {
  const unsigned seed = std::random_device{}();
  SCOPED_TRACE(testing::Message() << "seed " << seed);
  std::mt19937_64 random{seed};
  for (int i = 0; i < 20'000; ++i) {
    const std::uint64_t value = random() >> (random() % 64);
    std::array<char, 32> text;
    const auto write = [&](int base) {
      return std::string_view{text.data(),
                              std::to_chars(text.begin(), text.end(), value, base).ptr};
    };
    ASSERT_EQ(*parse_decimal(write(10)), value);
    ASSERT_EQ(*parse_hex(write(16)), value);
  }
}

}  // namespace
}  // namespace tercel
