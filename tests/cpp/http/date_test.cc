#include "tercel/http/date.h"

#include <array>
#include <chrono>
#include <ctime>
#include <string>

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

}  // namespace
}  // namespace tercel::http
