// Which operation of S3 a request asks for: AWS's name for it, and what it does.
//
//   const OperationMatch match = match_operation({.method = request.method, .level =
//   Level::kObject,
//                                                 .query = request.query, .fields =
//                                                 request.fields});
//   if (match.operation == Operation::kUnknown) ...      // Deny, and log match.unknown.
//   info(match.operation).name                           // "UploadPart"
//
// What is asked for is said by the method, by whether a bucket and a key are named, by the names of
// the query, and by x-amz-copy-source. Names of the query are cut at '&' and '=' and decoded once,
// as the backend does; never found as a piece of text: "?xuploadId=1" is no multipart upload.
// An operation is known only when everything that could change it is: a name that is not in the
// table, two subresources that no operation has together, a name that is there twice (of which the
// backend may take the other one), a copy source where nothing is copied, all are kUnknown. Names
// that begin with "x-" are for the client's own logs and mean nothing to S3; "x-amz-" are headers
// of a presigned URL: those that name a source to copy are not taken from there. Values; nothing is
// allocated. Cost: linear in query, and for PUT in fields. Source: the API reference of Amazon S3,
// "Actions". Tested by operation_test.cc.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "tercel/http/message.h"
#include "tercel/s3/operation_rows.h"

namespace tercel::s3 {

// What a request names: nothing, a bucket, or a key in it.
enum class Level : std::uint8_t { kService, kBucket, kObject };

// What IAM calls the access level of an action. kWrite has deletes, settings and rights among it.
enum class Access : std::uint8_t { kRead, kWrite, kList };

#define TERCEL_NAME(name, ...) name,
enum class Operation : std::uint8_t { TERCEL_S3_OPERATIONS(TERCEL_NAME) kUnknown };
#undef TERCEL_NAME

struct OperationInfo {
  std::string_view name;  // "PutObject"; of kUnknown "Unknown".
  Level level;
  Access access;  // Of kUnknown kWrite.
  // The body may be aws-chunked.
  bool streams_payload;
  // Another object is read, which x-amz-copy-source names.
  bool copies;
};

[[nodiscard]] OperationInfo info(Operation operation) noexcept;

struct OperationRequest {
  std::string_view method;
  Level level = Level::kService;
  std::string_view query;  // As it was received, percent-encoded.
  std::span<const http::Field> fields = {};
};

struct OperationMatch {
  Operation operation = Operation::kUnknown;
  // Of kUnknown: a name of the query as it was received, "x-amz-copy-source", or the method where
  // no name is to blame. Valid as long as the request is.
  std::string_view unknown;
  bool blames_method = false;
};

// Those with which something can be asked for at a level, as the field Allow has them.
[[nodiscard]] std::string_view allowed_methods(Level level) noexcept;

[[nodiscard]] OperationMatch match_operation(const OperationRequest& request) noexcept;

}  // namespace tercel::s3
