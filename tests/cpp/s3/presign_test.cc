// What is made is read by presigned_test.cc; here is what is made, and what is refused.
#include "tercel/s3/presign.h"

#include <string>

#include <gtest/gtest.h>

#include "s3/sigv4_request.h"

namespace tercel::s3 {
namespace {

using std::chrono::seconds;

class PresignTest : public ::testing::Test {
 protected:
  std::optional<ErrorCode> write() {
    out_ = "before";
    return write_presigned_query(request_, out_);
  }

  SigningKey key_ = test_signing_key();
  PresignRequest request_{.method = "GET",
                          .path = "/test.txt",
                          .host = "examplebucket.s3.amazonaws.com",
                          .identity = {.access_key = kTestKey,
                                       .key = &key_,
                                       .region = "us-east-1",
                                       .time = to_amz_date(kTestNow)},
                          .expires = seconds{86400}};
  std::string out_;
};

TEST_F(PresignTest, QueryIsThatOfTheExampleOfAws) {
  EXPECT_EQ(write(), std::nullopt);
  EXPECT_EQ(out_,
            "beforeX-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F"
            "20130524%2Fus-east-1%2Fs3%2Faws4_request&X-Amz-Date=20130524T000000Z&X-Amz-Expires="
            "86400&X-Amz-SignedHeaders=host&X-Amz-Signature="
            "aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404");
}

TEST_F(PresignTest, OtherParametersAreCanonicalAndSigned) {
  request_.query = "versionId=a/b&response-content-type=text/plain&A=1";
  EXPECT_EQ(write(), std::nullopt);
  EXPECT_TRUE(out_.starts_with("beforeA=1&X-Amz-Algorithm="));
  EXPECT_NE(out_.find("&response-content-type=text%2Fplain&versionId=a%2Fb&X-Amz-Signature="),
            std::string::npos);
}

TEST_F(PresignTest, ExpiresIsWithinAWeek) {
  for (const seconds expires : {seconds{0}, seconds{-1}, kExpiresMax + seconds{1}}) {
    request_.expires = expires;
    EXPECT_EQ(write(), ErrorCode::kInvalidArgument);
    EXPECT_EQ(out_, "before");
  }
  for (const seconds expires : {seconds{1}, kExpiresMax}) {
    request_.expires = expires;
    EXPECT_EQ(write(), std::nullopt);
  }
}

TEST_F(PresignTest, ParametersOfAuthenticationAndMalformedTextAreRefused) {
  for (const std::string_view query : {"X-Amz-Expires=1", "a=1&X%2DAmz-Signature=0", "a=%"}) {
    request_.query = query;
    EXPECT_EQ(write(), ErrorCode::kInvalidURI) << query;
    EXPECT_EQ(out_, "before");
  }
  request_.query = "";
  request_.path = "/%";
  EXPECT_EQ(write(), ErrorCode::kInvalidURI);
  EXPECT_EQ(out_, "before");
}

TEST_F(PresignTest, FieldsAreNamedOnce) {
  const http::Field twice[] = {{"range", "a"}, {"range", "b"}};
  request_.fields = twice;
  EXPECT_EQ(write(), ErrorCode::kInvalidArgument);
  const http::Field host[] = {{"host", "other"}};
  request_.fields = host;
  EXPECT_EQ(write(), ErrorCode::kInvalidArgument);
}

TEST_F(PresignTest, NumberOfParametersIsLimited) {
  std::string query;
  for (std::size_t i = 0; i < kQueryPairsMax - 4; ++i) query += "a&";
  request_.query = query;
  EXPECT_EQ(write(), ErrorCode::kRequestHeaderSectionTooLarge);
  EXPECT_EQ(out_, "before");
}

}  // namespace
}  // namespace tercel::s3
