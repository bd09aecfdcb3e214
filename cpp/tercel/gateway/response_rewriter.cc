#include "tercel/gateway/response_rewriter.h"

#include <algorithm>
#include <iterator>
#include <new>
#include <span>
#include <string>
#include <utility>

#include "tercel/gateway/below_prefix.h"
#include "tercel/gateway/own_text.h"
#include "tercel/s3/error_body.h"
#include "tercel/s3/key_prefix.h"
#include "tercel/s3/resource.h"

namespace tercel::gateway {
namespace {

// Of one that may have a body: neither to HEAD nor with a status that has none.
bool is_empty(const http::ResponseHead& head) noexcept {
  return head.framing != http::ResponseFraming::kNone && head.content_length == 0;
}

bool is_encoded(const http::ResponseHead& head) noexcept {
  return http::find_field(head.fields, "content-encoding") != nullptr;
}

bool is_xml(const http::ResponseHead& head) noexcept {
  const http::Field* const type = http::find_field(head.fields, "content-type");
  return type != nullptr && type->value.find("xml") != std::string_view::npos;
}

bool is_error(const http::ResponseHead& head) noexcept {
  return head.status >= 300;
}

// Whether the answer is a document of rewrite.cc, whatever the backend says that it is.
bool answers_with_names(s3::Operation operation) noexcept {
  switch (operation) {
    case s3::Operation::kCompleteMultipartUpload:
    case s3::Operation::kCreateMultipartUpload:
    case s3::Operation::kDeleteObjects:
    case s3::Operation::kListParts:
      return true;
    default:
      return s3::lists_keys(operation);
  }
}

// The backend's name of a bucket; empty: it is the client's.
std::string hidden_name(const Backend& backend, std::string_view bucket) {
  return backend.bucket == bucket ? std::string{} : backend.bucket;
}

// The answer is an object, or what is in one.
bool gets_object(s3::Operation operation) noexcept {
  return operation == s3::Operation::kGetObject || operation == s3::Operation::kSelectObjectContent;
}

bool is_for_client(std::string_view name, bool has_rules) noexcept {
  // Where the backend is, and what it is, is not for clients to know; some are said once, behind.
  constexpr std::string_view kLeftOut[] = {"alt-svc", "content-location",    "location",
                                           "server",  "x-amz-bucket-region", "x-amz-request-id"};
  if (std::ranges::find(kLeftOut, name) != std::end(kLeftOut)) return false;
  // They say what the document says, or would say to HEAD: "x-amz-error-detail-key" for one.
  if (name == "x-amz-error-message" || name.starts_with("x-amz-error-detail-") ||
      name.starts_with("x-minio-error-")) {
    return false;
  }
  return !has_rules || !name.starts_with("access-control-");
}

// It is said of a text that is not sent.
bool is_of_text(std::string_view name) noexcept {
  constexpr std::string_view kOfText[] = {"content-disposition", "content-encoding", "content-md5",
                                          "content-type",        "digest",           "etag"};
  return std::ranges::find(kOfText, name) != std::end(kOfText) ||
         name.starts_with("x-amz-checksum-");
}

}  // namespace

ResponseFilter& ResponseRewriter::begin(const Arrival& arrival, bool tells_keys) noexcept {
  operation_ = arrival.operation.operation;
  encodes_keys_ = encodes_keys(arrival);
  tells_keys_ = tells_keys || s3::lists_keys(operation_);
  return filter_;
}

OwnText ResponseRewriter::own_error(const http::ResponseHead& from, const To& to,
                                    Station& station) const {
  return error_text(
      from.status, s3::info(operation_).level,
      {.resource = to.request.path, .request_id = to.request_id, .host_id = to.request_id},
      station.error_body);
}

Result<ResponseFilter::Names> ResponseRewriter::names(const http::ResponseHead& from, const To& to,
                                                      Station& station) const {
  const std::span<char> scratch = station.scratch(s3::kResourceMemoryBytes);
  if (scratch.empty()) return fail(Errc::kNoMemory);
  const http::Request& request = to.request;
  s3::Resource resource;
  if (s3::read_resource(request.authority, request.path, to.config.domain_views, scratch,
                        resource)) {
    return fail(Errc::kHandlerFailed);  // It was read before.
  }
  std::string location{request.secure ? "https://" : "http://"};
  location.append(request.authority).append(request.path);
  return ResponseFilter::Names{
      .bucket = std::string{resource.bucket},
      .location = std::move(location),
      .resource = std::string{request.path},
      .endpoint = std::string{request.authority},
      .key_prefix = to.backend.prefix,
      .source_prefix = to.source != nullptr ? to.source->prefix : std::string{},
      .keys_are_url_encoded = encodes_keys_,
      // Nor is it known where only the request says that it should be XML.
      .known_only = (tells_keys_ && !to.backend.prefix.empty()) || !is_xml(from),
      .hidden_bucket = hidden_name(to.backend, resource.bucket),
      .hidden_source_bucket = to.source != nullptr ? to.source->bucket : std::string{},
      .request_id = to.has_own_id ? std::string{to.request_id} : std::string{}};
}

Result<ResponseRewriter::Text> ResponseRewriter::plan(const http::ResponseHead& from, const To& to,
                                                      Station& station) noexcept {
  // What is an object is not looked at, whatever it says that it is; an error is none.
  const bool failed = is_error(from);
  if (from.framing == http::ResponseFraming::kNone) return Text::kAsItIs;
  if (!failed && (is_empty(from) || gets_object(operation_))) return Text::kAsItIs;
  const bool pins_region =
      !to.config.region.empty() && operation_ == s3::Operation::kGetBucketLocation;
  const bool is_known = is_xml(from) || answers_with_names(operation_);
  try {
    if (failed && (is_encoded(from) || is_empty(from))) {
      filter_.replace(own_error(from, to, station));
      return Text::kReplaced;
    }
    if (!failed && pins_region) {
      filter_.replace(location_text(to.config.region));
      return Text::kReplaced;
    }
    if (failed || (is_known && !is_encoded(from))) {
      auto of_client = names(from, to, station);
      if (!of_client) return fail(of_client.error());
      if (!failed) {
        filter_.rewrite(*std::move(of_client));
        return Text::kRewritten;
      }
      filter_.rewrite_error(*std::move(of_client), own_error(from, to, station));
      return Text::kReplaced;
    }
  } catch (const std::bad_alloc&) {
    return fail(Errc::kNoMemory);
  }
  // What cannot be rewritten might tell the backend's names, and keys that are not the client's.
  if (is_known || !to.backend.prefix.empty()) return fail(Errc::kUpstreamMalformed);
  return Text::kAsItIs;
}

Result<void> ResponseRewriter::rewrite(const http::ResponseHead& from, const To& to,
                                       Station& station, proxy::FieldDraft& draft) noexcept {
  const Result<Text> text = plan(from, to, station);
  if (!text) return fail(text.error());
  const proxy::ConnectionOptions options{from.fields};
  for (const http::Field& field : from.fields) {
    if (options.has(field.name) || !is_for_client(field.name, to.cors.has_rules())) continue;
    if (*text != Text::kAsItIs && field.name == "content-length") continue;
    if (*text == Text::kReplaced && is_of_text(field.name)) continue;
    draft.add(field.name, field.value);
  }
  draft.add("x-amz-request-id", to.request_id);
  if (*text == Text::kReplaced) draft.add("content-type", "application/xml");
  for (const http::Field& field : to.cors.fields(draft.fields(), station.cors_room)) {
    draft.add(field.name, field.value);
  }
  // Clients follow these: they say what is true of the gateway.
  if (!to.config.region.empty() &&
      http::find_field(from.fields, "x-amz-bucket-region") != nullptr) {
    draft.add("x-amz-bucket-region", to.config.region);
  }
  const bool makes_bucket = operation_ == s3::Operation::kCreateBucket;
  if (makes_bucket && from.status == 200 && to.request.path.size() > 1) {
    draft.add("location", to.request.path);
  }
  return {};
}

}  // namespace tercel::gateway
