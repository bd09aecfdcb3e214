#include "tercel/s3/authorization.h"

#include <algorithm>

#include "tercel/base/assert.h"
#include "tercel/http/chars.h"
#include "tercel/http/date.h"
#include "tercel/s3/claim_parts.h"

namespace tercel::s3 {
namespace {

using std::chrono::seconds;

constexpr std::string_view kOneMechanism =
    "Only one auth mechanism allowed; only the X-Amz-Algorithm query parameter, Signature query "
    "string parameter or the Authorization header should be specified";
constexpr std::string_view kMaxSkewMs = "900000";
static_assert(kClockSkewMax == std::chrono::milliseconds{900'000});

// When the request was signed, by x-amz-date, or by Date.
std::optional<Refusal> read_time(const http::Request& request, const ClaimRules& rules,
                                 Claim& claim) noexcept {
  std::string_view value;
  std::optional<seconds> time;
  std::string_view said;
  switch (count_fields(request.fields, "x-amz-date", value)) {
    case 0:
      if (count_fields(request.fields, "date", said) == 1) {
        time = http::parse_http_date(said, rules.now);
      }
      break;
    case 1:
      said = value;
      time = parse_amz_date(value);
      break;
    default:
      break;
  }
  if (!time) {
    return Refusal{ErrorCode::kAccessDenied,
                   "AWS authentication requires a valid Date or x-amz-date header."};
  }
  claim.signed_at = *time;
  if (said.size() == claim.timestamp.size()) {  // It is in that form: no other one is as short.
    std::ranges::copy(said, claim.timestamp.begin());
  } else {
    claim.timestamp = to_amz_date(*time);
  }
  if (*time >= rules.now - kClockSkewMax && *time <= rules.now + kClockSkewMax) return std::nullopt;
  const IsoDate server = to_iso_date(rules.now);
  Refusal refusal{ErrorCode::kRequestTimeTooSkewed};
  refusal.with("RequestTime", said).with("ServerTime", {server.data(), server.size()});
  return refusal.with("MaxAllowedSkewMilliseconds", kMaxSkewMs);
}

// The components that there must be, in this order, with the commas between them.
struct Components {
  std::string_view credential;
  std::string_view signed_headers;
  std::string_view signature;
};

std::optional<Refusal> split_components(std::string_view text, Mechanism mechanism,
                                        Components& components) noexcept {
  struct Row {
    std::string_view name;
    std::string_view missing;
    std::string_view& value;
  };
  const Row rows[] = {
      {"Credential=", "missing Credential.", components.credential},
      {"SignedHeaders=", "missing SignedHeaders.", components.signed_headers},
      {"Signature=", "missing Signature.", components.signature},
  };
  if (std::count(text.begin(), text.end(), ',') != std::ssize(rows) - 1) {
    return malformed(mechanism,
                     "the authorization header requires three components: Credential, "
                     "SignedHeaders, and Signature.");
  }
  for (const Row& row : rows) {
    const std::string_view component = http::next_element(text);
    if (component.find('=') == std::string_view::npos) {
      return malformed_credential(mechanism, "the authorization component \"", component,
                                  "\" is malformed.");
    }
    if (!component.starts_with(row.name)) return malformed(mechanism, row.missing);
    row.value = component.substr(row.name.size());
  }
  return std::nullopt;
}

std::optional<Refusal> read_components(std::string_view text, const http::Request& request,
                                       const ClaimRules& rules, Claim& claim) noexcept {
  Components components;
  if (auto refusal = split_components(text, claim.mechanism, components)) return refusal;
  auto skewed = read_time(request, rules, claim);
  if (skewed && skewed->code() != ErrorCode::kRequestTimeTooSkewed) return skewed;
  if (auto refusal = read_credential(components.credential, rules, claim)) return refusal;
  if (auto refusal = read_signature(components.signature, claim)) return refusal;
  // What is malformed stays so; a clock can be set.
  if (skewed) return skewed;
  return read_signed_headers(components.signed_headers, request, claim);
}

std::optional<Refusal> read_header(std::string_view value, const http::Request& request,
                                   const ClaimRules& rules, Claim& claim) noexcept {
  claim.mechanism = Mechanism::kHeader;
  const auto end =
      static_cast<std::size_t>(std::ranges::find_if(value, http::is_blank) - value.begin());
  const std::string_view scheme = value.substr(0, end);
  if (scheme == kAlgorithmOfV4a) return not_implemented();
  if (scheme == "AWS") return unsupported_version();
  if (scheme != kAlgorithm) {
    const bool is_one_word = end == value.size();
    Refusal refusal{ErrorCode::kInvalidArgument,
                    is_one_word ? "Authorization header is invalid -- one and only one ' ' (space) "
                                  "required."
                                : "Unsupported Authorization Type"};
    return refusal.with("ArgumentName", "Authorization").with("ArgumentValue", scheme);
  }
  auto refusal = read_components(http::trim_blanks(value.substr(end)), request, rules, claim);
  if (refusal) return refusal;

  std::string_view payload;
  switch (count_fields(request.fields, "x-amz-content-sha256", payload)) {
    case 1:
      break;
    case 0:
      return Refusal{ErrorCode::kInvalidRequest,
                     "Missing required header for this request: x-amz-content-sha256"};
    default:
      return Refusal{ErrorCode::kInvalidArgument, "x-amz-content-sha256 must be there once only"};
  }
  if (count_fields(request.fields, "x-amz-security-token", claim.session_token) > 1) {
    return Refusal{ErrorCode::kInvalidArgument, "x-amz-security-token must be there once only"};
  }
  return read_payload(payload, request, claim);
}

}  // namespace

std::optional<Refusal> read_claim(const http::Request& request, const Query& query,
                                  const ClaimRules& rules, std::span<char> scratch,
                                  Claim& claim) noexcept {
  TERCEL_ASSERT(scratch.size() >= request.query.size());
  claim = {};
  std::string_view authorization;
  const int headers = count_fields(request.fields, "authorization", authorization);
  bool presigned = false;
  bool version_2 = false;
  for (const QueryPart& part : query.parts()) {
    presigned |=
        part.is("X-Amz-Algorithm") || part.is("X-Amz-Signature") || part.is("X-Amz-Credential");
    version_2 |= part.is("Signature") || part.is("AWSAccessKeyId");
  }
  if (headers + int{presigned} + int{version_2} > 1) {
    return Refusal{ErrorCode::kInvalidArgument, kOneMechanism};
  }
  if (version_2) return unsupported_version();
  if (presigned) return read_presigned(request, query, rules, scratch, claim);
  if (headers == 1) return read_header(authorization, request, rules, claim);

  std::string_view payload;
  if (http::find_field(request.fields, "x-amz-content-sha256") == nullptr) return std::nullopt;
  if (count_fields(request.fields, "x-amz-content-sha256", payload) > 1) {
    return Refusal{ErrorCode::kInvalidArgument, "x-amz-content-sha256 must be there once only"};
  }
  return read_payload(payload, request, claim);
}

}  // namespace tercel::s3
