#include "tercel/config/values.h"

#include <chrono>
#include <optional>
#include <string>

#include <gtest/gtest.h>

#include "tercel/config/problem.h"

namespace tercel::config {
namespace {

using std::chrono::milliseconds;

TEST(BoolTest, WordsOfPeopleAreReadInAnyCase) {
  for (const char* text : {"true", "True", "TRUE", "yes", "on", "1"}) {
    EXPECT_EQ(parse_bool(text), std::optional{true}) << text;
  }
  for (const char* text : {"false", "FALSE", "no", "off", "0"}) {
    EXPECT_EQ(parse_bool(text), std::optional{false}) << text;
  }
}

TEST(BoolTest, OtherTextsAreRefused) {
  for (const char* text : {"", " true", "t", "2", "-1", "01", "auto", "none"}) {
    EXPECT_EQ(parse_bool(text), std::nullopt) << text;
  }
}

TEST(ToggleTest, AutoIsTheThirdValue) {
  EXPECT_EQ(parse_toggle("auto"), std::optional{Toggle::kAuto});
  EXPECT_EQ(parse_toggle("on"), std::optional{Toggle::kOn});
  EXPECT_EQ(parse_toggle("False"), std::optional{Toggle::kOff});
  EXPECT_EQ(parse_toggle("maybe"), std::nullopt);
}

TEST(BytesTest, UnitsArePowersOf1024And1000) {
  EXPECT_EQ(parse_bytes("0")->count, 0U);
  EXPECT_EQ(parse_bytes("65536")->count, 65536U);
  EXPECT_EQ(parse_bytes("7B")->count, 7U);
  EXPECT_EQ(parse_bytes("64KiB")->count, 65536U);
  EXPECT_EQ(parse_bytes("64kib")->count, 65536U);
  EXPECT_EQ(parse_bytes("64kB")->count, 64000U);
  EXPECT_EQ(parse_bytes("1MiB")->count, 1048576U);
  EXPECT_EQ(parse_bytes("2MB")->count, 2000000U);
  EXPECT_EQ(parse_bytes("3GiB")->count, 3221225472U);
  EXPECT_EQ(parse_bytes("3GB")->count, 3000000000U);
}

TEST(BytesTest, AmbiguousAndMalformedSizesAreRefused) {
  for (const char* text : {"", "K", "64K", "64M", "KiB", "1.5MiB", "-1", "+1", " 1", "1 KiB",
                           "0x10", "1e3", "1KiBs", "1_000"}) {
    EXPECT_EQ(parse_bytes(text), std::nullopt) << text;
  }
}

TEST(BytesTest, SizesAbove64BitsAreRefused) {
  EXPECT_EQ(parse_bytes("18446744073709551615")->count, UINT64_MAX);
  EXPECT_EQ(parse_bytes("18446744073709551616"), std::nullopt);
  EXPECT_EQ(parse_bytes("17179869183GiB")->count, std::uint64_t{17179869183} << 30U);
  EXPECT_EQ(parse_bytes("17179869184GiB"), std::nullopt);
}

TEST(BytesTest, FormatIsTheShortestExactText) {
  EXPECT_EQ(format(Bytes{0}), "0");
  EXPECT_EQ(format(Bytes{1023}), "1023");
  EXPECT_EQ(format(Bytes{1024}), "1KiB");
  EXPECT_EQ(format(Bytes{1536}), "1536");
  EXPECT_EQ(format(Bytes{64ULL << 20}), "64MiB");
  EXPECT_EQ(format(Bytes{1ULL << 30}), "1GiB");
}

TEST(DurationTest, SecondsHaveUpToThreeDecimals) {
  EXPECT_EQ(parse_duration("0"), std::optional{milliseconds{0}});
  EXPECT_EQ(parse_duration("30"), std::optional{milliseconds{30000}});
  EXPECT_EQ(parse_duration("30s"), std::optional{milliseconds{30000}});
  EXPECT_EQ(parse_duration("0.5"), std::optional{milliseconds{500}});
  EXPECT_EQ(parse_duration("0.001"), std::optional{milliseconds{1}});
  EXPECT_EQ(parse_duration("1.25s"), std::optional{milliseconds{1250}});
  EXPECT_EQ(parse_duration("500ms"), std::optional{milliseconds{500}});
  EXPECT_EQ(parse_duration("5min"), std::optional{milliseconds{300000}});
  EXPECT_EQ(parse_duration("2h"), std::optional{milliseconds{7200000}});
}

TEST(DurationTest, OtherTextsAreRefused) {
  for (const char* text : {"", ".", ".5", "5.", "0.0001", "1.2.3", "-1", "+1", "1e3", "inf", "nan",
                           "5m", "1 s", "1.5min", "s", "1d", "99999999999999"}) {
    EXPECT_EQ(parse_duration(text), std::nullopt) << text;
  }
}

TEST(DurationTest, FormatIsSecondsWithoutTrailingZeros) {
  EXPECT_EQ(format(milliseconds{0}), "0");
  EXPECT_EQ(format(milliseconds{30000}), "30");
  EXPECT_EQ(format(milliseconds{500}), "0.5");
  EXPECT_EQ(format(milliseconds{1250}), "1.25");
  EXPECT_EQ(format(milliseconds{1}), "0.001");
}

TEST(FileModeTest, DigitsAreOctal) {
  EXPECT_EQ(parse_mode("0660")->bits, 0660U);
  EXPECT_EQ(parse_mode("660")->bits, 0660U);
  EXPECT_EQ(parse_mode("0o660")->bits, 0660U);
  EXPECT_EQ(parse_mode("0")->bits, 0U);
  for (const char* text : {"", "0o", "8", "1000", "7777", "00660", "-1", "rw-"}) {
    EXPECT_EQ(parse_mode(text), std::nullopt) << text;
  }
  EXPECT_EQ(format(FileMode{0660}), "0660");
  EXPECT_EQ(format(FileMode{7}), "0007");
}

TEST(InQuotesTest, ControlBytesAndLongTextsStayOnOneLine) {
  EXPECT_EQ(in_quotes("a b"), "\"a b\"");
  EXPECT_EQ(in_quotes("a\n\x1b[1m\xff"), "\"a\\x0a\\x1b[1m\\xff\"");
  EXPECT_EQ(in_quotes(std::string(81, 'x')), '"' + std::string(80, 'x') + "...\"");
}

}  // namespace
}  // namespace tercel::config
