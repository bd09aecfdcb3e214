#include <array>
#include <span>
#include <string_view>

#include "tercel/gateway/visit.h"
#include "tercel/s3/resource.h"

namespace tercel::gateway {
namespace {

using s3::ErrorCode;
using s3::Refusal;

constexpr std::string_view kNotEnabled = "CORSResponse: CORS is not enabled for this bucket.";
constexpr std::string_view kNotAllowed =
    "CORSResponse: No CORS rule of this bucket allows this origin with this method and these "
    "header fields.";

}  // namespace

// Before anything can be refused: a page may read why it was.
bool Visit::look_at_origin(const http::Request& request) noexcept {
  if (!config_->buckets.any_cors()) return true;
  const std::span<const edge::CorsPolicy> rules = cors_rules(request);
  if (cors_.read(request, rules)) return true;
  note(request, Read::kNot);
  refuse(ErrorCode::kSlowDown);
  return false;
}

// A request that names no bucket has those of the default, as a list of buckets.
std::span<const edge::CorsPolicy> Visit::cors_rules(const http::Request& request) noexcept {
  const std::span<char> scratch = station_.scratch(s3::kResourceMemoryBytes);
  if (scratch.empty()) return {};
  s3::Resource resource;
  if (s3::read_resource(request.authority, request.path, config_->domain_views, scratch,
                        resource)) {
    return {};
  }
  const Backend* const backend = config_->buckets.find(resource.bucket);
  return backend != nullptr ? std::span<const edge::CorsPolicy>{backend->cors}
                            : std::span<const edge::CorsPolicy>{};
}

void Visit::answer_preflight(const http::Request& request) noexcept {
  operation_ = s3::Operation::kPreflight;
  note(request, Read::kNot);
  if (!edge::CorsPolicy::is_preflight(request)) {
    station_.counts.add(Counts::refused);
    return refuse(
        Refusal{ErrorCode::kBadRequest,
                "Insufficient information. Origin and Access-Control-Request-Method needed."});
  }
  const std::span<const edge::CorsPolicy> rules = cors_rules(request);
  const edge::CorsPolicy* const rule = CrossOrigin::granted(request, rules);
  if (rule == nullptr) {
    station_.counts.add(Counts::refused);
    const http::Field* const method =
        http::find_field(request.fields, "access-control-request-method");
    return refuse(
        Refusal{ErrorCode::kAccessForbidden, rules.empty() ? kNotEnabled : kNotAllowed}.with(
            "Method", method->value));
  }
  station_.counts.add(Counts::answered_here);
  std::array<http::Field, edge::CorsPolicy::kPreflightFieldsMax> room;
  std::array<http::Field, edge::CorsPolicy::kPreflightFieldsMax + 2> fields;
  std::size_t count = 0;
  for (const http::Field& field : rule->preflight_fields(request, room)) fields[count++] = field;
  fields[count++] = {"x-amz-request-id", own_request_id()};
  fields[count++] = {"content-length", "0"};
  answered_ = true;
  const auto used = std::span{fields}.first(count);
  if (auto started = exchange_.start({.status = 200, .fields = used}); !started) {
    return exchange_.abort(started.error());
  }
  // Nobody is left to be told when it fails.
  static_cast<void>(exchange_.write({}, http::Final::kYes));
}

}  // namespace tercel::gateway
