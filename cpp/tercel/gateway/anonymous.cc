#include "tercel/gateway/anonymous.h"

#include <algorithm>
#include <string_view>

#include "tercel/gateway/arrival.h"
#include "tercel/gateway/config.h"
#include "tercel/http/chars.h"
#include "tercel/s3/uri_encoding.h"

namespace tercel::gateway {
namespace {

using s3::ErrorCode;
using s3::Operation;
using s3::Refusal;

// `lower` is in lower case, `encoded` as it was received.
bool begins_ignoring_case(std::string_view encoded, std::string_view lower) noexcept {
  for (const char c : lower) {
    if (encoded.empty() || http::to_lower(s3::take_decoded(encoded, s3::Part::kQuery)) != c) {
      return false;
    }
  }
  return true;
}

std::optional<Refusal> refuse_query(const s3::Query& query) noexcept {
  for (const s3::QueryPart& part : query.parts()) {
    // What is of a signature, and what a backend reads as a field of the head.
    if (begins_ignoring_case(part.name, "x-amz-") || part.is("versionId")) {
      return Refusal{ErrorCode::kAccessDenied};
    }
    if (begins_ignoring_case(part.name, "response-")) {
      return Refusal{
          ErrorCode::kInvalidRequest,
          "Request specific response headers cannot be used for anonymous GET requests."};
    }
  }
  return std::nullopt;
}

bool has_field_of_others(const http::Request& request) noexcept {
  constexpr std::string_view kOfOthers[] = {"x-amz-request-payer", "x-amz-security-token"};
  return std::ranges::any_of(request.fields, [&](const http::Field& field) {
    return std::ranges::find(kOfOthers, field.name) != std::end(kOfOthers);
  });
}

bool allows(const Config& config, std::string_view bucket, Operation operation) noexcept {
  const Backend* const backend = config.buckets.find(bucket);
  return backend != nullptr && backend->anonymous.has(operation);
}

}  // namespace

bool AnonymousOperations::can_be(Operation operation) noexcept {
  switch (operation) {
    case Operation::kHeadBucket:
    case Operation::kListMultipartUploads:
    case Operation::kListObjects:
    case Operation::kListObjectsV2:
    case Operation::kListObjectVersions:
      return true;
    default:
      return info(operation).level == s3::Level::kObject;
  }
}

std::optional<Refusal> refuse_anonymous(const http::Request& request, const Arrival& arrival,
                                        const Config& config) noexcept {
  // A bucket that there is not is not told from one that is closed.
  if (!allows(config, arrival.resource.bucket, arrival.operation.operation)) {
    return Refusal{ErrorCode::kAccessDenied};
  }
  if (arrival.copies && (!allows(config, arrival.source.bucket, Operation::kGetObject) ||
                         !arrival.source.version_id.empty())) {
    return Refusal{ErrorCode::kAccessDenied};
  }
  if (has_field_of_others(request)) return Refusal{ErrorCode::kAccessDenied};
  return refuse_query(arrival.query);
}

}  // namespace tercel::gateway
