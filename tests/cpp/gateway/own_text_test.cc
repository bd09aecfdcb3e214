#include "tercel/gateway/own_text.h"

#include <string_view>

#include <gtest/gtest.h>

#include "s3/rewrite_input.h"

namespace tercel::gateway {
namespace {

TEST(OwnTextTest, EveryStatusHasAnErrorOfS3) {
  for (std::uint16_t status = 300; status < 600; ++status) {
    const OwnText text = error_text(status, s3::Level::kObject);
    EXPECT_NE(text.document.find("<Code>" + std::string{text.error_code} + "</Code>"),
              std::string::npos);
    // It is one that the rewriter passes as it is.
    EXPECT_EQ(
        s3::rewrite_in_steps(
            {.bucket = "b", .location = "", .resource = "", .endpoint = "", .known_only = true},
            text.document, 7),
        text.document);
  }
  EXPECT_EQ(error_text(404, s3::Level::kObject).error_code, "NoSuchKey");
  EXPECT_EQ(error_text(404, s3::Level::kBucket).error_code, "NoSuchBucket");
  EXPECT_EQ(error_text(418, s3::Level::kObject).error_code, "InvalidRequest");
  EXPECT_EQ(error_text(502, s3::Level::kObject).error_code, "ServiceUnavailable");
}

TEST(OwnTextTest, LocationOfUsEastIsEmpty) {
  EXPECT_NE(location_text("eu-x").document.find(">eu-x</LocationConstraint>"), std::string::npos);
  EXPECT_NE(location_text("us-east-1").document.find("/\"></LocationConstraint>"),
            std::string::npos);
}

}  // namespace
}  // namespace tercel::gateway
