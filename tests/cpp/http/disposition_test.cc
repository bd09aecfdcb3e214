#include "tercel/http/disposition.h"

#include <gtest/gtest.h>

namespace tercel::http {
namespace {

TEST(DispositionTest, APlainNameIsQuotedAndSaidOnce) {
  EXPECT_EQ(attachment("report.pdf"), "attachment; filename=\"report.pdf\"");
  EXPECT_EQ(attachment("my report (1); x=y.pdf"),
            "attachment; filename=\"my report (1); x=y.pdf\"");
  EXPECT_EQ(attachment(""), "attachment");
}

TEST(DispositionTest, OtherCharactersAreEncodedBesideAFallback) {
  EXPECT_EQ(attachment("\xc3\x9c"
                       "bersicht.pdf"),
            "attachment; filename=\"_bersicht.pdf\"; filename*=UTF-8''%C3%9Cbersicht.pdf");
  EXPECT_EQ(attachment("\xe2\x82\xac rates.csv"),
            "attachment; filename=\"_ rates.csv\"; filename*=UTF-8''%E2%82%AC%20rates.csv");
  EXPECT_EQ(attachment("100%.txt"),
            "attachment; filename=\"100_.txt\"; filename*=UTF-8''100%25.txt");
  EXPECT_EQ(attachment("say \"hi\".txt"),
            "attachment; filename=\"say _hi_.txt\"; filename*=UTF-8''say%20%22hi%22.txt");
}

TEST(DispositionTest, ANameNeitherEndsTheFieldNorNamesAFolder) {
  EXPECT_EQ(attachment("a\r\nset-cookie: b"),
            "attachment; filename=\"a__set-cookie: b\"; filename*=UTF-8''a__set-cookie%3A%20b");
  EXPECT_EQ(attachment("../../etc/passwd"), "attachment; filename=\"passwd\"");
  EXPECT_EQ(attachment("C:\\temp\\x.exe"), "attachment; filename=\"x.exe\"");
  EXPECT_EQ(attachment("folder/"), "attachment");
}

}  // namespace
}  // namespace tercel::http
