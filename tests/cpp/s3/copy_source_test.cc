#include "tercel/s3/copy_source.h"

#include <array>
#include <string>

#include <gtest/gtest.h>

namespace tercel::s3 {
namespace {

// "bucket|key|version", or the error's code.
std::string read(std::string_view value) {
  std::array<char, kCopySourceBytesMax> memory;
  CopySource source;
  if (const auto error = read_copy_source(value, memory, source)) {
    return std::string{info(*error).code};
  }
  return std::string{source.bucket} + "|" + std::string{source.key} + "|" +
         std::string{source.version_id};
}

std::string write(const CopySource& source, std::string_view bucket,
                  std::string_view key_prefix = "", std::size_t room = kCopySourceBytesMax) {
  std::string out(room, '!');
  const auto written = write_copy_source(source, bucket, key_prefix, out);
  return written ? std::string{*written} : "too long";
}

TEST(CopySourceTest, ReadsBucketKeyAndVersion) {
  EXPECT_EQ(read("logs/a/b"), "logs|a/b|");
  EXPECT_EQ(read("/logs/a/b"), "logs|a/b|");
  EXPECT_EQ(read("logs/a?versionId=3_L4kqtJ"), "logs|a|3_L4kqtJ");
  EXPECT_EQ(read("/logs/a%3Fb?versionId=a%3Db"), "logs|a?b|a=b");
  EXPECT_EQ(read("logs//a/../b/"), "logs|/a/../b/|");
}

TEST(CopySourceTest, IsDecodedAsAWholeAndOnce) {
  EXPECT_EQ(read("%2Flogs%2Fa"), "logs|a|");
  EXPECT_EQ(read("logs%2Fa%2Fb"), "logs|a/b|");
  EXPECT_EQ(read("logs/a%2520b"), "logs|a%20b|");
  EXPECT_EQ(read("logs/a+b%2Bc"), "logs|a b+c|");
  EXPECT_EQ(read("logs/caf%C3%A9"), "logs|caf\xc3\xa9|");
  EXPECT_EQ(read("logs/caf\xc3\xa9"), "logs|caf\xc3\xa9|");
}

TEST(CopySourceTest, WhatCouldBeReadInTwoWaysIsRefused) {
  for (const std::string_view bad : {"", "/", "logs", "/logs", "logs/", "/logs/", "logs/a?",
                                     "logs/a?b", "logs/a?versionId=", "logs/a?versionid=1",
                                     "logs/a?versionId=1&x=2", "logs/a?x=1&versionId=2", "logs/a%",
                                     "logs/a%2", "logs/a%zz", "logs/%ff", "logs/a?versionId=%"}) {
    EXPECT_EQ(read(bad), "InvalidArgument") << bad;
  }
  EXPECT_EQ(read("//logs/a"), "InvalidBucketName");
  EXPECT_EQ(read("Logs/a"), "InvalidBucketName");
  EXPECT_EQ(read("../logs/a"), "InvalidBucketName");
  EXPECT_EQ(read("arn:aws:s3:us-east-1:1:accesspoint/a/object/b"), "NotImplemented");
  EXPECT_EQ(read("arn%3Aaws:s3:us-east-1:1:accesspoint/a/object/b"), "NotImplemented");
}

TEST(CopySourceTest, IsBounded) {
  const std::string key(kKeyBytesMax, 'k');
  EXPECT_EQ(read("logs/" + key), "logs|" + key + "|");
  EXPECT_EQ(read("logs/" + key + "k"), "KeyTooLongError");
  const std::string version(kVersionIdBytesMax, 'v');
  EXPECT_EQ(read("logs/k?versionId=" + version), "logs|k|" + version);
  EXPECT_EQ(read("logs/k?versionId=" + version + "v"), "InvalidArgument");
  EXPECT_EQ(read("logs/" + std::string(kCopySourceBytesMax, 'k')), "InvalidArgument");
}

TEST(CopySourceTest, IsWrittenForTheBackend) {
  EXPECT_EQ(write({"logs", "a/b", ""}, "prod-logs"), "prod-logs/a/b");
  EXPECT_EQ(write({"logs", "a b+c?%\xc3\xa9~", "1=/&"}, "prod", "t 1/"),
            "prod/t%201/a%20b%2Bc%3F%25%C3%A9~?versionId=1%3D/%26");
  EXPECT_EQ(write({"logs", "ab", ""}, "prod", "", 7), "prod/ab");
  EXPECT_EQ(write({"logs", "ab", ""}, "prod", "", 6), "too long");
}

// What was judged is what the backend reads.
TEST(CopySourceTest, IsReadAsItWasWritten) {
  std::string key;
  for (int c = 1; c < 128; ++c) key += static_cast<char>(c);
  key += "\xc3\xa9\xf0\x9f\x98\x80";
  const std::string written = write({"logs", key, key}, "prod");
  EXPECT_EQ(read(written), "prod|" + key + "|" + key);

  std::string longest(kKeyBytesMax, ' ');
  const std::string bucket(kBucketBytesMax, 'b');
  EXPECT_EQ(read(write({"logs", longest, longest}, bucket)),
            bucket + "|" + longest + "|" + longest);
}

}  // namespace
}  // namespace tercel::s3
