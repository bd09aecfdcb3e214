#include "tercel/s3/key_prefix.h"

#include <string>
#include <string_view>

#include <gtest/gtest.h>

namespace tercel::s3 {
namespace {

std::string query_below(Operation operation, std::string_view query,
                        std::string_view prefix = "team-a/") {
  std::string out;
  const auto error = append_query_below(prefix, operation, query, out);
  return error ? std::string{info(*error).code} : out;
}

TEST(KeyPrefixTest, APrefixIsAFolder) {
  for (const std::string_view good : {"a/", "team-a/", "a/b c/", "\xc3\xbc/", "...//"}) {
    EXPECT_EQ(valid_key_prefix(good), good != "...//") << good;
  }
  for (const std::string_view bad :
       {"", "/", "a", "/a/", "a//", "a//b/", "./", "a/./", "../", "a/../", "a\\..\\b/", "a/%2e%2e/",
        "a/%252e%252e/", "\xff/", "a\n/", "a\x7f/", "%2e./"}) {
    EXPECT_FALSE(valid_key_prefix(bad)) << bad;
  }
  EXPECT_FALSE(valid_key_prefix(std::string_view{"a\0/", 3}));
  EXPECT_TRUE(valid_key_prefix(std::string(kKeyPrefixBytesMax - 1, 'a') + "/"));
  EXPECT_FALSE(valid_key_prefix(std::string(kKeyPrefixBytesMax, 'a') + "/"));
}

TEST(KeyPrefixTest, PlainKeyIsItsOwnNameToEveryBackend) {
  for (const std::string_view plain :
       {"", "a", "a/", "a/b", "a/b/", ".a", "a.", "...", "a/..b", "a/b..", "a/.b", "a\\b", "100%",
        "%41/b", "a%2fb", "a%zz/b", "\xc3\xbc/b"}) {
    EXPECT_TRUE(is_plain_key(plain)) << plain;
  }
  for (const std::string_view other :
       {"/",     "/a",   "//",     "a//",     "a//b",           ".",     "./a", "a/.",
        "a/./b", "..",   "../a",   "a/..",    "a/../b",         "a/../", "\\a", "a\\..\\b",
        "a/\\b", "%2fa", "a%2f/b", "a/%2e/b", "a/%252e%252e/b", "a%00b"}) {
    EXPECT_FALSE(is_plain_key(other)) << other;
  }
  EXPECT_FALSE(is_plain_key(std::string_view{"a\0b", 3}));
  EXPECT_TRUE(is_plain_key(std::string(1024, 'a')));
}

TEST(KeyPrefixTest, NoKeyClimbsOutHoweverOftenItIsDecoded) {
  for (const std::string_view bad :
       {"..", "../b", "a/..", "a/../b", "a\\..\\b", "..\\b", "%2e%2e/b", "%2E./b", "a%2f..%2fb",
        "a%5c..", "%252e%252e%252fb", "a/%25252e./b", "%25%32%65./b"}) {
    EXPECT_EQ(check_key_below("team-a/", bad), ErrorCode::kInvalidArgument) << bad;
  }
  EXPECT_EQ(check_key_below("team-a/", std::string_view{"a\0b", 3}), ErrorCode::kInvalidArgument);
  EXPECT_EQ(check_key_below("team-a/", "a%00b"), ErrorCode::kInvalidArgument);
  for (const std::string_view good : {"", ".", "a", "./a", "...", "a..b", "a/..b", "b../c", "/etc",
                                      "//", "100%", "a%zz/b", "%41/%", "a/.hidden", "\xc3\xbc"}) {
    EXPECT_EQ(check_key_below("team-a/", good), std::nullopt) << good;
  }
  // One that nobody decodes to the end is not looked at any longer.
  std::string deep = "a%";
  for (int i = 0; i < 100; ++i) deep += "25";
  EXPECT_EQ(check_key_below("team-a/", deep + "2e"), ErrorCode::kInvalidArgument);
}

TEST(KeyPrefixTest, PrefixAndKeyAreAKeyTogether) {
  EXPECT_EQ(check_key_below("1234/", std::string(1019, 'k')), std::nullopt);
  EXPECT_EQ(check_key_below("1234/", std::string(1020, 'k')), ErrorCode::kKeyTooLongError);
}

TEST(KeyPrefixTest, ListsAreBelowThePrefixAndBeginBehindIt) {
  EXPECT_EQ(query_below(Operation::kListObjectsV2, "list-type=2"),
            "list-type=2&prefix=team-a%2F&start-after=team-a%2F");
  EXPECT_EQ(query_below(Operation::kListObjects, ""), "prefix=team-a%2F&marker=team-a%2F");
  EXPECT_EQ(query_below(Operation::kListObjectVersions, "versions="),
            "versions=&prefix=team-a%2F&key-marker=team-a%2F");
  EXPECT_EQ(query_below(Operation::kListMultipartUploads, "uploads="), "uploads=&prefix=team-a%2F");
  EXPECT_EQ(query_below(Operation::kListObjects, "delimiter=%2F&max-keys=2&prefix=b%2Fc"),
            "delimiter=%2F&max-keys=2&prefix=team-a%2Fb%2Fc");
}

TEST(KeyPrefixTest, MarkersAreMappedAndTokensPass) {
  EXPECT_EQ(query_below(Operation::kListObjects, "marker=m&prefix=p"),
            "prefix=team-a%2Fp&marker=team-a%2Fm");
  EXPECT_EQ(query_below(Operation::kListObjectsV2, "list-type=2&prefix=&start-after=s"),
            "list-type=2&prefix=team-a%2F&start-after=team-a%2Fs");
  EXPECT_EQ(query_below(Operation::kListObjectsV2, "continuation-token=t%3D&list-type=2"),
            "continuation-token=t%3D&list-type=2&prefix=team-a%2F");
  EXPECT_EQ(
      query_below(Operation::kListObjectVersions, "key-marker=k&version-id-marker=v&versions="),
      "version-id-marker=v&versions=&prefix=team-a%2F&key-marker=team-a%2Fk");
  // It would be an error of the client without a key beside it, and stays one.
  EXPECT_EQ(query_below(Operation::kListObjectVersions, "version-id-marker=v&versions="),
            "version-id-marker=v&versions=&prefix=team-a%2F");
  EXPECT_EQ(
      query_below(Operation::kListMultipartUploads, "key-marker=k&upload-id-marker=u&uploads="),
      "upload-id-marker=u&uploads=&prefix=team-a%2F&key-marker=team-a%2Fk");
}

TEST(KeyPrefixTest, AListDoesNotClimbOut) {
  for (const std::string_view name : {"prefix", "start-after"}) {
    for (const std::string_view value :
         {"..", "..%2Fteam-b%2F", "b%2F..%2F..%2F", "%252e%252e%2F"}) {
      const std::string query = "list-type=2&" + std::string{name} + "=" + std::string{value};
      EXPECT_EQ(query_below(Operation::kListObjectsV2, query), "InvalidArgument") << query;
    }
  }
  EXPECT_EQ(query_below(Operation::kListObjects, "prefix=" + std::string(1020, 'p')),
            "KeyTooLongError");
  EXPECT_EQ(query_below(Operation::kListObjects, "prefix=" + std::string(4000, 'p')),
            "KeyTooLongError");
}

// There are backends that make names of files of them.
TEST(KeyPrefixTest, NorDoesAVersionAnUploadOrAToken) {
  for (const std::string_view name : {"versionId", "uploadId"}) {
    EXPECT_EQ(query_below(Operation::kGetObject, std::string{name} + "=..%2F..%2Fb"),
              "InvalidArgument");
    EXPECT_EQ(query_below(Operation::kGetObject, std::string{name} + "=3%2FL4kqt%2B.."),
              std::string{name} + "=3%2FL4kqt%2B..");
  }
  for (const std::string_view name :
       {"continuation-token", "version-id-marker", "upload-id-marker"}) {
    EXPECT_EQ(query_below(Operation::kListObjectsV2, std::string{name} + "=b%2F%252e%252e"),
              "InvalidArgument");
  }
  EXPECT_EQ(
      query_below(Operation::kListObjectsV2, "continuation-token=" + std::string(4096, 't')).size(),
      std::string_view{"continuation-token=&prefix=team-a%2F"}.size() + 4096);
  EXPECT_EQ(query_below(Operation::kListObjectsV2, "continuation-token=" + std::string(4097, 't')),
            "InvalidArgument");
}

TEST(KeyPrefixTest, OtherQueriesPassAsTheyAre) {
  EXPECT_EQ(query_below(Operation::kGetObject, "prefix=..&versionId=1"), "prefix=..&versionId=1");
  EXPECT_EQ(query_below(Operation::kUploadPart, "partNumber=1&uploadId=u"),
            "partNumber=1&uploadId=u");
}

TEST(KeyPrefixTest, WhatIsOfTheWholeBucketIsNotOfAPart) {
  std::string within;
  for (int i = 0; i <= static_cast<int>(Operation::kUnknown); ++i) {
    const auto operation = static_cast<Operation>(i);
    const OperationInfo about = info(operation);
    if (acts_within_prefix(operation) && about.level != Level::kObject) {
      within.append(about.name).append(" ");
    }
    if (!acts_within_prefix(operation) && about.level == Level::kObject) {
      within.append("not ").append(about.name).append(" ");
    }
  }
  EXPECT_EQ(within,
            "ListObjectsV2 DeleteObjects ListObjects HeadBucket ListMultipartUploads "
            "ListObjectVersions GetBucketLocation not GetObjectTorrent not RestoreObject "
            "GetBucketVersioning GetObjectLockConfiguration Preflight ");
}

}  // namespace
}  // namespace tercel::s3
