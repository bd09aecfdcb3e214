#include "tercel/s3/claim_parts.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "tercel/http/chars.h"

namespace tercel::s3 {
namespace {

struct PayloadText {
  std::string_view text;
  Payload payload;
};
constexpr PayloadText kPayloads[] = {
    {"UNSIGNED-PAYLOAD", Payload::kUnsigned},
    {"STREAMING-AWS4-HMAC-SHA256-PAYLOAD", Payload::kChunks},
    {"STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER", Payload::kChunksAndTrailer},
    {"STREAMING-UNSIGNED-PAYLOAD-TRAILER", Payload::kUnsignedWithTrailer},
};
constexpr std::string_view kPayloadsOfV4a[] = {
    "STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD",
    "STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD-TRAILER",
};

constexpr std::string_view kBadPayload =
    "x-amz-content-sha256 must be UNSIGNED-PAYLOAD, STREAMING-UNSIGNED-PAYLOAD-TRAILER, "
    "STREAMING-AWS4-HMAC-SHA256-PAYLOAD, STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER, "
    "STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD, STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD-TRAILER or "
    "a valid sha256 value.";

constexpr std::string_view kHeaderIsMalformed = "The authorization header is malformed; ";

// Visible ASCII: what a part of a credential is made of.
bool is_visible(std::string_view text) noexcept {
  return std::all_of(text.begin(), text.end(), [](char c) { return c > ' ' && c < 0x7F; });
}

// What a field's name is made of in HTTP, in lower case.
constexpr http::CharSet kNameBytes{"!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyz"};

bool is_name(std::string_view text) noexcept {
  return !text.empty() && std::ranges::all_of(text, [](char c) { return kNameBytes.has(c); });
}

constexpr bool is_of_amazon(std::string_view name) noexcept {
  return name.starts_with("x-amz-");
}

bool is_listed(std::string_view names, std::string_view name) noexcept {
  while (!names.empty()) {
    if (http::next_element(names, ';') == name) return true;
  }
  return false;
}

// Cuts what is behind the last '/' off `text`. Without a '/', nothing is left, and all is returned.
std::string_view take_last(std::string_view& text) noexcept {
  const std::size_t slash = text.rfind('/');
  const std::string_view last = slash == std::string_view::npos ? text : text.substr(slash + 1);
  text = slash == std::string_view::npos ? std::string_view{} : text.substr(0, slash);
  return last;
}

// Names with ';' between them: tokens in lower case, each greater than the one before.
bool is_list_of_names(std::string_view text) noexcept {
  if (text.empty() || text.back() == ';') return false;
  std::string_view previous;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find(';'), text.size());
    const std::string_view name = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (!is_name(name) || name <= previous) return false;
    previous = name;
  }
  return true;
}

Refusal not_all_signed(const http::Request& request, std::string_view signed_headers) noexcept {
  std::array<char, Refusal::kTextBytesMax> names;
  std::size_t used = 0;
  for (const http::Field& field : request.fields) {
    if (!is_of_amazon(field.name) || is_listed(signed_headers, field.name)) continue;
    for (const std::string_view part : {used == 0 ? std::string_view{} : ", ", field.name}) {
      const std::size_t bytes = std::min(part.size(), names.size() - used);
      std::copy_n(part.data(), bytes, names.data() + used);
      used += bytes;
    }
  }
  Refusal refusal{ErrorCode::kAccessDenied,
                  "There were headers present in the request which were not signed"};
  return refusal.with("HeadersNotSigned", {names.data(), used});
}

Refusal wrong_region(Mechanism mechanism, std::string_view region,
                     std::string_view expected) noexcept {
  return malformed(mechanism, {mechanism == Mechanism::kPresigned
                                   ? "Error parsing the X-Amz-Credential parameter; the region \""
                                   : "The authorization header is malformed; the region \"",
                               quoted(region), "\" is wrong; expecting \"", expected, "\""});
}

Refusal wrong_date(Mechanism mechanism, std::string_view date, std::string_view expected) noexcept {
  if (mechanism == Mechanism::kPresigned) {
    return malformed(mechanism,
                     {"Invalid credential date \"", date,
                      "\". This date is not the same as X-Amz-Date: \"", expected, "\"."});
  }
  // It stands twice in what servers of S3 say, and clients and suites compare it.
  return malformed(mechanism, {kHeaderIsMalformed, kHeaderIsMalformed,
                               "Invalid credential date. Date is not the same as X-Amz-Date."});
}

Refusal bad_payload(std::string_view text) noexcept {
  Refusal refusal{ErrorCode::kInvalidArgument, kBadPayload};
  return refusal.with("ArgumentName", "x-amz-content-sha256").with("ArgumentValue", text);
}

}  // namespace

Refusal malformed(Mechanism mechanism, std::initializer_list<std::string_view> what) noexcept {
  return Refusal{mechanism == Mechanism::kPresigned ? ErrorCode::kAuthorizationQueryParametersError
                                                    : ErrorCode::kAuthorizationHeaderMalformed}
      .say(what);
}

Refusal malformed(Mechanism mechanism, std::string_view message) noexcept {
  const bool is_header = mechanism != Mechanism::kPresigned;
  return malformed(mechanism, {is_header ? kHeaderIsMalformed : std::string_view{}, message});
}

Refusal malformed_credential(Mechanism mechanism, std::string_view before, std::string_view peer,
                             std::string_view after) noexcept {
  return malformed(mechanism, {mechanism == Mechanism::kPresigned
                                   ? "Error parsing the X-Amz-Credential parameter; "
                                   : kHeaderIsMalformed,
                               before, quoted(peer), after});
}

