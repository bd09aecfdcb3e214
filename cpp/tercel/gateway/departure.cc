#include "tercel/gateway/departure.h"

#include <algorithm>
#include <new>
#include <span>
#include <utility>
#include <variant>

#include "tercel/base/address.h"
#include "tercel/gateway/below_prefix.h"
#include "tercel/gateway/extensions.h"
#include "tercel/proxy/field_draft.h"
#include "tercel/s3/canonical_request.h"
#include "tercel/s3/copy_source.h"
#include "tercel/s3/key_prefix.h"
#include "tercel/s3/signature.h"
#include "tercel/s3/unsigned_chunks.h"

namespace tercel::gateway {
namespace {

using s3::Payload;
using s3::PayloadMode;

constexpr std::string_view kUnsignedPayload = "UNSIGNED-PAYLOAD";
constexpr std::string_view kUnsignedTrailer = "STREAMING-UNSIGNED-PAYLOAD-TRAILER";

// The bucket can be a label of the host: a name with several labels, whose certificate is for one
// label more. Source: the user guide of Amazon S3, "Virtual hosting of general purpose buckets".
bool can_be_label(const Endpoint& endpoint, std::string_view bucket) noexcept {
  return endpoint.host.find('.') != std::string::npos && !parse_ip(endpoint.host, 0).has_value() &&
         bucket.find('.') == std::string_view::npos;
}

bool is_virtual(Style style, const Endpoint& endpoint, std::string_view bucket) noexcept {
  if (bucket.empty() || style == Style::kPath) return false;
  return style == Style::kVirtual || can_be_label(endpoint, bucket);
}

// What a client's proxies said of it, and what is made anew here.
bool is_left_out(std::string_view name) noexcept {
  constexpr std::string_view kLeftOut[] = {"content-length", "expect", "forwarded", "host", "via"};
  return s3::is_replaced(name) || name.starts_with("proxy-") || name.starts_with("x-forwarded-") ||
         std::ranges::find(kLeftOut, name) != std::end(kLeftOut);
}

// What says something of the bytes of a body.
bool is_of_body(std::string_view name) noexcept {
  return name == "content-md5" || name == "content-encoding" ||
         name.starts_with("x-amz-checksum-") || s3::describes_aws_chunked(name);
}

// A Content-Encoding without what the gateway decodes, in `room`, which is less by it then;
// nothing: it has no room.
std::optional<std::string_view> write_encoding(std::string_view value,
                                               std::span<char>& room) noexcept {
  if (value.size() > room.size()) return std::nullopt;
  const std::string_view written = s3::without_aws_chunked(value, room);
  room = room.subspan(written.size());
  return written;
}

std::string_view payload_hash(const s3::PayloadPlan& payload, const BodyPlan& body) noexcept {
  if (payload.payload == Payload::kSha256) return payload.sha256;
  const bool as_it_is =
      payload.payload == Payload::kUnsignedWithTrailer && body.mode != PayloadMode::kDecode;
  return as_it_is || body.reframes ? kUnsignedTrailer : kUnsignedPayload;
}

}  // namespace

BodyPlan plan_body(const http::Request& request, const s3::PayloadPlan& payload,
                   const Backend& backend, bool hash_is_signed) noexcept {
  BodyPlan plan;
  const bool passes =
      payload.payload == Payload::kUnsignedWithTrailer && backend.trailers && hash_is_signed;
  // The checksum that is behind the chunks is one of the object, and stays with it.
  if (payload.payload == Payload::kChunksAndTrailer && backend.trailers && hash_is_signed &&
      payload.bytes > 0) {
    return {PayloadMode::kDecode, http::Framing::kLength,
            s3::UnsignedChunks::encoded_bytes(payload.bytes, *payload.algorithm), true};
  }
  if (s3::is_aws_chunked(payload.payload) && !passes) {
    return {PayloadMode::kDecode, http::Framing::kLength, payload.bytes};
  }
  // A backend to which nothing is signed verifies nothing.
  if (!hash_is_signed) plan.mode = PayloadMode::kVerify;
  if (!request.has_body) {
    // Of a method that usually has one a backend wants to know that it has none.
    const bool usual = request.method == "PUT" || request.method == "POST";
    if (usual) plan.framing = http::Framing::kLength;
    return plan;
  }
  plan.framing = request.content_length ? http::Framing::kLength : http::Framing::kChunked;
  plan.content_length = request.content_length.value_or(0);
  return plan;
}

void Departure::write_host(const With& with, std::string_view bucket) {
  const Endpoint& endpoint = with.endpoint != nullptr ? *with.endpoint : with.backend;
  virtual_ = is_virtual(with.backend.style, endpoint, bucket);
  host_.clear();
  if (virtual_) host_.append(bucket).push_back('.');
  append_authority(endpoint, host_);
}

std::optional<s3::Refusal> Departure::write_target(const Arrival& arrival, const With& with,
                                                   std::string_view bucket) {
  const Backend& backend = with.backend;
  write_host(with, bucket);
  path_.clear();
  if (!virtual_ && !bucket.empty()) path_.append("/").append(bucket);
  const std::string_view key = arrival.resource.raw_key;
  // A bucket is named without a slash behind it, and a path is never empty.
  if (!key.empty() || path_.empty()) path_.push_back('/');
  if (!key.empty()) {
    s3::append_encoded(backend.prefix, s3::Part::kPath, path_);
    s3::write_canonical_path(key, path_);
  }
  target_ = path_;
  query_text_.clear();
  if (backend.prefix.empty()) {
    query_text_ = arrival.plain_query;
  } else if (const auto error = s3::append_query_below(backend.prefix, arrival.operation.operation,
                                                       arrival.plain_query, query_text_)) {
    return s3::Refusal{*error};
  }
  if (!query_text_.empty()) target_.append("?").append(query_text_);
  return std::nullopt;
}

bool Departure::add(std::string_view name, std::string_view value) noexcept {
  if (field_count_ == kFieldsMax) return false;
  fields_[field_count_++] = {name, value};
  return true;
}

std::optional<std::string_view> Departure::write_source(const Arrival& arrival,
                                                        const With& with) noexcept {
  const std::string& there = with.source->bucket;
  return s3::write_copy_source(arrival.source, there.empty() ? arrival.source.bucket : there,
                               with.source->prefix, copy_source_);
}

bool Departure::is_withheld(std::string_view name, const Arrival& arrival,
                            const With& with) const noexcept {
  if (decodes() && s3::describes_aws_chunked(name)) return true;
  if (with.body != nullptr && is_of_body(name)) return true;
  // An answer that is compressed cannot be rewritten; an object is as it was stored.
  return name == "accept-encoding" &&
         (!with.backend.prefix.empty() || arrival.operation.operation != s3::Operation::kGetObject);
}

std::optional<std::string_view> Departure::write_value(const http::Field& field,
                                                       const Arrival& arrival, const With& with,
                                                       std::span<char>& encodings) noexcept {
  if (decodes() && field.name == "content-encoding") return write_encoding(field.value, encodings);
  if (arrival.copies && field.name == "x-amz-copy-source") return write_source(arrival, with);
  return field.value;
}

std::optional<s3::Refusal> Departure::copy_fields(const http::Request& request,
                                                  const Arrival& arrival,
                                                  const With& with) noexcept {
  field_count_ = 0;
  const proxy::ConnectionOptions connection{request.fields};
  std::span<char> encodings = encoding_;
  for (const http::Field& field : request.fields) {
    if (is_left_out(field.name) || is_extension(field.name)) continue;
    if (connection.has(field.name)) {
      if (!field.name.starts_with("x-amz-")) continue;
      // Without it the request would be another one than was signed and allowed: a copy that is
      // none, an object that is not encrypted.
      return s3::Refusal{s3::ErrorCode::kInvalidRequest,
                         "The Connection header must not name an x-amz- header"};
    }
    if (is_withheld(field.name, arrival, with)) continue;
    const auto value = write_value(field, arrival, with, encodings);
    if (!value) return s3::Refusal{s3::ErrorCode::kInvalidArgument};
    if (value->empty() && field.name == "content-encoding" && decodes()) continue;
    if (!add(field.name, *value)) {
      return s3::Refusal{s3::ErrorCode::kRequestHeaderSectionTooLarge};
    }
  }
  if (with.body != nullptr && !add("content-md5", with.body->md5)) {
    return s3::Refusal{s3::ErrorCode::kRequestHeaderSectionTooLarge};
  }
  return std::nullopt;
}

std::optional<s3::Refusal> Departure::sign(const http::Request& request, const Arrival& arrival,
                                           const With& with, const Hmac& hmac) noexcept {
  if (std::exchange(dated_, with.now) != with.now) date_ = s3::to_amz_date(with.now);
  const s3::SigningKeyId id{hmac.version, {date_.data(), s3::kDateBytes}, with.backend.region};
  const s3::SigningKey* key = with.keys.find(id);
  if (key == nullptr) {
    key = &with.keys.insert(id, s3::SigningKey{hmac.secret.view(), id.date, id.region});
  }
  if (const auto error = query_.parse(query_text_)) return s3::Refusal{*error};
  const auto error = s3::sign_request(
      {.method = request.method,
       .path = path_,
       .query = &query_,
       .host = host_,
       .fields = std::span{fields_}.first(field_count_),
       .payload_hash =
           with.body != nullptr ? with.body->sha256 : payload_hash(arrival.payload, body_)},
      {.access_key = hmac.access_key,
       .key = key,
       .region = with.backend.region,
       .session_token = hmac.session_token.view(),
       .time = date_},
      signed_memory_, signed_);
  if (error) return s3::Refusal{*error};
  for (const http::Field& field : signed_.view()) {
    if (!add(field.name, field.value)) {
      return s3::Refusal{s3::ErrorCode::kRequestHeaderSectionTooLarge};
    }
  }
  return std::nullopt;
}

std::optional<s3::Refusal> Departure::write(const http::Request& request, const Arrival& arrival,
                                            const With& with) noexcept {
  try {
    const auto* const hmac = std::get_if<Hmac>(&with.credentials.value);
    const auto* const bearer = std::get_if<Bearer>(&with.credentials.value);
    if (hmac == nullptr && bearer == nullptr) return s3::Refusal{s3::ErrorCode::kInternalError};
    body_ = plan_body(request, arrival.payload, with.backend, hmac != nullptr);
    if (with.body != nullptr) {
      body_ = {PayloadMode::kPass, http::Framing::kLength, with.body->bytes};
    }
    if (auto refusal = refuse_below_prefix(arrival, with.backend, with.source)) return refusal;
    // What is for no bucket is for none there.
    const std::string_view here = arrival.resource.bucket;
    const std::string_view there = with.backend.bucket;
    if (auto refusal = write_target(arrival, with, here.empty() || there.empty() ? here : there)) {
      return refusal;
    }
    if (auto refusal = copy_fields(request, arrival, with)) return refusal;
    if (hmac != nullptr) {
      if (auto refusal = sign(request, arrival, with, *hmac)) return refusal;
    } else {
      authorization_.assign("Bearer ").append(bearer->token.view());
      if (!add("authorization", authorization_)) {
        return s3::Refusal{s3::ErrorCode::kRequestHeaderSectionTooLarge};
      }
    }
    head_ = {.method = request.method,
             .target = target_,
             .host = host_,
             .fields = std::span{fields_}.first(field_count_),
             .framing = body_.framing,
             .content_length = body_.content_length,
             .expects_continue = false};
    return std::nullopt;
  } catch (const std::bad_alloc&) {
    return s3::Refusal{s3::ErrorCode::kSlowDown};
  }
}

}  // namespace tercel::gateway
