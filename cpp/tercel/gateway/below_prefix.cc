#include "tercel/gateway/below_prefix.h"

#include "tercel/s3/key_prefix.h"
#include "tercel/s3/uri_encoding.h"

namespace tercel::gateway {
namespace {

s3::Refusal because_of_key(s3::ErrorCode error) noexcept {
  if (error != s3::ErrorCode::kInvalidArgument) return s3::Refusal{error};
  return {error, "A key of this bucket must not have \"..\" between slashes, nor a NUL byte"};
}

}  // namespace

std::optional<s3::Refusal> refuse_below_prefix(const Arrival& arrival, const Backend& backend,
                                               const Backend* source) noexcept {
  if (!backend.prefix.empty()) {
    if (!s3::acts_within_prefix(arrival.operation.operation)) {
      return s3::Refusal{s3::ErrorCode::kAccessDenied,
                         "This bucket is a part of another one, of which this would be"};
    }
    if (const auto error = s3::check_key_below(backend.prefix, arrival.resource.key)) {
      return because_of_key(*error);
    }
  }
  if (source != nullptr && !source->prefix.empty()) {
    if (const auto error = s3::check_key_below(source->prefix, arrival.source.key)) {
      return because_of_key(*error);
    }
    if (s3::climbs_out(arrival.source.version_id)) {
      return s3::Refusal{s3::ErrorCode::kInvalidArgument};
    }
  }
  return std::nullopt;
}

bool encodes_keys(const Arrival& arrival) noexcept {
  if (!s3::lists_keys(arrival.operation.operation)) return false;
  const s3::QueryPart* const part = arrival.query.find("encoding-type");
  return part != nullptr && s3::decodes_to(part->value, "url", s3::Part::kQuery);
}

}  // namespace tercel::gateway
