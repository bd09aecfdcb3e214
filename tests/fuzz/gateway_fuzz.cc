// A byte of settings, then the head of an HTTP/1 request, which is given a right signature of a
// client: read by the gateway, written for a backend, and read again as the backend does.
//
// Invariants: what is sent is one request, with nothing behind it; the same operation on the same
// key of the bucket's name there, with the same query, of the same source; it has one signature,
// the backend's, which is right; no credentials of the client are in it. What is refused has a
// document in UTF-8.
#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tercel/base/utf8.h"
#include "tercel/gateway/arrival.h"
#include "tercel/gateway/departure.h"
#include "tercel/http/h1_head.h"
#include "tercel/http/h1_request_writer.h"
#include "tercel/s3/canonical_request.h"
#include "tercel/s3/error_body.h"

namespace {

using namespace tercel;
using namespace tercel::gateway;

constexpr std::chrono::seconds kNow{1'800'000'000};
constexpr std::string_view kClientKey = "CLIENTKEY";
constexpr std::string_view kClientToken = "client-token";
constexpr std::string_view kBackendSecret = "the backend's";
constexpr std::string_view kBackendHost = "inside.test";

enum Setting : std::uint8_t {
  kVirtualStyle = 1,
  kOtherBucket = 2,  // The backend has it under another name.
  kBearer = 4,
  kNoTrailers = 8,
  kClientHasToken = 16,
  kKeepsAuthorization = 32,  // What the input says of it is judged, and not replaced.
};

void check(bool holds) {
  if (!holds) __builtin_trap();
}

int count(std::span<const http::Field> fields, std::string_view name) {
  return static_cast<int>(std::ranges::count(fields, name, &http::Field::name));
}

void check_document(const s3::Refusal& refusal, std::string_view path) {
  std::vector<char> memory(s3::kErrorBodyBytesMax);
  const std::string_view body = s3::write_error_body(refusal, {.resource = path}, memory);
  check(is_utf8(body) && body.ends_with("</Error>"));
}

// The request with a signature in its fields.
class Signed {
 public:
  Signed(const http::Request& request, std::uint8_t settings) : request_{request} {
    for (const http::Field& field : request.fields) {
      if (!s3::is_replaced(field.name)) fields_.push_back(field);
    }
    const http::Field* const said = http::find_field(request.fields, "x-amz-content-sha256");
    const s3::AmzDate date = s3::to_amz_date(kNow);
    const s3::SigningKey key{"secret", {date.data(), s3::kDateBytes}, "r"};
    const std::string_view token = (settings & kClientHasToken) != 0 ? kClientToken : "";
    if (query_.parse(request.query) ||
        s3::sign_request({request.method, request.path, &query_, request.authority, fields_,
                          said != nullptr ? said->value : std::string_view{"UNSIGNED-PAYLOAD"}},
                         {.access_key = kClientKey,
                          .key = &key,
                          .region = "r",
                          .session_token = token,
                          .time = date},
                         memory_, made_)) {
      request_.fields = {};
      return;
    }
    fields_.insert(fields_.end(), made_.view().begin(), made_.view().end());
    request_.fields = fields_;
  }
  [[nodiscard]] const http::Request& request() const { return request_; }

 private:
  http::Request request_;
  s3::Query query_;
  std::vector<http::Field> fields_;
  std::string memory_ = std::string(s3::kSignedFieldsBytes, '\0');
  s3::SignedFields made_;
};

Backend backend_of(std::uint8_t settings) {
  Backend backend;
  backend.host = kBackendHost;
  backend.style = (settings & kVirtualStyle) != 0 ? Style::kVirtual : Style::kPath;
  if ((settings & kOtherBucket) != 0) backend.bucket = "real-name";
  backend.trailers = (settings & kNoTrailers) == 0;
  return backend;
}

Credentials credentials_of(std::uint8_t settings) {
  if ((settings & kBearer) != 0) return {Verdict::kYes, Bearer{SecretText{"backend-token"}}};
  return {Verdict::kYes, Hmac{"BACKEND", SecretText{kBackendSecret}, SecretText{}, 1}};
}

void check_signature(const http::Request& there, const Arrival& seen) {
  check(seen.claim.access_key == "BACKEND" && seen.claim.session_token.empty());
  const auto digest = s3::canonical_digest(seen.claim.canonical(there, seen.query));
  s3::SigningKeyCache keys{1};
  check(digest && s3::verify(keys, {0, kBackendSecret}, seen.claim.stamp(), *digest,
                             seen.claim.signature) != nullptr);
}

void check_same(const Arrival& here, const Arrival& seen, const Backend& backend) {
  const std::string_view bucket = backend.bucket.empty() || here.resource.bucket.empty()
                                      ? here.resource.bucket
                                      : backend.bucket;
  check(seen.resource.bucket == bucket);
  check(seen.resource.key == here.resource.key);
  check(seen.operation.operation == here.operation.operation);
  check(seen.plain_query == here.plain_query);
  check(seen.copies == here.copies);
  if (!here.copies) return;
  check(seen.source.key == here.source.key && seen.source.version_id == here.source.version_id);
  check(seen.source.bucket == (backend.bucket.empty() ? here.source.bucket : backend.bucket));
}

void check_departure(const http::Request& request, const Arrival& here, const Departure& departure,
                     const Backend& backend, std::uint8_t settings) {
  const http::RequestHead& head = departure.head();
  check(http::inspect_request(head).has_value());
  std::vector<char> written(http::request_bytes_bound(head));
  written.resize(
      static_cast<std::size_t>(http::write_request(written.data(), head) - written.data()));
  const std::string_view text{written.data(), written.size()};

  static http::HeadBuffer fields;
  static const http::Limits limits{
      .target_bytes_max = 1 << 19, .head_bytes_max = 1 << 20, .fields_max = http::kFieldsMax};
  const http::HeadResult parsed = http::parse_request_head(written, 0, limits, fields);
  check(parsed.status == http::HeadStatus::kDone && parsed.bytes == text.size());
  check(parsed.framing == head.framing && parsed.request.method == request.method);
  http::Request there = parsed.request;
  check(count(there.fields, "authorization") == 1 && count(there.fields, "host") == 1);
  const std::string_view said = http::find_field(there.fields, "authorization")->value;
  const bool is_bearer = (settings & kBearer) != 0;
  check(is_bearer ? said == "Bearer backend-token"
                  : said.starts_with("AWS4-HMAC-SHA256 Credential=BACKEND/"));
  check(count(there.fields, "x-amz-security-token") == 0);
  s3::Query query;
  check(!query.parse(there.query));
  for (const std::string_view name : {"X-Amz-Signature", "X-Amz-Credential", "X-Amz-Algorithm",
                                      "X-Amz-Security-Token", "X-Amz-SignedHeaders"}) {
    check(query.find(name) == nullptr);
  }

  const std::string_view domain = kBackendHost;
  Config config;
  config.domains = {std::string{domain}};
  config.domain_views = {domain};
  static Arrival seen;
  std::vector<char> memory(Arrival::kMemoryBytes + 6 * there.query.size());
  if (is_bearer) {
    s3::Resource resource;
    check(!s3::read_resource(there.authority, there.path, config.domain_views, memory, resource));
    check(resource.key == here.resource.key);
    return;
  }
  check(!seen.read(there, config, kNow, memory));
  check_signature(there, seen);
  check_same(here, seen, backend);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::uint8_t settings = data[0];
  std::vector<char> bytes(data + 1, data + size);
  static http::HeadBuffer fields;
  const http::HeadResult parsed = http::parse_request_head(bytes, 0, {}, fields);
  if (parsed.status != http::HeadStatus::kDone) return 0;
  http::Request came = parsed.request;
  came.has_body = parsed.framing != http::Framing::kNone;

  const std::optional<Signed> made = (settings & kKeepsAuthorization) == 0
                                         ? std::optional<Signed>{std::in_place, came, settings}
                                         : std::nullopt;
  const http::Request request = made ? made->request() : came;
  static Config config;
  config.domains = {"s3.gateway.test"};
  config.domain_views = {config.domains[0]};
  static Arrival here;
  std::vector<char> memory(Arrival::kMemoryBytes + 6 * request.query.size());
  if (const auto refusal = here.read(request, config, kNow, memory)) {
    check_document(*refusal, request.path);
    return 0;
  }
  if (here.claim.mechanism == s3::Mechanism::kAnonymous) return 0;  // Goes nowhere.
  const Backend backend = backend_of(settings);
  const Credentials credentials = credentials_of(settings);
  static s3::SigningKeyCache keys{4};
  static Departure departure;
  if (const auto refusal =
          departure.write(request, here, {backend, credentials, keys, kNow, &backend})) {
    check_document(*refusal, request.path);
    return 0;
  }
  check_departure(request, here, departure, backend, settings);
  return 0;
}
