#include "tercel/http/date.h"

#include <array>
#include <chrono>
#include <ctime>
#include <optional>
#include <string>
#include <string_view>

#include <gtest/gtest.h>

namespace tercel::http {
namespace {

using std::chrono::seconds;

TEST(DateFieldTest, RendersTheExampleOfTheRfc) {
  DateField date;
  EXPECT_EQ(date.render(seconds{784111777}), "date: Sun, 06 Nov 1994 08:49:37 GMT\r\n");
}

TEST(DateFieldTest, FollowsTheClockInBothDirections) {
  DateField date;
  EXPECT_EQ(date.render(seconds{0}), "date: Thu, 01 Jan 1970 00:00:00 GMT\r\n");
  EXPECT_EQ(date.render(seconds{951782400}), "date: Tue, 29 Feb 2000 00:00:00 GMT\r\n");
  EXPECT_EQ(date.render(seconds{951782399}), "date: Mon, 28 Feb 2000 23:59:59 GMT\r\n");
  EXPECT_EQ(date.render(seconds{951782399}), "date: Mon, 28 Feb 2000 23:59:59 GMT\r\n");
}

TEST(DateFieldTest, StaysWithinFourDigitYears) {
  DateField date;
  EXPECT_EQ(date.render(seconds{-1}), "date: Thu, 01 Jan 1970 00:00:00 GMT\r\n");
  EXPECT_EQ(date.render(seconds{253402300799}), "date: Fri, 31 Dec 9999 23:59:59 GMT\r\n");
  EXPECT_EQ(date.render(seconds{253402300800}), "date: Fri, 31 Dec 9999 23:59:59 GMT\r\n");
}

// Every day of four centuries, which is a whole cycle of the calendar, at a time that moves through
// the day.
TEST(DateFieldTest, AgreesWithTheCalendarOfTheSystem) {
  DateField date;
  for (std::time_t at = 0; at < std::time_t{146097} * 86400; at += 86400 + 61) {
    std::tm parts{};
    gmtime_r(&at, &parts);
    std::array<char, 64> text{};
    std::strftime(text.data(), text.size(), "date: %a, %d %b %Y %H:%M:%S GMT\r\n", &parts);
    ASSERT_EQ(date.render(seconds{at}), text.data());
  }
}

constexpr seconds kNow{1795700000};  // In November 2026.

TEST(ParseHttpDateTest, ReadsTheThreeForms) {
  for (std::string_view text : {"Sun, 06 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT",
                                "Sun Nov  6 08:49:37 1994"}) {
    EXPECT_EQ(parse_http_date(text, kNow), seconds{784111777}) << text;
  }
  EXPECT_EQ(parse_http_date("Wed Nov 16 08:49:37 1994", kNow), seconds{784975777});
}

TEST(ParseHttpDateTest, TakesNothingElse) {
  for (std::string_view bad : {"",
                               "0",
                               "Sun, 06 Nov 1994 08:49:37",
                               "Sun, 06 Nov 1994 08:49:37 gmt",
                               "Sun, 06 Nov 1994 08:49:37 UTC",
                               "Sun, 06 Nov 1994 08:49:37 +0000",
                               " Sun, 06 Nov 1994 08:49:37 GMT",
                               "Sun, 06 Nov 1994 08:49:37 GMT ",
                               "sun, 06 Nov 1994 08:49:37 GMT",
                               "Sun, 06 nov 1994 08:49:37 GMT",
                               "Sun, 6 Nov 1994 08:49:37 GMT",
                               "Sun,  6 Nov 1994 08:49:37 GMT",
                               "Sun, 06 Nov 94 08:49:37 GMT",
                               "Sun, 06 Nov 1994 8:49:37 GMT",
                               "Sun, 06 Nov 1994 08:49 GMT",
                               "Sun, 06 Nov 1994 -8:49:37 GMT",
                               "Sunday, 06 Nov 1994 08:49:37 GMT",
                               "Sun, 06-Nov-94 08:49:37 GMT",
                               "Sunday, 06-Nov-1994 08:49:37 GMT",
                               "Sun Nov 6 08:49:37 1994",
                               "Sun Nov  6 08:49:37 1994 GMT",
                               "Sun Nov  6 08:49:37 94",
                               "Sun, 06 Nov 1994 08:49:3"}) {
    EXPECT_EQ(parse_http_date(bad, kNow), std::nullopt) << bad;
  }
}

TEST(ParseHttpDateTest, WantsADayOfTheCalendarAndATimeOfTheDay) {
  for (std::string_view bad : {"Mon, 06 Nov 1994 08:49:37 GMT", "Sun, 00 Nov 1994 08:49:37 GMT",
                               "Thu, 31 Nov 1994 08:49:37 GMT", "Wed, 29 Feb 2023 08:49:37 GMT",
                               "Sun, 06 Nov 1994 24:00:00 GMT", "Sun, 06 Nov 1994 08:60:37 GMT",
                               "Sun, 06 Nov 1994 08:49:61 GMT", "Mon, 06-Nov-94 08:49:37 GMT"}) {
    EXPECT_EQ(parse_http_date(bad, kNow), std::nullopt) << bad;
  }
  EXPECT_EQ(parse_http_date("Thu, 29 Feb 2024 23:59:60 GMT", kNow), seconds{1709251200});
  EXPECT_EQ(parse_http_date("Wed, 31 Dec 1969 23:59:59 GMT", kNow), seconds{-1});
}

// Two digits of a year: at most 50 years ahead of `now`, to the second.
TEST(ParseHttpDateTest, FindsTheCenturyOfTwoDigits) {
  const auto at = [](std::string_view text) { return *parse_http_date(text, seconds{0}); };
  const std::string_view text = "Sunday, 06-Nov-94 08:49:37 GMT";
  const seconds in_1994 = at("Sun, 06 Nov 1994 08:49:37 GMT");
  EXPECT_EQ(parse_http_date(text, at("Wed, 06 Nov 2041 08:49:37 GMT")), in_1994);
  // The weekday is that of 1994 alone, so 2094 is known by being refused.
  EXPECT_EQ(parse_http_date(text, at("Sun, 06 Nov 2044 08:49:36 GMT")), in_1994);
  EXPECT_EQ(parse_http_date(text, at("Sun, 06 Nov 2044 08:49:37 GMT")), std::nullopt);
  EXPECT_EQ(
      parse_http_date("Saturday, 06-Nov-94 08:49:37 GMT", at("Sun, 06 Nov 2044 08:49:37 GMT")),
      at("Sat, 06 Nov 2094 08:49:37 GMT"));
  // From the end of one century the beginning of the next is near.
  EXPECT_EQ(
      parse_http_date("Saturday, 01-Jan-00 00:00:00 GMT", at("Fri, 31 Dec 1999 00:00:00 GMT")),
      at("Sat, 01 Jan 2000 00:00:00 GMT"));
}

// A year has four digits, whichever weekday would suit the year of three.
TEST(ParseHttpDateTest, WantsEveryDigit) {
  for (const std::string weekday : {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"}) {
    EXPECT_EQ(parse_http_date(weekday + " Nov  6 08:49:37 199", kNow), std::nullopt);
  }
}

// Every fifth day of four centuries, written by the system in each form.
TEST(ParseHttpDateTest, AgreesWithTheCalendarOfTheSystem) {
  for (std::time_t at = 0; at < std::time_t{146097} * 86400; at += 5 * 86400 + 61) {
    std::tm parts{};
    gmtime_r(&at, &parts);
    for (const char* form :
         {"%a, %d %b %Y %H:%M:%S GMT", "%A, %d-%b-%y %H:%M:%S GMT", "%a %b %e %H:%M:%S %Y"}) {
      std::array<char, 64> text{};
      std::strftime(text.data(), text.size(), form, &parts);
      ASSERT_EQ(parse_http_date(text.data(), seconds{at}), seconds{at}) << text.data();
    }
  }
}

}  // namespace
}  // namespace tercel::http
