#include "tercel/edge/log_time.h"

#include <stdlib.h>
#include <time.h>

#include <chrono>
#include <string>

#include <gtest/gtest.h>

namespace tercel::edge {
namespace {

using std::chrono::seconds;

class LogTimeTest : public testing::Test {
 protected:
  static void use_zone(const char* zone) {
    setenv("TZ", zone, 1);  // NOLINT(concurrency-mt-unsafe): the test has one thread.
    tzset();
  }
  void TearDown() override { use_zone("UTC"); }
};

TEST_F(LogTimeTest, UtcIsOffsetZero) {
  use_zone("UTC");
  LogTime time;
  time.update(seconds{971211336});
  EXPECT_EQ(time.common(), "[10/Oct/2000:20:55:36 +0000]");
  EXPECT_EQ(time.iso(), "2000-10-10T20:55:36+00:00");
  EXPECT_EQ(time.unix_time(), seconds{971211336});
}

// The example of Apache's documentation, which is at -0700.
TEST_F(LogTimeTest, LocalTimeIsWrittenWithItsOffset) {
  use_zone("XXX7");
  LogTime time;
  time.update(seconds{971211336});
  EXPECT_EQ(time.common(), "[10/Oct/2000:13:55:36 -0700]");
  EXPECT_EQ(time.iso(), "2000-10-10T13:55:36-07:00");
}

TEST_F(LogTimeTest, OffsetsOfHalfAnHourAndEastOfUtc) {
  use_zone("XXX-5:30");
  LogTime time;
  time.update(seconds{0});
  EXPECT_EQ(time.common(), "[01/Jan/1970:05:30:00 +0530]");
  EXPECT_EQ(time.iso(), "1970-01-01T05:30:00+05:30");
}

TEST_F(LogTimeTest, ASecondLaterIsRenderedAnew) {
  use_zone("UTC");
  LogTime time;
  time.update(seconds{1704067199});
  EXPECT_EQ(time.iso(), "2023-12-31T23:59:59+00:00");
  time.update(seconds{1704067200});
  EXPECT_EQ(time.iso(), "2024-01-01T00:00:00+00:00");
  EXPECT_EQ(time.common(), "[01/Jan/2024:00:00:00 +0000]");
}

TEST_F(LogTimeTest, TheWallClockIsThatOfTheSystem) {
  const auto difference = std::chrono::system_clock::now().time_since_epoch() - WallClock{}.now();
  EXPECT_LT(std::chrono::abs(difference), seconds{1});
}

TEST(UtcTimeTest, IsRfc3339WithMilliseconds) {
  UtcTime time;
  using namespace std::chrono_literals;
  EXPECT_EQ(time.text(971211336s + 123'999us), "2000-10-10T20:55:36.123Z");
  EXPECT_EQ(time.text(971211336s), "2000-10-10T20:55:36.000Z");
  EXPECT_EQ(time.text(971211337s + 7ms), "2000-10-10T20:55:37.007Z");
  EXPECT_EQ(time.text(0s), "1970-01-01T00:00:00.000Z");
}

}  // namespace
}  // namespace tercel::edge
