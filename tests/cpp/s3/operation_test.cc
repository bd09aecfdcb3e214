#include "tercel/s3/operation.h"

#include <algorithm>
#include <array>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "tercel/http/chars.h"

namespace tercel::s3 {
namespace {

constexpr std::array<http::Field, 1> kCopies{{{"x-amz-copy-source", "/other/key"}}};

// The operation's name, or "? " and what is not understood.
std::string match(std::string_view method, Level level, std::string_view query,
                  std::span<const http::Field> fields = {}) {
  const OperationMatch found =
      match_operation({.method = method, .level = level, .query = query, .fields = fields});
  if (found.operation == Operation::kUnknown) return "? " + std::string{found.unknown};
  EXPECT_EQ(found.unknown, "");
  return std::string{info(found.operation).name};
}

std::string of_object(std::string_view method, std::string_view query,
                      std::span<const http::Field> fields = {}) {
  return match(method, Level::kObject, query, fields);
}

std::string of_bucket(std::string_view method, std::string_view query) {
  return match(method, Level::kBucket, query);
}

TEST(OperationTest, ObjectsAreReadAndWritten) {
  EXPECT_EQ(of_object("GET", ""), "GetObject");
  EXPECT_EQ(of_object("GET", "versionId=3"), "GetObject");
  EXPECT_EQ(of_object("GET", "partNumber=2&response-content-type=text%2Fplain"), "GetObject");
  EXPECT_EQ(of_object("HEAD", "partNumber=2"), "HeadObject");
  EXPECT_EQ(of_object("PUT", ""), "PutObject");
  EXPECT_EQ(of_object("PUT", "", kCopies), "CopyObject");
  EXPECT_EQ(of_object("DELETE", "versionId=x"), "DeleteObject");
  EXPECT_EQ(of_object("GET", "acl&versionId=x"), "GetObjectAcl");
  EXPECT_EQ(of_object("PUT", "tagging="), "PutObjectTagging");
  EXPECT_EQ(of_object("DELETE", "tagging"), "DeleteObjectTagging");
  EXPECT_EQ(of_object("PUT", "legal-hold"), "PutObjectLegalHold");
  EXPECT_EQ(of_object("GET", "retention"), "GetObjectRetention");
  EXPECT_EQ(of_object("GET", "attributes&max-parts=5"), "GetObjectAttributes");
  EXPECT_EQ(of_object("GET", "torrent"), "GetObjectTorrent");
  EXPECT_EQ(of_object("POST", "restore&versionId=1"), "RestoreObject");
  EXPECT_EQ(of_object("POST", "select&select-type=2"), "SelectObjectContent");
}

TEST(OperationTest, UploadsOfManyParts) {
  EXPECT_EQ(of_object("POST", "uploads"), "CreateMultipartUpload");
  EXPECT_EQ(of_object("POST", "uploads="), "CreateMultipartUpload");
  EXPECT_EQ(of_object("PUT", "partNumber=1&uploadId=u"), "UploadPart");
  EXPECT_EQ(of_object("PUT", "uploadId=u&partNumber=1"), "UploadPart");
  EXPECT_EQ(of_object("PUT", "uploadId=u&partNumber=1", kCopies), "UploadPartCopy");
  EXPECT_EQ(of_object("POST", "uploadId=u"), "CompleteMultipartUpload");
  EXPECT_EQ(of_object("DELETE", "uploadId=u"), "AbortMultipartUpload");
  EXPECT_EQ(of_object("GET", "uploadId=u&max-parts=2&part-number-marker=1"), "ListParts");
  EXPECT_EQ(of_bucket("GET", "uploads&prefix=a&upload-id-marker=u"), "ListMultipartUploads");
}

TEST(OperationTest, BucketsAreListedAndSet) {
  EXPECT_EQ(match("GET", Level::kService, ""), "ListBuckets");
  EXPECT_EQ(match("GET", Level::kService, "max-buckets=2&prefix=a"), "ListBuckets");
  EXPECT_EQ(of_bucket("GET", ""), "ListObjects");
  EXPECT_EQ(of_bucket("GET", "prefix=a&delimiter=%2F&marker=b&encoding-type=url"), "ListObjects");
  EXPECT_EQ(of_bucket("GET", "list-type=2&continuation-token=a%3D"), "ListObjectsV2");
  EXPECT_EQ(of_bucket("GET", "versions&key-marker=a"), "ListObjectVersions");
  EXPECT_EQ(of_bucket("GET", "location"), "GetBucketLocation");
  EXPECT_EQ(of_bucket("HEAD", ""), "HeadBucket");
  EXPECT_EQ(of_bucket("PUT", ""), "CreateBucket");
  EXPECT_EQ(of_bucket("DELETE", ""), "DeleteBucket");
  EXPECT_EQ(of_bucket("POST", "delete"), "DeleteObjects");
  EXPECT_EQ(of_bucket("POST", ""), "PostObject");
  EXPECT_EQ(of_bucket("GET", "lifecycle"), "GetBucketLifecycleConfiguration");
  EXPECT_EQ(of_bucket("DELETE", "lifecycle"), "DeleteBucketLifecycle");
  EXPECT_EQ(of_bucket("GET", "policyStatus"), "GetBucketPolicyStatus");
  EXPECT_EQ(of_bucket("PUT", "object-lock"), "PutObjectLockConfiguration");
  EXPECT_EQ(of_bucket("DELETE", "publicAccessBlock"), "DeletePublicAccessBlock");
  EXPECT_EQ(of_bucket("GET", "inventory"), "ListBucketInventoryConfigurations");
  EXPECT_EQ(of_bucket("GET", "inventory&id=1"), "GetBucketInventoryConfiguration");
  EXPECT_EQ(of_bucket("OPTIONS", "anything"), "Preflight");
}

// A gateway elsewhere takes any query with the text "uploadId=" in it for an upload.
TEST(OperationTest, PastBug_APieceOfANameIsNoName) {
  EXPECT_EQ(of_object("PUT", "xuploadId=1"), "? xuploadId");
  EXPECT_EQ(of_object("PUT", "partNumber=1&xuploadId=1"), "? xuploadId");
  EXPECT_EQ(of_object("GET", "response-content-type=uploadId=1"), "GetObject");
  EXPECT_EQ(of_object("GET", "prefix=%26uploadId=1"), "GetObject");
  EXPECT_EQ(of_object("GET", "x-note=uploadId=1"), "GetObject");
}

TEST(OperationTest, NamesAreDecodedAsTheBackendDoes) {
  EXPECT_EQ(of_object("GET", "%61cl"), "GetObjectAcl");
  EXPECT_EQ(of_object("GET", "upload%49d=1"), "ListParts");
  EXPECT_EQ(of_bucket("GET", "%70%6F%6C%69%63%79"), "GetBucketPolicy");
  EXPECT_EQ(of_bucket("GET", "policy%00"), "? policy%00");
  EXPECT_EQ(of_bucket("GET", "policy+"), "? policy+");
  EXPECT_EQ(of_bucket("GET", "%zz"), "? %zz");
  EXPECT_EQ(of_bucket("GET", "POLICY"), "? POLICY");
  const std::string long_name(400, '%');
  EXPECT_EQ(of_bucket("GET", long_name), "? " + long_name);
}

TEST(OperationTest, WhatIsNotInTheTableIsUnknown) {
  EXPECT_EQ(of_object("GET", "renameObject"), "? renameObject");
  EXPECT_EQ(of_object("PUT", "append&position=1"), "? append");
  EXPECT_EQ(of_object("GET", "a=b"), "? a");
  EXPECT_EQ(of_object("GET", "=b"), "? ");
  EXPECT_EQ(of_object("GET", "policy"), "? policy");
  EXPECT_EQ(of_bucket("GET", "torrent"), "? torrent");
  EXPECT_EQ(of_bucket("GET", "uploadId=1"), "? uploadId");
  EXPECT_EQ(of_bucket("PUT", "location"), "? location");
  EXPECT_EQ(of_object("HEAD", "tagging"), "? tagging");
  EXPECT_EQ(of_object("POST", ""), "? POST");
  EXPECT_EQ(of_object("PATCH", ""), "? PATCH");
  EXPECT_EQ(of_object("get", ""), "? get");
  EXPECT_EQ(match("PUT", Level::kService, ""), "? PUT");
  EXPECT_EQ(match("GET", Level::kService, "acl"), "? acl");
}

TEST(OperationTest, WhatNoOperationHasTogetherIsUnknown) {
  EXPECT_EQ(of_object("GET", "acl&tagging"), "? acl");
  EXPECT_EQ(of_object("GET", "prefix=a&acl&tagging"), "? acl");
  EXPECT_EQ(of_object("PUT", "uploadId=u"), "? uploadId");
  EXPECT_EQ(of_object("PUT", "partNumber=1"), "? partNumber");
  EXPECT_EQ(of_object("PUT", "versionId=1"), "? versionId");
  EXPECT_EQ(of_object("DELETE", "uploadId=u&versionId=1"), "? uploadId");
  EXPECT_EQ(of_bucket("GET", "list-type=2&versions"), "? list-type");
  EXPECT_EQ(of_bucket("GET", "list-type=1"), "? list-type");
  EXPECT_EQ(of_bucket("GET", "list-type"), "? list-type");
}

// Of two, the backend may take the one that nobody judged.
TEST(OperationTest, ANameThatIsThereTwiceIsUnknown) {
  EXPECT_EQ(of_object("GET", "versionId=1&versionId=2"), "? versionId");
  EXPECT_EQ(of_object("GET", "versionId=1&version%49d=2"), "? version%49d");
  EXPECT_EQ(of_bucket("GET", "prefix=a&prefix=b"), "? prefix");
}

TEST(OperationTest, ASourceIsCopiedByTheHeaderFieldAlone) {
  EXPECT_EQ(of_object("PUT", "acl", kCopies), "? x-amz-copy-source");
  EXPECT_EQ(match("PUT", Level::kBucket, "", kCopies), "? x-amz-copy-source");
  EXPECT_EQ(of_object("GET", "", kCopies), "GetObject");
  EXPECT_EQ(of_object("PUT", "x-amz-copy-source=%2Fa%2Fb"), "? x-amz-copy-source");
  EXPECT_EQ(of_object("PUT", "X-Amz-Copy-Source-Range=1"), "? X-Amz-Copy-Source-Range");
  EXPECT_EQ(of_object("PUT", "x%2Damz-copy-source=a"), "? x%2Damz-copy-source");
}

TEST(OperationTest, PresignedAndPrivateNamesChangeNothing) {
  EXPECT_EQ(of_object("GET", "X-Amz-Algorithm=a&X-Amz-Expires=1&X-Amz-Signature=b&x-id=GetObject"),
            "GetObject");
  EXPECT_EQ(of_object("PUT", "x-amz-acl=private&X-Amz-Date=1&partNumber=1&uploadId=2"),
            "UploadPart");
  EXPECT_EQ(of_object("GET", "&&acl&"), "GetObjectAcl");
}

// Found by gateway_fuzz.cc: written in its canonical form, a name was another one.
TEST(OperationTest, PastBug_ALongNameThatMeansNothingDoesSoInEveryEncoding) {
  for (const std::string_view piece : {"@", "%40", "a%40", "ab%40"}) {
    std::string query = "x-amz-";
    while (query.size() < 300) query += piece;
    EXPECT_EQ(match_operation({.method = "GET", .level = Level::kObject, .query = query}).operation,
              Operation::kGetObject)
        << piece;
    const std::string source = "x-amz-copy-source" + query;
    EXPECT_EQ(
        match_operation({.method = "GET", .level = Level::kObject, .query = source}).operation,
        Operation::kUnknown);
    const std::string other = "q" + query;
    EXPECT_EQ(match_operation({.method = "GET", .level = Level::kObject, .query = other}).operation,
              Operation::kUnknown);
  }
}

TEST(OperationTest, EachSaysWhatItDoes) {
  const auto access = [](Operation operation) { return info(operation).access; };
  EXPECT_EQ(access(Operation::kGetObject), Access::kRead);
  EXPECT_EQ(access(Operation::kGetBucketPolicy), Access::kRead);
  EXPECT_EQ(access(Operation::kHeadBucket), Access::kList);
  EXPECT_EQ(access(Operation::kListParts), Access::kList);
  EXPECT_EQ(access(Operation::kDeleteObjects), Access::kWrite);
  EXPECT_EQ(access(Operation::kUnknown), Access::kWrite);
  EXPECT_EQ(info(Operation::kUnknown).name, "Unknown");

  std::set<std::string_view> names;
  std::vector<std::string_view> streaming;
  std::vector<std::string_view> copying;
  for (int i = 0; i < static_cast<int>(Operation::kUnknown); ++i) {
    const OperationInfo row = info(static_cast<Operation>(i));
    EXPECT_TRUE(names.insert(row.name).second) << row.name;
    if (row.streams_payload) streaming.push_back(row.name);
    if (row.copies) copying.push_back(row.name);
    const bool gets = row.name.starts_with("Get") || row.name.starts_with("HeadObject");
    if (gets) {
      EXPECT_EQ(row.access, Access::kRead) << row.name;
    }
    if (row.name.starts_with("Put") || row.name.starts_with("Delete")) {
      EXPECT_EQ(row.access, Access::kWrite) << row.name;
    }
  }
  EXPECT_EQ(streaming, (std::vector<std::string_view>{"PutObject", "UploadPart"}));
  EXPECT_EQ(copying, (std::vector<std::string_view>{"CopyObject", "UploadPartCopy"}));
}

// Of the rows, by level and method.
TEST(OperationTest, AllowedMethodsAreThoseOfTheTable) {
  struct Row {
    Level level;
    std::string_view method;
  };
  std::vector<Row> rows;
#define TERCEL_ROW(name, method, level, ...) \
  rows.push_back({Level::level, std::string_view(#method).substr(1)});
  TERCEL_S3_OPERATIONS(TERCEL_ROW)
#undef TERCEL_ROW
  for (const Level level : {Level::kService, Level::kBucket, Level::kObject}) {
    std::string all;
    for (const auto& [method, name] : {std::pair{"GET", "get"},
                                       {"HEAD", "head"},
                                       {"PUT", "put"},
                                       {"POST", "post"},
                                       {"DELETE", "delete"}}) {
      const bool has = std::any_of(rows.begin(), rows.end(), [&](const Row& row) {
        return row.level == level && http::equals_ignoring_case(row.method, name);
      });
      if (has) all.append(method).append(", ");
    }
    EXPECT_EQ(allowed_methods(level), all + "OPTIONS");
  }
}

TEST(OperationTest, TheMethodIsToBlameWhereNoNameIs) {
  const auto blames = [](std::string_view method, Level level, std::string_view query = {}) {
    const OperationMatch found =
        match_operation({.method = method, .level = level, .query = query});
    EXPECT_EQ(found.operation, Operation::kUnknown);
    return found.blames_method;
  };
  EXPECT_TRUE(blames("PATCH", Level::kObject));
  EXPECT_TRUE(blames("get", Level::kObject));
  EXPECT_TRUE(blames("POST", Level::kObject));
  EXPECT_TRUE(blames("PUT", Level::kService));
  EXPECT_FALSE(blames("GET", Level::kObject, "GET"));
  EXPECT_FALSE(blames("POST", Level::kObject, "acl"));
}

}  // namespace
}  // namespace tercel::s3
