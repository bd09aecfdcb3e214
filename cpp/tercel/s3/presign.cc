#include "tercel/s3/presign.h"

#include <algorithm>
#include <vector>

#include "tercel/s3/amz_date.h"
#include "tercel/s3/authorization.h"
#include "tercel/s3/canonical_request.h"

namespace tercel::s3 {
namespace {

// Appends "&NAME=VALUE", the value encoded. `value` is text, not percent-encoded.
void add(std::string_view name, std::string_view value, std::string& query) {
  if (!query.empty()) query += '&';
  query.append(name) += '=';
  for (const char c : value) {
    if (kUnreserved.has(c)) {
      query += c;
    } else {
      query.append(Escape{c}.text, 3);
    }
  }
}

// Names of the fields, with ';' between them; nothing: one is there twice.
std::optional<std::string> join(const std::vector<http::Field>& sorted) {
  std::string names;
  std::string_view previous;
  for (const http::Field& field : sorted) {
    if (field.name == previous) return std::nullopt;
    if (!names.empty()) names += ';';
    names += previous = field.name;
  }
  return names;
}

// What is signed of the body, as who verifies takes it (presigned.cc).
std::string_view payload_of(std::span<const http::Field> fields) noexcept {
  const http::Field* const field = http::find_field(fields, "x-amz-content-sha256");
  return field == nullptr ? "UNSIGNED-PAYLOAD" : field->value;
}

std::string credential(const Identity& identity, const Stamp& stamp) {
  std::string text{identity.access_key};
  text.append("/").append(stamp.date()).append("/").append(stamp.region);
  return text.append("/s3/aws4_request");
}

}  // namespace

std::optional<ErrorCode> write_presigned_query(const PresignRequest& request, std::string& out) {
  if (request.expires < std::chrono::seconds{1} || request.expires > kExpiresMax) {
    return ErrorCode::kInvalidArgument;
  }
  std::vector<http::Field> fields{request.fields.begin(), request.fields.end()};
  fields.push_back({"host", request.host});
  std::sort(fields.begin(), fields.end(),
            [](const http::Field& a, const http::Field& b) { return a.name < b.name; });
  const auto signed_headers = join(fields);
  if (!signed_headers) return ErrorCode::kInvalidArgument;

  Query query;
  if (const auto error = query.parse(request.query)) return error;
  std::string asked;
  query.write_canonical(Query::Without::kNothing, asked);
  std::string others;
  query.write_canonical(Query::Without::kAuthentication, others);
  // Of a parameter that is there twice, who verifies may take the other.
  if (asked != others) return ErrorCode::kInvalidURI;

  const Identity& identity = request.identity;
  const Stamp stamp{{identity.time.data(), identity.time.size()}, identity.region};
  add("X-Amz-Algorithm", kAlgorithm, asked);
  add("X-Amz-Credential", credential(identity, stamp), asked);
  add("X-Amz-Date", stamp.timestamp, asked);
  add("X-Amz-Expires", std::to_string(request.expires.count()), asked);
  add("X-Amz-SignedHeaders", *signed_headers, asked);
  if (!identity.session_token.empty()) add("X-Amz-Security-Token", identity.session_token, asked);

  if (const auto error = query.parse(asked)) return error;
  const auto digest = canonical_digest(
      {request.method, request.path, &query, fields, *signed_headers, payload_of(fields)});
  if (!digest) return ErrorCode::kInvalidURI;
  query.write_canonical(Query::Without::kNothing, out);
  const HexDigest signature = sign(*identity.key, stamp, *digest);
  out.append("&X-Amz-Signature=").append(view(signature));
  return std::nullopt;
}

}  // namespace tercel::s3
