// Presigned requests: the claim stands in the query (authorization.h).
#include <array>
#include <cstddef>
#include <utility>

#include "tercel/base/parse_number.h"
#include "tercel/s3/claim_parts.h"

namespace tercel::s3 {
namespace {

using std::chrono::seconds;

constexpr std::string_view kRequired =
    "Query-string authentication version 4 requires the X-Amz-Algorithm, X-Amz-Credential, "
    "X-Amz-Signature, X-Amz-Date, X-Amz-SignedHeaders, and X-Amz-Expires parameters.";

enum Name : std::size_t {
  kAlgorithmName,
  kCredential,
  kDate,
  kExpires,
  kSignedHeaders,
  kSignature,
  kOptional,  // The first that need not be there.
  kToken = kOptional,
  kPayload,
  kNames
};
constexpr std::array<std::string_view, kNames> kText = {
    "X-Amz-Algorithm",     "X-Amz-Credential", "X-Amz-Date",           "X-Amz-Expires",
    "X-Amz-SignedHeaders", "X-Amz-Signature",  "X-Amz-Security-Token", "X-Amz-Content-Sha256"};

struct Value {
  std::string_view text = {};
  bool found = false;
};
using Values = std::array<Value, kNames>;

std::string_view decode(std::string_view text, std::span<char>& scratch) noexcept {
  std::size_t size = 0;
  while (!text.empty()) scratch[size++] = take_decoded(text, Part::kQuery);
  const std::string_view decoded{scratch.data(), size};
  scratch = scratch.subspan(size);
  return decoded;
}

// False: one is there twice.
bool find_values(const Query& query, std::span<char> scratch, Values& values) noexcept {
  for (const QueryPart& part : query.parts()) {
    for (std::size_t name = 0; name < kNames; ++name) {
      if (!part.is(kText[name])) continue;
      if (values[name].found) return false;
      values[name] = {decode(part.value, scratch), true};
      break;
    }
  }
  return true;
}

std::optional<Refusal> read_lifetime(const Values& values, Claim& claim) noexcept {
  const auto signed_at = parse_amz_date(values[kDate].text);
  if (!signed_at) {
    return malformed(claim.mechanism, "X-Amz-Date must be in the ISO8601 form YYYYMMDDTHHMMSSZ");
  }
  claim.signed_at = *signed_at;
  claim.timestamp = to_amz_date(*signed_at);
  std::string_view digits = values[kExpires].text;
  const bool negative = digits.starts_with('-');
  if (negative) digits.remove_prefix(1);
  const bool number = !digits.empty() && digits.find_first_not_of("0123456789") == digits.npos;
  if (!number) return malformed(claim.mechanism, "X-Amz-Expires should be a number");
  if (negative) return malformed(claim.mechanism, "X-Amz-Expires must be non-negative");
  const auto expires = parse_decimal(digits, static_cast<std::uint64_t>(kExpiresMax.count()));
  if (!expires) {
    return malformed(claim.mechanism,
                     "X-Amz-Expires must be less than a week (in seconds); that is, the given "
                     "X-Amz-Expires must be less than 604800 seconds");
  }
  claim.expires = seconds{static_cast<seconds::rep>(*expires)};
  return std::nullopt;
}

std::optional<Refusal> check_lifetime(const Values& values, const ClaimRules& rules,
                                      const Claim& claim) noexcept {
  const seconds end = claim.signed_at + claim.expires;
  const bool early = claim.signed_at > rules.now + kClockSkewMax;
  if (!early && rules.now <= end) return std::nullopt;
  const IsoDate expires = to_iso_date(end);
  const IsoDate server = to_iso_date(rules.now);
  Refusal refusal{ErrorCode::kAccessDenied,
                  early ? "Request is not valid yet." : "Request has expired."};
  refusal.with("X-Amz-Expires", values[kExpires].text);
  refusal.with("Expires", {expires.data(), expires.size()});
  return refusal.with("ServerTime", {server.data(), server.size()});
}

// The body is not signed, unless a digest of it is, in the query or in a header.
std::optional<Refusal> read_body(const Values& values, const http::Request& request,
                                 Claim& claim) noexcept {
  std::string_view header;
  const int headers = count_fields(request.fields, "x-amz-content-sha256", header);
  if (headers > 1 || (headers == 1 && values[kPayload].found && header != values[kPayload].text)) {
    return Refusal{ErrorCode::kInvalidArgument, "x-amz-content-sha256 must be there once only"};
  }
  if (headers == 1) return read_payload(header, request, claim);
  return read_payload(values[kPayload].found ? values[kPayload].text : "UNSIGNED-PAYLOAD", request,
                      claim);
}

}  // namespace

std::optional<Refusal> read_presigned(const http::Request& request, const Query& query,
                                      const ClaimRules& rules, std::span<char> scratch,
                                      Claim& claim) noexcept {
  claim.mechanism = Mechanism::kPresigned;
  Values values;
  bool complete = find_values(query, scratch, values);
  for (std::size_t name = 0; name < kOptional; ++name) complete = complete && values[name].found;
  if (!complete) return malformed(claim.mechanism, kRequired);
  if (values[kAlgorithmName].text == kAlgorithmOfV4a) {
    return malformed(claim.mechanism, "X-Amz-Algorithm only supports \"AWS4-HMAC-SHA256\"");
  }
  if (values[kAlgorithmName].text != kAlgorithm) {
    return malformed(claim.mechanism,
                     "X-Amz-Algorithm only supports \"AWS4-HMAC-SHA256 and "
                     "AWS4-ECDSA-P256-SHA256\"");
  }
  if (auto refusal = read_lifetime(values, claim)) return refusal;
  if (auto refusal = read_credential(values[kCredential].text, rules, claim)) return refusal;
  if (auto refusal = read_signature(values[kSignature].text, claim)) return refusal;
  if (auto refusal = check_lifetime(values, rules, claim)) return refusal;
  if (auto refusal = read_signed_headers(values[kSignedHeaders].text, request, claim)) {
    return refusal;
  }
  if (http::find_field(request.fields, "x-amz-security-token") != nullptr) {
    return Refusal{ErrorCode::kInvalidArgument,
                   "The security token of a presigned URL must be X-Amz-Security-Token in the "
                   "query"};
  }
  claim.session_token = values[kToken].text;
  return read_body(values, request, claim);
}

}  // namespace tercel::s3
