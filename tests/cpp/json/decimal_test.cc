#include "tercel/json/decimal.h"

#include <string>
#include <string_view>

#include <gtest/gtest.h>

#include "json/parsed.h"

namespace tercel::json {
namespace {

constexpr KeyedHash kHash{3, 4};

int compare(std::string_view a, std::string_view b) {
  const auto order = compare_numbers(*Parsed{a}, *Parsed{b});
  return order < 0 ? -1 : (order > 0 ? 1 : 0);
}

bool divides(std::string_view divisor, std::string_view number) {
  return Divisor::from(*Parsed{divisor})->divides(*Parsed{number});
}

TEST(DecimalTest, OrderIsExact) {
  // Rising; each is below all that follow.
  const std::string_view numbers[] = {"-1e999999",
                                      "-18446744073709551617",
                                      "-18446744073709551616",
                                      "-9223372036854775809",
                                      "-9223372036854775808",
                                      "-1.5",
                                      "-1e-400",
                                      "0",
                                      "1e-500",
                                      "1e-400",
                                      "0.1",
                                      "0.10000000000000001",
                                      "0.100000000000000010001",
                                      "1",
                                      "1.00000000000000000001",
                                      "9007199254740992.5",
                                      "9007199254740993",
                                      "9223372036854775807",
                                      "9223372036854775807.5",
                                      "9223372036854775808",
                                      "18446744073709551615",
                                      "18446744073709551616",
                                      "1e400",
                                      "1.5e400",
                                      "11e400",
                                      "1e999999999"};
  for (std::size_t i = 0; i < std::size(numbers); ++i) {
    for (std::size_t j = 0; j < std::size(numbers); ++j) {
      EXPECT_EQ(compare(numbers[i], numbers[j]), i < j ? -1 : (i > j ? 1 : 0))
          << numbers[i] << ' ' << numbers[j];
    }
  }
}

TEST(DecimalTest, WhatIsEqualIsSoHoweverItIsWritten) {
  const std::string_view groups[][6] = {
      {"0", "-0", "0.0", "-0.0", "0e5", "0e-999999"},
      {"1", "1.0", "1e0", "10e-1", "0.1e1", "100000e-5"},
      {"-250", "-250.000", "-2.5e2", "-25e1", "-0.25e3", "-2500E-1"},
      {"0.125", "125e-3", "0.1250", "1.25e-1", "0.0125E1", "12500e-5"},
      {"18446744073709551616", "18446744073709551616.0", "184467440737095516160e-1",
       "1.8446744073709551616e19", "18446744073709551616e0", "0.018446744073709551616e21"},
      {"9223372036854775808", "9223372036854775808.0", "92233720368547758080e-1",
       "9.223372036854775808e18", "9223372036854775808E+0", "0.9223372036854775808e19"}};
  for (const auto& group : groups) {
    for (const std::string_view a : group) {
      for (const std::string_view b : group) {
        EXPECT_EQ(compare(a, b), 0) << a << ' ' << b;
        EXPECT_EQ(hash_number(*Parsed{a}, kHash), hash_number(*Parsed{b}, kHash)) << a << ' ' << b;
      }
    }
    EXPECT_NE(hash_number(*Parsed{group[0]}, kHash), hash_number(*Parsed{"7"}, kHash));
  }
  // Neighbours that are the same double.
  EXPECT_NE(hash_number(*Parsed{"1e400"}, kHash), hash_number(*Parsed{"1e401"}, kHash));
  EXPECT_NE(hash_number(*Parsed{"0.1"}, kHash),
            hash_number(*Parsed{"0.10000000000000000001"}, kHash));
}

TEST(DecimalTest, KnowsIntegersByTheirValue) {
  for (const std::string_view text :
       {"0", "-0.0", "1", "1.0", "10e-1", "1e400", "123.45e2", "18446744073709551616",
        "1e999999999", "9007199254740993.0", "0e-5"}) {
    EXPECT_TRUE(is_integral(*Parsed{text})) << text;
  }
  for (const std::string_view text : {"0.5", "1e-1", "123.45e1", "1e-400", "9007199254740993.5",
                                      "100000000000000000000.1", "-1.5"}) {
    EXPECT_FALSE(is_integral(*Parsed{text})) << text;
  }
}

TEST(DecimalTest, DivisibilityIsExact) {
  EXPECT_TRUE(divides("2", "10"));
  EXPECT_TRUE(divides("2", "-10"));
  EXPECT_FALSE(divides("2", "7"));
  EXPECT_TRUE(divides("2", "7e1"));
  EXPECT_TRUE(divides("1.5", "4.5"));
  EXPECT_FALSE(divides("1.5", "35"));
  EXPECT_TRUE(divides("0.0001", "0.0075"));
  EXPECT_FALSE(divides("0.0001", "0.00751"));
  EXPECT_TRUE(divides("0.01", "19.99"));
  EXPECT_TRUE(divides("0.1", "1e400"));
  EXPECT_FALSE(divides("0.123456789", "1e308"));
  EXPECT_TRUE(divides("0.5", "1e308"));
  EXPECT_TRUE(divides("7", "0"));
  EXPECT_TRUE(divides("7", "-0.0"));
  EXPECT_TRUE(divides("1e-300", "1"));
  EXPECT_FALSE(divides("1e300", "1"));
  EXPECT_TRUE(divides("1e300", "3e301"));
  EXPECT_TRUE(divides("9223372036854775807", "9223372036854775807"));
  EXPECT_TRUE(divides("9223372036854775808", "-9223372036854775808"));
  EXPECT_TRUE(divides("3", "18446744073709551615"));
  EXPECT_TRUE(divides("9999999999999999999", "99999999999999999990000000000000000000"));
  EXPECT_FALSE(divides("9999999999999999999", "99999999999999999990000000000000000001"));
  // 2^63 needs 63 zeros.
  EXPECT_TRUE(divides("9223372036854775808", "1e63"));
  EXPECT_FALSE(divides("9223372036854775808", "1e62"));
}

TEST(DecimalTest, DivisorsAreAboveZeroAndOfAWord) {
  for (const std::string_view text : {"0", "-0.0", "-1", "-0.5", "12345678901234567891"}) {
    EXPECT_FALSE(Divisor::from(*Parsed{text})) << text;
  }
  EXPECT_TRUE(Divisor::from(*Parsed{"1234567890123456789000000"}));
}

// A million digits take a moment, not minutes.
TEST(DecimalTest, LongNumbersCostTheirLength) {
  const std::string digits(1'000'000, '7');
  const Parsed number{digits};
  EXPECT_TRUE(Divisor::from(*Parsed{"7"})->divides(*number));
  EXPECT_FALSE(Divisor::from(*Parsed{"8"})->divides(*number));
  EXPECT_EQ(compare(digits, digits + "e0"), 0);
}

}  // namespace
}  // namespace tercel::json
