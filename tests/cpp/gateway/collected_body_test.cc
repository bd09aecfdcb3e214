#include "tercel/gateway/collected_body.h"

#include <string>

#include <gtest/gtest.h>

namespace tercel::gateway {
namespace {

constexpr std::string_view kSent =
    "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
    "<Delete xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">"
    "<Object><Key>p/a</Key></Object></Delete>";

TEST(CollectedBodyTest, IsSentOnceAnAttemptWithDigestsOfItsOwn) {
  CollectedBody body{"p/"};
  EXPECT_FALSE(body.take("<Delete><Object><Key>a"));
  EXPECT_FALSE(body.take("</Key></Object></Delete>"));
  EXPECT_FALSE(body.finish());
  EXPECT_EQ(body.size(), kSent.size());
  EXPECT_EQ(body.sha256(), s3::view(s3::to_hex(s3::sha256(kSent))));
  s3::Checksum md5{s3::ChecksumAlgorithm::kMd5};
  md5.update(kSent);
  EXPECT_EQ(body.md5(), md5.finish().text());
  for (int attempt = 0; attempt < 2; ++attempt) {
    body.rewind();
    auto passed = body.pass({}, http::Final::kYes);
    ASSERT_TRUE(passed);
    EXPECT_EQ(passed->bytes, kSent);
    passed = body.pass({}, http::Final::kYes);
    ASSERT_TRUE(passed);
    EXPECT_EQ(passed->bytes, "");
  }
}

TEST(CollectedBodyTest, WhatIsNoDocumentIsNotSent) {
  CollectedBody body{"p/"};
  EXPECT_FALSE(body.take("<Delete>"));
  EXPECT_EQ(body.finish(), s3::ErrorCode::kMalformedXML);
}

}  // namespace
}  // namespace tercel::gateway
