#include "tercel/gateway/own_text.h"

#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

#include "s3/rewrite_input.h"

namespace tercel::gateway {
namespace {

OwnText error_of(std::uint16_t status, s3::Level level) {
  std::vector<char> scratch(s3::kErrorBodyBytesMax);
  return error_text(status, level, {.resource = "/b/<k>", .request_id = "ID", .host_id = "H"},
                    scratch);
}

TEST(OwnTextTest, EveryStatusHasAnErrorOfS3) {
  for (std::uint16_t status = 300; status < 600; ++status) {
    const OwnText text = error_of(status, s3::Level::kObject);
    EXPECT_NE(text.document.find("<Code>" + std::string{text.error_code} + "</Code>"),
              std::string::npos);
    // It is one that the rewriter passes as it is.
    EXPECT_EQ(s3::rewrite_in_steps({.bucket = "b",
                                    .location = "",
                                    .resource = "/b/<k>",
                                    .endpoint = "",
                                    .known_only = true},
                                   text.document, 7),
              text.document);
  }
  EXPECT_EQ(error_of(404, s3::Level::kObject).error_code, "NoSuchKey");
  EXPECT_EQ(error_of(404, s3::Level::kBucket).error_code, "NoSuchBucket");
  EXPECT_EQ(error_of(418, s3::Level::kObject).error_code, "InvalidRequest");
  EXPECT_EQ(error_of(502, s3::Level::kObject).error_code, "ServiceUnavailable");
}

TEST(OwnTextTest, AnErrorSaysWhatItIsAbout) {
  const std::string document = error_of(503, s3::Level::kObject).document;
  EXPECT_TRUE(
      document.ends_with("answered with status 503</Message><Resource>/b/&lt;k&gt;</Resource>"
                         "<RequestId>ID</RequestId><HostId>H</HostId></Error>"))
      << document;
}

TEST(OwnTextTest, LocationOfUsEastIsEmpty) {
  EXPECT_NE(location_text("eu-x").document.find(">eu-x</LocationConstraint>"), std::string::npos);
  EXPECT_NE(location_text("us-east-1").document.find("/\"></LocationConstraint>"),
            std::string::npos);
}

}  // namespace
}  // namespace tercel::gateway
