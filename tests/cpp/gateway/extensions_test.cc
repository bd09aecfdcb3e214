#include "tercel/gateway/extensions.h"

#include <string_view>

#include <gtest/gtest.h>

namespace tercel::gateway {
namespace {

TEST(ExtensionsTest, FieldsThatS3DoesNotKnowAreTold) {
  for (const std::string_view name :
       {"x-minio-force-delete", "x-minio-source-mtime", "x-rustfs-force-delete",
        "x_amz_copy_source", "x-amz_copy-source", "x-amz-copy_source", "x_minio_force_delete",
        "x-amz-meta_a", "x_amz-meta-a", "_"}) {
    EXPECT_TRUE(is_extension(name)) << name;
  }
  for (const std::string_view name : {"x-amz-copy-source", "x-amz-meta-a", "x-amz-meta-a_b",
                                      "x-amz-meta-_", "range", "x-miniof", "if-none-match", ""}) {
    EXPECT_FALSE(is_extension(name)) << name;
  }
}

TEST(ExtensionsTest, UnpackingIsWhateverIsNotDenied) {
  constexpr std::string_view kName = "x-amz-meta-snowball-auto-extract";
  for (const std::string_view value : {"true", "TRUE", "1", "", "true, false"}) {
    EXPECT_TRUE(unpacks({kName, value})) << value;
  }
  EXPECT_TRUE(unpacks({"x-amz-meta-snowball_auto-extract", "true"}));
  EXPECT_FALSE(unpacks({kName, "false"}));
  EXPECT_FALSE(unpacks({kName, "False"}));
  EXPECT_FALSE(unpacks({"x-amz-meta-snowball-auto-extracts", "true"}));
  EXPECT_FALSE(unpacks({"x-amz-meta-snowball", "true"}));
}

}  // namespace
}  // namespace tercel::gateway
