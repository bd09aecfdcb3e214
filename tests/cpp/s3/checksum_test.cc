#include "tercel/s3/checksum.h"

#include <array>
#include <string>

#include <gtest/gtest.h>

namespace tercel::s3 {
namespace {

constexpr std::array kAll{ChecksumAlgorithm::kCrc32,     ChecksumAlgorithm::kCrc32c,
                          ChecksumAlgorithm::kCrc64Nvme, ChecksumAlgorithm::kSha1,
                          ChecksumAlgorithm::kSha256,    ChecksumAlgorithm::kMd5};

std::string of(ChecksumAlgorithm algorithm, std::string_view message, std::size_t step = 1000) {
  Checksum checksum{algorithm};
  EXPECT_EQ(checksum.algorithm(), algorithm);
  for (std::size_t at = 0; at < message.size(); at += step) {
    checksum.update(message.substr(at, step));
  }
  return std::string{checksum.finish().text()};
}

// Made with Python's hashlib and the check values of the catalogue of CRC algorithms.
TEST(ChecksumTest, WritesWhatS3Writes) {
  for (const std::size_t step : {1, 2, 1000}) {
    EXPECT_EQ(of(ChecksumAlgorithm::kCrc32, "123456789", step), "y/Q5Jg==");
    EXPECT_EQ(of(ChecksumAlgorithm::kCrc32c, "123456789", step), "4waSgw==");
    EXPECT_EQ(of(ChecksumAlgorithm::kCrc64Nvme, "123456789", step), "rosUhgp5mIg=");
    EXPECT_EQ(of(ChecksumAlgorithm::kSha1, "123456789", step), "98O8HYCOBHMq32eZZczDTKeuNEE=");
    EXPECT_EQ(of(ChecksumAlgorithm::kSha256, "123456789", step),
              "FeKw08M4keuw8e9gnsQZQgwg4yDOlMZfvIwzEkSOsiU=");
    EXPECT_EQ(of(ChecksumAlgorithm::kMd5, "123456789", step), "JfnnlDI7RTiF9RgfG2JNCw==");
  }
  EXPECT_EQ(of(ChecksumAlgorithm::kCrc32, ""), "AAAAAA==");
  EXPECT_EQ(of(ChecksumAlgorithm::kCrc64Nvme, ""), "AAAAAAAAAAA=");
}

// The chunked upload with a trailer that AWS publishes: 65 KiB of "a".
TEST(ChecksumTest, KnowsTheVectorOfAws) {
  EXPECT_EQ(of(ChecksumAlgorithm::kCrc32c, std::string(66'560, 'a')), "sOO8/Q==");
}

TEST(ChecksumTest, EachHasAFieldOfItsOwn) {
  for (const ChecksumAlgorithm algorithm : kAll) {
    if (algorithm == ChecksumAlgorithm::kMd5) continue;
    EXPECT_EQ(checksum_of_field(field_of(algorithm)), algorithm);
  }
  EXPECT_EQ(field_of(ChecksumAlgorithm::kCrc64Nvme), "x-amz-checksum-crc64nvme");
  EXPECT_EQ(field_of(ChecksumAlgorithm::kMd5), "content-md5");
  for (const std::string_view none :
       {"content-md5", "x-amz-checksum-", "x-amz-checksum-md5", "x-amz-checksum-algorithm",
        "x-amz-checksum-type", "x-amz-checksum-crc32x", "X-Amz-Checksum-Crc32", ""}) {
    EXPECT_EQ(checksum_of_field(none), std::nullopt) << none;
  }
}

TEST(ChecksumTest, AValueIsBase64OfTheRightSize) {
  for (const ChecksumAlgorithm algorithm : kAll) {
    EXPECT_TRUE(valid_checksum(algorithm, of(algorithm, "x")));
    EXPECT_FALSE(valid_checksum(algorithm, ""));
    EXPECT_FALSE(valid_checksum(algorithm, "AAA="));
    EXPECT_FALSE(valid_checksum(algorithm, of(algorithm, "x") + "AAAA"));
  }
  EXPECT_FALSE(valid_checksum(ChecksumAlgorithm::kCrc32, "y/Q5Jg"));
  EXPECT_FALSE(valid_checksum(ChecksumAlgorithm::kCrc32, "y/Q5Jh=="));
  EXPECT_FALSE(valid_checksum(ChecksumAlgorithm::kCrc32, "y_Q5Jg=="));
  EXPECT_FALSE(valid_checksum(ChecksumAlgorithm::kCrc32, "y/Q5Jg== "));
  EXPECT_FALSE(valid_checksum(ChecksumAlgorithm::kCrc32, "y/Q5Jg==-2"));
}

}  // namespace
}  // namespace tercel::s3
