#include "tercel/route/convert_time.h"

#include <array>
#include <chrono>
#include <cstdio>
#include <string>

#include <gtest/gtest.h>

namespace tercel::route {
namespace {

// Every day that the calendar of std::chrono has, and those that it has not.
TEST(ParseDateTest, KnowsEveryDayOfTheCalendar) {
  for (const int year : {1, 4, 1900, 1999, 2000, 2024, 2026, 2100, 9999}) {
    for (unsigned month = 0; month <= 13; ++month) {
      for (unsigned day = 0; day <= 32; ++day) {
        std::array<char, 16> text;
        std::snprintf(text.data(), text.size(), "%04d-%02u-%02u", year, month, day);
        const std::chrono::year_month_day there{std::chrono::year{year}, std::chrono::month{month},
                                                std::chrono::day{day}};
        const auto date = parse_date(text.data());
        ASSERT_EQ(date.has_value(), there.ok()) << text.data();
        if (!date) continue;
        const Date expected{static_cast<std::uint16_t>(year), static_cast<std::uint8_t>(month),
                            static_cast<std::uint8_t>(day)};
        EXPECT_EQ(*date, expected) << text.data();
      }
    }
  }
}

TEST(ParseDateTest, WantsDigitsAndDashesAndNothingElse) {
  for (const std::string_view text :
       {"", "2026", "2026-11", "2026-11-2", "2026-1-26", "26-11-26", "2026-11-26 ", " 2026-11-26",
        "2026/11/26", "20261126", "2026-11-26T", "0000-01-01", "-026-11-26", "2026-11-+6",
        "2026-11-2a", "12026-11-26"}) {
    EXPECT_FALSE(parse_date(text)) << text;
  }
}

TEST(ParseRfc3339Test, ReadsTimesWithOffsets) {
  const Date day{2026, 11, 26};
  const struct {
    std::string_view text;
    DateTime expected;
  } cases[] = {
      {"2026-11-26T15:30:59Z", {day, 15, 30, 59, true, 0, 0}},
      {"2026-11-26T00:00:00+00:00", {day, 0, 0, 0, true, 0, 0}},
      {"2026-11-26T23:59:59-00:01", {day, 23, 59, 59, true, 0, -1}},
      {"2026-11-26T15:30:59.5+05:30", {day, 15, 30, 59, true, 500'000, 330}},
      {"2026-11-26T15:30:59.000001-23:59", {day, 15, 30, 59, true, 1, -1439}},
      {"2026-11-26T15:30:59.123456Z", {day, 15, 30, 59, true, 123'456, 0}},
  };
  for (const auto& each : cases) {
    const auto time = parse_rfc3339(each.text);
    ASSERT_TRUE(time) << each.text;
    EXPECT_EQ(*time, each.expected) << each.text;
  }
}

TEST(ParseRfc3339Test, RefusesEverythingElse) {
  for (const std::string_view text : {"",
                                      "2026-11-26",
                                      "2026-11-26T15:30:59",
                                      "2026-11-26T15:30Z",
                                      "2026-11-26 15:30:59Z",
                                      "2026-11-26t15:30:59Z",
                                      "2026-11-26T15:30:59z",
                                      "2026-11-26T24:00:00Z",
                                      "2026-11-26T15:60:00Z",
                                      "2026-11-26T15:30:60Z",
                                      "2026-02-29T15:30:59Z",
                                      "2026-11-26T15:30:59.Z",
                                      "2026-11-26T15:30:59.1234567Z",
                                      "2026-11-26T15:30:59,5Z",
                                      "2026-11-26T15:30:59+0530",
                                      "2026-11-26T15:30:59+05",
                                      "2026-11-26T15:30:59+24:00",
                                      "2026-11-26T15:30:59+05:60",
                                      "2026-11-26T15:30:59ZZ",
                                      "2026-11-26T15:30:59Z "}) {
    EXPECT_FALSE(parse_rfc3339(text)) << text;
  }
}

// Each byte of a good text replaced by each other byte: what is still accepted has another digit,
// or another sign.
TEST(ParseRfc3339Test, JudgesEveryByte) {
  const std::string good = "2026-11-11T11:11:11.111+11:11";
  ASSERT_TRUE(parse_rfc3339(good));
  for (std::size_t i = 0; i < good.size(); ++i) {
    for (int byte = 0; byte < 256; ++byte) {
      std::string text = good;
      text[i] = static_cast<char>(byte);
      const bool digit = byte >= '0' && byte <= '9';
      const bool was_digit = good[i] >= '0' && good[i] <= '9';
      if (parse_rfc3339(text)) {
        EXPECT_TRUE(text == good || (digit && was_digit) || (good[i] == '+' && byte == '-'))
            << text;
      }
    }
  }
}

TEST(ParseTimeTest, FollowsItsFormat) {
  const DateTime time{{2026, 11, 26}, 15, 30, 59, false, 0, 0};
  EXPECT_EQ(parse_time("2026-11-26 15:30:59", "%Y-%m-%d %H:%M:%S"), time);
  EXPECT_EQ(parse_time("20261126153059", "%Y%m%d%H%M%S"), time);
  EXPECT_EQ(parse_time("26.11.2026, 15h", "%d.%m.%Y, %Hh"),
            (DateTime{{2026, 11, 26}, 15, 0, 0, false, 0, 0}));
  EXPECT_EQ(parse_time("100%2026-11-26", "100%%%Y-%m-%d"), (DateTime{{2026, 11, 26}}));
  EXPECT_EQ(parse_time("2026-11-26+0130", "%Y-%m-%d%z"),
            (DateTime{{2026, 11, 26}, 0, 0, 0, true, 0, 90}));
  EXPECT_EQ(parse_time("2026-11-26.25", "%Y-%m-%d.%f"),
            (DateTime{{2026, 11, 26}, 0, 0, 0, false, 250'000, 0}));
  EXPECT_FALSE(parse_time("2026-11-26", "%Y-%m-%d "));
  EXPECT_FALSE(parse_time("2026-11-26 ", "%Y-%m-%d"));
  EXPECT_FALSE(parse_time("2026-11-31", "%Y-%m-%d"));
  EXPECT_FALSE(parse_time("x2026-11-26", "%%%Y-%m-%d"));
}

TEST(ValidTimeFormatTest, KnowsItsDirectives) {
  for (const std::string_view good : {"%Y%m%d", "%d%%%m%%%Y", "%Y-%m-%dT%H:%M:%S.%f%z"}) {
    EXPECT_TRUE(valid_time_format(good)) << good;
  }
  for (const std::string_view bad : {"", "%Y", "%Y%m", "%m%d", "%Y%d", "%Y%m%d%", "%Y%m%d%y",
                                     "%Y%m%d%Y", "%Y%m%d%b", "%Y%m%%d"}) {
    EXPECT_FALSE(valid_time_format(bad)) << bad;
  }
}

}  // namespace
}  // namespace tercel::route
