#include "tercel/json/number_scan.h"

#include <array>
#include <charconv>
#include <cmath>
#include <limits>
#include <random>
#include <string>
#include <string_view>

#include <gtest/gtest.h>

namespace tercel::json {
namespace {

struct Scanned {
  std::array<Node, kNumberNodesMax> nodes{};
  ScannedNumber result;
};

Scanned scanned(std::string_view text) {
  Scanned number;
  number.result = scan_number(text.data(), text.data() + text.size(), number.nodes.data());
  return number;
}

// True when the whole of `text` is a number.
bool is_number(std::string_view text) {
  const ScannedNumber result = scanned(text).result;
  return result.fault == FaultKind::kNone && result.at == text.data() + text.size();
}

double as_double(std::string_view text) {
  const Scanned number = scanned(text);
  EXPECT_EQ(number.nodes[0].kind, Kind::kDecimal) << text;
  return number.nodes[0].decimal;
}

TEST(NumberScanTest, TakesTheGrammarOfRfc8259AndNothingElse) {
  for (const std::string_view text : {"0", "-0", "1", "-1", "10", "1.0", "0.1", "1e1", "1E+1",
                                      "1e-1", "-0.0e-0", "123.456e78", "0e0", "0e00"}) {
    EXPECT_TRUE(is_number(text)) << text;
  }
  for (const std::string_view text :
       {"-",   "00",   "01",    "-01",   "1.",   "1.e1",  "1e",    "1e+", "1e-",       "-a",
        "-.5", "1..2", "1.2.3", "1e1.5", "0x10", "1_000", "1e1e1", "--1", "-Infinity", "1f"}) {
    EXPECT_FALSE(is_number(text)) << text;
  }
}

TEST(NumberScanTest, IntegersAreExactAtTheEdges) {
  const auto kind = [](std::string_view text) { return scanned(text).nodes[0].kind; };
  EXPECT_EQ(scanned("9223372036854775807").nodes[0].integer, INT64_MAX);
  EXPECT_EQ(kind("9223372036854775807"), Kind::kInteger);
  EXPECT_EQ(scanned("-9223372036854775808").nodes[0].integer, INT64_MIN);
  EXPECT_EQ(kind("-9223372036854775808"), Kind::kInteger);
  EXPECT_EQ(kind("-9223372036854775809"), Kind::kBigInteger);
  EXPECT_EQ(scanned("9223372036854775808").nodes[0].natural, std::uint64_t{1} << 63);
  EXPECT_EQ(kind("9223372036854775808"), Kind::kUnsigned);
  EXPECT_EQ(scanned("18446744073709551615").nodes[0].natural, UINT64_MAX);
  EXPECT_EQ(kind("18446744073709551615"), Kind::kUnsigned);
  EXPECT_EQ(kind("18446744073709551616"), Kind::kBigInteger);
  EXPECT_EQ(kind("-18446744073709551615"), Kind::kBigInteger);
  EXPECT_EQ(kind("99999999999999999999"), Kind::kBigInteger);
  // 2^64 + 2^62 wraps around to what looks harmless.
  EXPECT_EQ(kind("23058430092136939520"), Kind::kBigInteger);
  EXPECT_EQ(kind("100000000000000000000000000000000000000000"), Kind::kBigInteger);
  EXPECT_EQ(scanned("-0").nodes[0].integer, 0);
  EXPECT_EQ(kind("-0"), Kind::kInteger);
}

TEST(NumberScanTest, DoublesBeyondTheRangeAreInfiniteOrZero) {
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  EXPECT_EQ(as_double("1e309"), kInfinity);
  EXPECT_EQ(as_double("-1e400"), -kInfinity);
  EXPECT_EQ(as_double("1e-400"), 0.0);
  EXPECT_TRUE(std::signbit(as_double("-1e-400")));
  EXPECT_EQ(as_double("0.0000000001e999999"), kInfinity);
  EXPECT_EQ(as_double("10000000000e-999999"), 0.0);
  EXPECT_EQ(as_double("0e999999"), 0.0);
  EXPECT_EQ(as_double("1.7976931348623157e308"), std::numeric_limits<double>::max());
  EXPECT_EQ(as_double("5e-324"), std::numeric_limits<double>::denorm_min());
  EXPECT_EQ(nearest_double("1" + std::string(400, '0')), kInfinity);
}

TEST(NumberScanTest, ExponentsHaveALimit) {
  EXPECT_EQ(scanned("1e999999999").result.fault, FaultKind::kNone);
  EXPECT_EQ(scanned("1e1000000000").result.fault, FaultKind::kExponent);
  EXPECT_EQ(scanned("1e-1000000000").result.fault, FaultKind::kExponent);
  EXPECT_EQ(scanned("1e" + std::string(1000, '9')).result.fault, FaultKind::kExponent);
}

// The short way and std::from_chars must be the same double. Seed 1.
TEST(NumberScanTest, DecimalsAreTheNearestDouble) {
  std::mt19937_64 random{1};
  for (int i = 0; i < 200000; ++i) {
    std::string text = std::to_string(random() >> (random() % 64));
    text.insert(text.size() - random() % text.size(), ".");
    if (text.back() == '.') text += '0';
    if (random() % 2 == 0) text += "e" + std::to_string(static_cast<int>(random() % 80) - 40);
    if (text.size() > 1 && text[0] == '0' && text[1] != '.') continue;
    double expected = 0;
    std::from_chars(text.data(), text.data() + text.size(), expected);
    ASSERT_EQ(as_double(text), expected) << text;
  }
}

}  // namespace
}  // namespace tercel::json
