// Makes the query of a presigned URL: whoever has it may do this one request until it expires.
//
//   std::string target = path + '?';
//   if (auto error = write_presigned_query(request, target)) ...
//
// The query is a secret as long as it is valid: do not log it. Not on the path of a request, so it
// allocates. Source: AWS, "Authenticating Requests: Using Query Parameters (AWS Signature Version
// 4)". Tested by presign_test.cc.
#pragma once

#include <chrono>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "tercel/http/message.h"
#include "tercel/s3/error.h"
#include "tercel/s3/sign_request.h"

namespace tercel::s3 {

// Views of the caller's.
struct PresignRequest {
  std::string_view method;
  std::string_view path;        // Percent-encoded.
  std::string_view query = {};  // What else is asked for, percent-encoded: "versionId=1".
  std::string_view host;
  // Header fields that the request must have, with these values: names in lower case, other than
  // host. With x-amz-content-sha256 its value is what is signed of the body, without it nothing is.
  std::span<const http::Field> fields = {};
  Identity identity;
  std::chrono::seconds expires{3600};  // 1 second to a week.
};

// Appends the query, without '?'. kInvalidURI: path or query is not percent-encoded, or has a
// parameter of authentication. kInvalidArgument: `expires` is out of range, or a field repeats.
// kRequestHeaderSectionTooLarge: more parameters than kQueryPairsMax. Then nothing is appended.
[[nodiscard]] std::optional<ErrorCode> write_presigned_query(const PresignRequest& request,
                                                             std::string& out);

}  // namespace tercel::s3
