#include "tercel/s3/amz_date.h"

#include <string>

#include <gtest/gtest.h>

namespace tercel::s3 {
namespace {

using std::chrono::seconds;

std::string amz(seconds time) {
  const AmzDate date = to_amz_date(time);
  return {date.data(), date.size()};
}

TEST(AmzDateTest, BothFormsAreWritten) {
  EXPECT_EQ(amz(seconds{1369353600}), "20130524T000000Z");
  const IsoDate iso = to_iso_date(seconds{1369353599});
  EXPECT_EQ((std::string{iso.data(), iso.size()}), "2013-05-23T23:59:59Z");
  EXPECT_EQ(amz(seconds{-1}), "19700101T000000Z");
  EXPECT_EQ(amz(seconds::max()), "99991231T235959Z");
}

TEST(AmzDateTest, WhatIsWrittenIsRead) {
  // Steps that meet every month, hour, minute and second of the years.
  for (std::int64_t time = 0; time < 253402300800; time += 86399 * 397 + 61) {
    ASSERT_EQ(parse_amz_date(amz(seconds{time})), seconds{time}) << time;
  }
}

TEST(AmzDateTest, AnythingElseIsRefused) {
  for (const std::string_view text : {"",
                                      "20130524",
                                      "20130524T000000",
                                      "2013-05-24T00:00:00Z",
                                      "20130524t000000Z",
                                      "20130524T000000z",
                                      "20130524 000000Z",
                                      "20131324T000000Z",
                                      "20130024T000000Z",
                                      "20130532T000000Z",
                                      "20130500T000000Z",
                                      "20130229T000000Z",
                                      "20130524T240000Z",
                                      "20130524T006000Z",
                                      "20130524T000060Z",
                                      "+0130524T000000Z",
                                      "2013 524T000000Z",
                                      "19691231T235959Z",
                                      "20130524T000000Z ",
                                      " 20130524T000000Z"}) {
    EXPECT_EQ(parse_amz_date(text), std::nullopt) << text;
  }
  EXPECT_EQ(parse_amz_date("20120229T000000Z"), seconds{1330473600});
}

}  // namespace
}  // namespace tercel::s3