Refusal unsupported_version() noexcept {
  return Refusal{ErrorCode::kInvalidRequest,
                 "The authorization mechanism you have provided is not supported. Please use "
                 "AWS4-HMAC-SHA256."};
}

Refusal not_implemented() noexcept {
  return Refusal{ErrorCode::kNotImplemented,
                 "Signature Version 4A is not implemented. Please use AWS4-HMAC-SHA256."};
}

int count_fields(std::span<const http::Field> fields, std::string_view name,
                 std::string_view& value) noexcept {
  int count = 0;
  for (const http::Field& field : fields) {
    if (field.name != name) continue;
    if (++count == 2) return 2;
    value = field.value;
  }
  return count;
}

std::optional<Refusal> read_credential(std::string_view text, const ClaimRules& rules,
                                       Claim& claim) noexcept {
  const Mechanism mechanism = claim.mechanism;
  // From the right: an access key may have slashes.
  const std::string_view terminal = take_last(text);
  const std::string_view service = take_last(text);
  const std::string_view region = take_last(text);
  const std::string_view date = take_last(text);
  const bool is_terminal = terminal == "aws4_request";
  const bool is_service = service == "s3";
  if (text.empty() || text.size() > kAccessKeyBytesMax || !is_visible(text) || region.empty() ||
      region.size() > kRegionBytesMax || !is_visible(region) || (!is_terminal && !is_service)) {
    return malformed_credential(mechanism,
                                "the Credential is mal-formed; expecting "
                                "\"<YOUR-AKID>/YYYYMMDD/REGION/SERVICE/aws4_request\".",
                                {}, {});
  }
  if (!is_service) {
    return malformed_credential(mechanism, "incorrect service \"", service,
                                "\". This endpoint belongs to \"s3\".");
  }
  if (!is_terminal) {
    return malformed_credential(mechanism, "incorrect terminal \"", terminal,
                                "\". This endpoint uses \"aws4_request\".");
  }
  if (date.size() != kDateBytes || !std::all_of(date.begin(), date.end(), http::is_digit)) {
    return malformed_credential(
        mechanism, "incorrect date format \"", date,
        "\". This date in the credential must be in the format \"yyyyMMdd\".");
  }
  if (!rules.region.empty() && region != rules.region) {
    return wrong_region(mechanism, region, rules.region).with("Region", rules.region);
  }
  if (date != claim.stamp().date()) return wrong_date(mechanism, date, claim.stamp().date());
  claim.access_key = text;
  claim.region = region;
  return std::nullopt;
}

std::optional<Refusal> read_signed_headers(std::string_view text, const http::Request& request,
                                           Claim& claim) noexcept {
  if (!is_list_of_names(text)) {
    return malformed(claim.mechanism,
                     "SignedHeaders must be names in lower case, sorted, each once, with ';' "
                     "between them.");
  }
  if (!is_listed(text, "host")) {
    return malformed(claim.mechanism, "SignedHeaders must have host among them.");
  }
  claim.signed_headers = text;
  std::ptrdiff_t of_amazon =
      std::ranges::count_if(request.fields, is_of_amazon, &http::Field::name);
  while (!text.empty()) {
    const std::string_view name = http::next_element(text, ';');
    const auto found = std::ranges::count(request.fields, name, &http::Field::name);
    if (found == 0) {
      // Signed was another request. Which name is missing is for whoever made it to find out.
      return Refusal{ErrorCode::kSignatureDoesNotMatch,
                     "A header of SignedHeaders is not present in the request."};
    }
    if (is_of_amazon(name)) of_amazon -= found;
  }
  // Every x-amz-* field must be signed, or somebody on the way could add what the client did not
  // ask for.
  if (of_amazon == 0) return std::nullopt;
  return not_all_signed(request, claim.signed_headers);
}

std::optional<Refusal> read_signature(std::string_view text, Claim& claim) noexcept {
  if (!is_hex_digest(text)) {
    return malformed(claim.mechanism, "The signature must be 64 hex digits in lower case.");
  }
  claim.signature = text;
  return std::nullopt;
}

std::optional<Refusal> read_payload(std::string_view text, const http::Request& request,
                                    Claim& claim) noexcept {
  claim.payload_hash = text;
  if (is_hex_digest(text)) {
    claim.payload = Payload::kSha256;
    return std::nullopt;
  }
  if (std::find(std::begin(kPayloadsOfV4a), std::end(kPayloadsOfV4a), text) !=
      std::end(kPayloadsOfV4a)) {
    return not_implemented();
  }
  const auto* const row = std::find_if(std::begin(kPayloads), std::end(kPayloads),
                                       [text](const PayloadText& one) { return one.text == text; });
  if (row == std::end(kPayloads)) return bad_payload(text);
  claim.payload = row->payload;
  if (!is_aws_chunked(row->payload)) return std::nullopt;
  // A signature of chunks goes on from that of the Authorization field.
  const bool signs = row->payload != Payload::kUnsignedWithTrailer;
  if (claim.mechanism == Mechanism::kPresigned ||
      (claim.mechanism == Mechanism::kAnonymous && signs)) {
    return bad_payload(text);
  }
  if (request.method != "PUT") {
    return Refusal{ErrorCode::kInvalidRequest,
                   "A streaming x-amz-content-sha256 is for PutObject and UploadPart only."};
  }
  return std::nullopt;
}

}  // namespace tercel::s3
