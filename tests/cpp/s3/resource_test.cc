#include "tercel/s3/resource.h"

#include <array>
#include <string>

#include <gtest/gtest.h>

namespace tercel::s3 {
namespace {

constexpr std::array<std::string_view, 3> kDomains{"example.com", "s3.example.com", "localhost"};

// "bucket|raw key|key", with "virtual " before it where it is so; or the error's code.
std::string read(std::string_view host, std::string_view path,
                 std::span<const std::string_view> domains = kDomains) {
  std::array<char, kResourceMemoryBytes> memory;
  Resource resource;
  if (const auto error = read_resource(host, path, domains, memory, resource)) {
    return std::string{info(*error).code};
  }
  const bool in_host = resource.style == AddressingStyle::kVirtual;
  return (in_host ? "virtual " : "") + std::string{resource.bucket} + "|" +
         std::string{resource.raw_key} + "|" + std::string{resource.key};
}

TEST(ResourceTest, PathStyleHasTheBucketInThePath) {
  EXPECT_EQ(read("s3.example.com", "/"), "||");
  EXPECT_EQ(read("s3.example.com", "/logs"), "logs||");
  EXPECT_EQ(read("s3.example.com", "/logs/"), "logs||");
  EXPECT_EQ(read("s3.example.com", "/logs/a/b"), "logs|a/b|a/b");
  EXPECT_EQ(read("s3.example.com", "/my.logs/a"), "my.logs|a|a");
  EXPECT_EQ(read("10.0.0.1:9000", "/logs/a"), "logs|a|a");
  EXPECT_EQ(read("[::1]:9000", "/logs/a"), "logs|a|a");
  EXPECT_EQ(read("", "/logs/a"), "logs|a|a");
  EXPECT_EQ(read("logs.elsewhere.org", "/data/a"), "data|a|a");
}

TEST(ResourceTest, VirtualStyleHasTheBucketInTheHost) {
  EXPECT_EQ(read("logs.s3.example.com", "/"), "virtual logs||");
  EXPECT_EQ(read("logs.s3.example.com", "/a/b"), "virtual logs|a/b|a/b");
  EXPECT_EQ(read("logs.s3.example.com", "/logs/a"), "virtual logs|logs/a|logs/a");
  EXPECT_EQ(read("my.logs.s3.example.com", "/a"), "virtual my.logs|a|a");
  EXPECT_EQ(read("logs.localhost:8000", "/a"), "virtual logs|a|a");
  EXPECT_EQ(read("LOGS.S3.Example.COM:443", "/A"), "virtual logs|A|A");
  EXPECT_EQ(read("logs.s3.example.com.", "/a"), "virtual logs|a|a");
  EXPECT_EQ(read("logs.s3.example.com.:80", "/a"), "virtual logs|a|a");
}

TEST(ResourceTest, AHostBelongsToTheLongestDomain) {
  EXPECT_EQ(read("s3.example.com", "/logs/a"), "logs|a|a");
  EXPECT_EQ(read("S3.EXAMPLE.com:80", "/logs/a"), "logs|a|a");
  EXPECT_EQ(read("logs.example.com", "/a"), "virtual logs|a|a");
  EXPECT_EQ(read("logss3.example.com", "/a"), "virtual logss3|a|a");
  EXPECT_EQ(read("xexample.com", "/logs/a"), "logs|a|a");
  EXPECT_EQ(read("logs.s3.example.com", "/data/a", {}), "data|a|a");
}

TEST(ResourceTest, ABucketOfTheHostIsHeldToTheRulesToo) {
  EXPECT_EQ(read("a.s3.example.com", "/a"), "InvalidBucketName");
  EXPECT_EQ(read("-logs.s3.example.com", "/a"), "InvalidBucketName");
  EXPECT_EQ(read("a..b.s3.example.com", "/a"), "InvalidBucketName");
  EXPECT_EQ(read(std::string(64, 'a') + ".s3.example.com", "/a"), "InvalidBucketName");
  EXPECT_EQ(read(".s3.example.com", "/logs/a"), "logs|a|a");
}

// A gateway elsewhere searches for the key's text in the path, and finds it in another place.
TEST(ResourceTest, PastBug_AKeyMayLookLikeItsBucket) {
  EXPECT_EQ(read("h", "/backup/b"), "backup|b|b");
  EXPECT_EQ(read("h", "/mybucket/bucket"), "mybucket|bucket|bucket");
  EXPECT_EQ(read("h", "/logs/s"), "logs|s|s");
  EXPECT_EQ(read("h", "/logs/logs/logs"), "logs|logs/logs|logs/logs");
}

TEST(ResourceTest, KeysAreNeverNormalised) {
  EXPECT_EQ(read("h", "/logs//"), "logs|/|/");
  EXPECT_EQ(read("h", "/logs//a//b/"), "logs|/a//b/|/a//b/");
  EXPECT_EQ(read("h", "/logs/../data/a"), "logs|../data/a|../data/a");
  EXPECT_EQ(read("h", "/logs/./."), "logs|./.|./.");
  EXPECT_EQ(read("h", "/logs/a/../../.."), "logs|a/../../..|a/../../..");
}

TEST(ResourceTest, KeysAreDecodedOnce) {
  EXPECT_EQ(read("h", "/logs/a%20b+c"), "logs|a%20b+c|a b+c");
  EXPECT_EQ(read("h", "/logs/a%2Fb"), "logs|a%2Fb|a/b");
  EXPECT_EQ(read("h", "/logs/%252F"), "logs|%252F|%2F");
  EXPECT_EQ(read("h", "/logs/caf%C3%A9"), "logs|caf%C3%A9|caf\xc3\xa9");
  EXPECT_EQ(read("h", "/logs/%2e%2E/"), "logs|%2e%2E/|../");
  EXPECT_EQ(read("h", "/lo%67s/a"), "logs|a|a");
}

TEST(ResourceTest, APathIsCutBeforeItIsDecoded) {
  EXPECT_EQ(read("h", "/logs%2Fa"), "InvalidBucketName");
  EXPECT_EQ(read("h", "/logs%2Fa/b"), "InvalidBucketName");
  EXPECT_EQ(read("h", "/%2Flogs/b"), "InvalidBucketName");
  EXPECT_EQ(read("h", "//logs/a"), "InvalidBucketName");
  EXPECT_EQ(read("h", "/../logs"), "InvalidBucketName");
}

TEST(ResourceTest, WhatIsNoPathOrNoTextIsRefused) {
  for (const std::string_view bad : {"", "*", "logs/a", "/logs/%", "/logs/%2", "/logs/%zz", "/%/a",
                                     "/logs/%ff", "/logs/%C3", "/logs/a\xff", "/logs/%ED%A0%80"}) {
    EXPECT_EQ(read("h", bad), "InvalidURI") << bad;
  }
}

TEST(ResourceTest, KeysAreBounded) {
  const std::string key(kKeyBytesMax, 'k');
  EXPECT_EQ(read("h", "/logs/" + key), "logs|" + key + "|" + key);
  EXPECT_EQ(read("h", "/logs/" + key + "k"), "KeyTooLongError");
  std::string escaped;
  for (std::size_t i = 0; i < kKeyBytesMax; ++i) escaped += "%6b";
  EXPECT_EQ(read("h", "/logs/" + escaped), "logs|" + escaped + "|" + key);
  EXPECT_EQ(read("h", "/logs/" + escaped + "k"), "KeyTooLongError");
  std::string bucket;
  for (std::size_t i = 0; i < kBucketBytesMax; ++i) bucket += "%62";
  EXPECT_EQ(read("h", "/" + bucket + "/" + escaped),
            std::string(kBucketBytesMax, 'b') + "|" + escaped + "|" + key);
  EXPECT_EQ(read("h", "/" + bucket + "b/a"), "InvalidBucketName");
}

TEST(ResourceTest, TellsWhatIsNamed) {
  EXPECT_EQ((Resource{}.level()), Level::kService);
  EXPECT_EQ((Resource{.bucket = "b", .raw_key = "", .key = ""}.level()), Level::kBucket);
  EXPECT_EQ((Resource{.bucket = "b", .raw_key = "k", .key = "k"}.level()), Level::kObject);
}

TEST(BucketNameTest, FollowsTheRulesOfS3) {
  for (const std::string_view good :
       {"abc", "a-b", "a.b", "1.2.3", "123", "a--b", "a.-b", "my-logs-2024.eu", "1.2.3.4.5",
        "1.2.3.a", "xn--a", "a-s3alias"}) {
    EXPECT_TRUE(valid_bucket_name(good)) << good;
  }
  EXPECT_TRUE(valid_bucket_name(std::string(63, 'a')));
  EXPECT_FALSE(valid_bucket_name(std::string(64, 'a')));
  for (const std::string_view bad : {"", "ab", "Abc", "a_b", "a b", "-ab", "ab-", ".ab", "ab.",
                                     "a..b", "192.168.5.4", "a/b", "abc\n", "ab\xc3\xa9"}) {
    EXPECT_FALSE(valid_bucket_name(bad)) << bad;
  }
}

}  // namespace
}  // namespace tercel::s3
