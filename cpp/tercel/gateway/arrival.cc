#include "tercel/gateway/arrival.h"

#include <algorithm>
#include <array>

#include "tercel/gateway/extensions.h"
#include "tercel/http/chars.h"
#include "tercel/s3/key_prefix.h"
#include "tercel/s3/uri_encoding.h"

namespace tercel::gateway {
namespace {

// Writes to a place that is large enough.
struct PlaceSink {
  void put(std::string_view text) noexcept { next = std::ranges::copy(text, next).out; }
  char* next;
};

// What signs, and what the gateway makes anew; a policy has no use for it.
bool is_seen_by_policies(std::string_view name) noexcept {
  if (!name.starts_with("x-amz-")) return false;
  constexpr std::string_view kUnseen[] = {"x-amz-algorithm",
                                          "x-amz-content-sha256",
                                          "x-amz-credential",
                                          "x-amz-date",
                                          "x-amz-decoded-content-length",
                                          "x-amz-expires",
                                          "x-amz-security-token",
                                          "x-amz-signature",
                                          "x-amz-signedheaders",
                                          "x-amz-trailer"};
  return std::ranges::find(kUnseen, name) == std::end(kUnseen);
}

// Of a text that is decoded.
void put_encoded(std::string_view text, PlaceSink& sink) noexcept {
  for (const char c : text) {
    if (s3::kUnreserved.has(c)) {
      sink.put({&c, 1});
    } else {
      const s3::Escape escape{c};
      sink.put({escape.text, sizeof escape.text});
    }
  }
}

std::string_view value_of(const http::Request& request, std::string_view name) noexcept {
  const http::Field* const field = http::find_field(request.fields, name);
  return field != nullptr ? field->value : std::string_view{};
}

}  // namespace

std::optional<s3::Refusal> Arrival::read(const http::Request& request, const Config& config,
                                         std::chrono::seconds now,
                                         std::span<char> memory) noexcept {
  // Of the request before, nothing is left.
  claim = {};
  resource = {};
  operation = {};
  copies = false;
  source_bytes_ = 0;
  if (const auto error = query.parse(request.query)) return s3::Refusal{*error};
  const std::span<char> scratch = memory.first(request.query.size());
  memory = memory.subspan(scratch.size());
  const s3::ClaimRules rules{.now = now, .region = config.region};
  if (auto refusal = s3::read_claim(request, query, rules, scratch, claim)) return refusal;
  const std::span<char> names = memory.first(s3::kResourceMemoryBytes);
  memory = memory.subspan(names.size());
  if (const auto error = s3::read_resource(request.authority, request.path, config.domain_views,
                                           names, resource)) {
    return s3::Refusal{*error};
  }
  PlaceSink sink{memory.data()};
  query.put_canonical(s3::Query::Without::kAuthentication, sink);
  plain_query = {memory.data(), sink.next};
  return read_operation(request, memory.subspan(plain_query.size()));
}

std::optional<s3::Refusal> Arrival::read_operation(const http::Request& request,
                                                   std::span<char> memory) noexcept {
  operation = s3::match_operation({.method = request.method,
                                   .level = resource.level(),
                                   .query = request.query,
                                   .fields = request.fields});
  if (operation.operation == s3::Operation::kUnknown) {
    return s3::Refusal{operation.blames_method ? s3::ErrorCode::kMethodNotAllowed
                                               : s3::ErrorCode::kNotImplemented};
  }
  // The answer would be credentials of the backend, with which a client goes there by itself.
  if (operation.operation == s3::Operation::kCreateSession) {
    return s3::Refusal{s3::ErrorCode::kNotImplemented,
                       "Sessions are not implemented. Please sign each request."};
  }
  const s3::OperationInfo about = s3::info(operation.operation);
  copies = about.copies;
  if (copies) {
    const std::span<char> place = memory.first(s3::kCopySourceBytesMax);
    memory = memory.subspan(place.size());
    if (const auto error =
            s3::read_copy_source(value_of(request, "x-amz-copy-source"), place, source)) {
      return s3::Refusal{*error};
    }
    PlaceSink text{source_text_.data()};
    text.put(source.bucket);
    text.put("/");
    text.put(source.key);
    source_bytes_ = static_cast<std::size_t>(text.next - source_text_.data());
    PlaceSink version{memory.data()};
    if (!source.version_id.empty()) {
      version.put("versionId=");
      put_encoded(source.version_id, version);
    }
    source_query_ = {memory.data(), version.next};
    memory = memory.subspan(source_query_.size());
  }
  list_prefix = {};
  if (const s3::QueryPart* const prefix =
          about.access == s3::Access::kList ? query.find("prefix") : nullptr) {
    char* end = memory.data();
    for (std::string_view rest = prefix->value; !rest.empty();) {
      *end++ = s3::take_decoded(rest, s3::Part::kQuery);
    }
    list_prefix = {memory.data(), end};
  }
  memory = memory.subspan(list_prefix.size());
  if (!ids_stay_here(memory)) {
    return s3::Refusal{s3::ErrorCode::kInvalidArgument,
                       "Invalid version id, upload id or token specified"};
  }
  if (!read_headers(request, memory)) {
    return s3::Refusal{s3::ErrorCode::kRequestHeaderSectionTooLarge};
  }
  if (std::ranges::any_of(std::span{headers_}.first(header_count_), unpacks)) {
    return s3::Refusal{s3::ErrorCode::kNotImplemented, "Archives are not unpacked here"};
  }
  payload = {};
  return s3::plan_payload({.fields = request.fields,
                           .payload = claim.payload,
                           .payload_hash = claim.payload_hash,
                           .content_length = request.content_length,
                           .operation = operation.operation,
                           .has_body = request.has_body},
                          payload);
}

bool Arrival::ids_stay_here(std::span<char> memory) const noexcept {
  for (const std::string_view name :
       {"uploadId", "versionId", "continuation-token", "upload-id-marker", "version-id-marker"}) {
    const s3::QueryPart* const id = query.find(name);
    if (id == nullptr) continue;
    char* end = memory.data();
    for (std::string_view rest = id->value; !rest.empty();) {
      *end++ = s3::take_decoded(rest, s3::Part::kQuery);
    }
    if (s3::climbs_out({memory.data(), end})) return false;
  }
  return !copies || !s3::climbs_out(source.version_id);
}

bool Arrival::read_headers(const http::Request& request, std::span<char> memory) noexcept {
  header_count_ = 0;
  const auto add = [this](const http::Field& field) {
    if (header_count_ == kHeadersMax) return false;
    headers_[header_count_++] = field;
    return true;
  };
  for (const http::Field& field : request.fields) {
    if (is_seen_by_policies(field.name) && !add(field)) return false;
  }
  // S3 reads a parameter of such a name as the header field, and presigned URLs have them there.
  char* end = memory.data();
  for (const s3::QueryPart& part : query.parts()) {
    char* const name = end;
    for (std::string_view rest = part.name; !rest.empty();) {
      *end++ = http::to_lower(s3::take_decoded(rest, s3::Part::kQuery));
    }
    char* const value = end;
    if (!is_seen_by_policies({name, value})) {
      end = name;
      continue;
    }
    for (std::string_view rest = part.value; !rest.empty();) {
      *end++ = s3::take_decoded(rest, s3::Part::kQuery);
    }
    if (!add({{name, value}, {value, end}})) return false;
  }
  return true;
}

DecisionFacts Arrival::facts(const http::Request& request, std::string_view identity,
                             std::span<char, Address::kHostBytesMax> ip) const noexcept {
  DecisionFacts facts{.identity = identity,
                      .bucket = resource.bucket,
                      .operation = s3::info(operation.operation).name,
                      .key = resource.key,
                      .place = list_prefix.empty() ? resource.key : list_prefix,
                      .method = request.method,
                      .query = plain_query,
                      .presigned = claim.mechanism == s3::Mechanism::kPresigned,
                      .headers = std::span{headers_}.first(header_count_)};
  if (request.client != nullptr) {
    std::array<char, Address::kHostBytesMax> written;
    const std::string_view host = request.client->host(written);
    facts.source_ip = {ip.data(), std::ranges::copy(host, ip.data()).out};
  }
  facts.copy_source = copied();
  return facts;
}

DecisionFacts Arrival::facts_of_source(const DecisionFacts& of_copy) const noexcept {
  return {.identity = of_copy.identity,
          .source_ip = of_copy.source_ip,
          .bucket = source.bucket,
          .operation = s3::info(s3::Operation::kGetObject).name,
          .key = source.key,
          .place = source.key,
          .method = "GET",
          .query = source_query_,
          .presigned = of_copy.presigned};
}

}  // namespace tercel::gateway
