// The canonical request: what of a request is signed, in the one form that both sides write.
//
//   CanonicalRequest canonical{.method = request.method, .path = request.path, .query = &query,
//                              .fields = request.fields, .signed_headers = claim.signed_headers,
//                              .payload_hash = claim.payload_hash};
//   const std::optional<Sha256Digest> digest = canonical_digest(canonical);
//
// Hashed as it is written, in one pass and without an allocation; canonical_text() is for people
// who look for a difference. Not done here: whether what must be signed is, which authorization.h
// checks. Source: AWS, "Create a signed AWS API request", step 1, with the rules for S3: the path
// is encoded once and not normalised. Tested by canonical_request_test.cc and vectors_test.cc,
// fuzzed by sigv4_fuzz.cc.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "tercel/http/message.h"
#include "tercel/s3/query.h"
#include "tercel/s3/sha256.h"

namespace tercel::s3 {

// Views of the caller's.
struct CanonicalRequest {
  std::string_view method;
  std::string_view path;  // Percent-encoded, as received; empty is "/".
  const Query* query;     // Not null. X-Amz-Signature, if it has one, is left out.
  // Names in lower case. A name that comes twice gives one line, values in this order.
  std::span<const http::Field> fields;
  // Names in lower case, sorted, none twice, with ';' between them.
  std::string_view signed_headers;
  std::string_view payload_hash;  // The text of x-amz-content-sha256.
};

// Nothing: a signed header is not among the fields, or a '%' of the path has no two digits behind
// it. A field that is there and empty is another thing than one that is not there.
[[nodiscard]] std::optional<Sha256Digest> canonical_digest(
    const CanonicalRequest& request) noexcept;

// What is hashed. Allocates.
[[nodiscard]] std::optional<std::string> canonical_text(const CanonicalRequest& request);

// Appends the canonical form of a path: what is sent on, so that what was signed is what the next
// server reads. REQUIRES: valid_percent_encoding(path).
void write_canonical_path(std::string_view path, std::string& out);

}  // namespace tercel::s3
