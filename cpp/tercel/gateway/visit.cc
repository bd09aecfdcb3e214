#include "tercel/gateway/visit.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <new>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include "tercel/http/message_copy.h"
#include "tercel/s3/canonical_request.h"
#include "tercel/s3/error_body.h"
#include "tercel/s3/sha256.h"
#include "tercel/s3/signature.h"

namespace tercel::gateway {
namespace {

using s3::ErrorCode;
using s3::Refusal;

// Of a client's secrets in the cache of signing keys.
constexpr std::uint64_t kOfClients = 0;
constexpr std::string_view kXml = "application/xml";

bool same_place(const Backend& one, const Backend& other) noexcept {
  return one.secure == other.secure && one.host == other.host && one.port == other.port;
}

// A document that can be read, and not only its head.
bool is_xml(const http::ResponseHead& head) noexcept {
  if (head.framing == http::ResponseFraming::kNone) return false;
  if (http::find_field(head.fields, "content-encoding") != nullptr) return false;
  const http::Field* const type = http::find_field(head.fields, "content-type");
  return type != nullptr && type->value.find("xml") != std::string_view::npos;
}

}  // namespace

void Visit::begin(const http::Request& request) noexcept {
  station_.counts.add(Counts::requests);
  config_ = station_.config.current();
  arrived_ = station_.now();
  exchange_.observe(this);
  proceed(request);
}

void Visit::proceed(const http::Request& request) noexcept {
  const std::span<char> scratch =
      station_.scratch(Arrival::kMemoryBytes + 6 * request.query.size());
  if (scratch.empty()) return refuse(ErrorCode::kSlowDown);
  if (const auto refusal = station_.arrival.read(request, *config_, arrived_, scratch)) {
    station_.counts.add(Counts::refused);
    return refuse(*refusal);
  }
  if (!verify(request) || !authorize(request)) return;
  if (station_.arrival.operation.operation == s3::Operation::kListBuckets) {
    return list_buckets(request);
  }
  if (!find_backend() || !find_credentials(request)) return;
  relay(request);
}

// --- whose request it is

bool Visit::verify(const http::Request& request) noexcept {
  const s3::Claim& claim = station_.arrival.claim;
  if (claim.mechanism == s3::Mechanism::kAnonymous) {
    station_.counts.add(Counts::refused);
    refuse(ErrorCode::kAccessDenied);
    return false;
  }
  if (!key_) {
    auto known = station_.desk->key(claim.access_key, key_waiter_);
    if (known.state == Desk::State::kWaits) return keep(request);
    if (known.state == Desk::State::kRefused) {
      refuse(ErrorCode::kSlowDown);
      return false;
    }
    key_ = std::move(known.value);
  }
  if (fails(key_->verdict)) return false;
  const bool right = is_signed_right(request);
  if (key_->verdict == Verdict::kNo) {
    station_.counts.add(Counts::refused);
    refuse(Refusal{ErrorCode::kInvalidAccessKeyId}.with("AWSAccessKeyId", claim.access_key));
    return false;
  }
  if (!right) {
    station_.counts.add(Counts::refused);
    refuse_signature(request);
    return false;
  }
  if (!s3::equal_constant_time(claim.session_token, key_->session_token.view())) {
    station_.counts.add(Counts::refused);
    refuse(ErrorCode::kInvalidToken);
    return false;
  }
  return true;
}

bool Visit::is_signed_right(const http::Request& request) noexcept {
  const Arrival& arrival = station_.arrival;
  const auto digest = s3::canonical_digest(arrival.claim.canonical(request, arrival.query));
  if (!digest) return false;
  const s3::Claim& claim = arrival.claim;
  if (key_->verdict == Verdict::kNo) {
    s3::verify_unknown(station_.no_key, claim.stamp(), *digest, claim.signature);
    return false;
  }
  const s3::Secret secret{kOfClients, key_->version, key_->secret.view()};
  return s3::verify(station_.front_keys, secret, claim.stamp(), *digest, claim.signature) !=
         nullptr;
}

// --- what it may do

bool Visit::authorize(const http::Request& request) noexcept {
  const Arrival& arrival = station_.arrival;
  std::array<char, Address::kHostBytesMax> ip;
  const DecisionFacts facts = arrival.facts(request, key_->identity, ip);
  if (!is_allowed(decision_, facts, request)) return false;
  // Whoever copies reads, too, whatever was said of the copy.
  return !arrival.copies || is_allowed(source_decision_, arrival.facts_of_source(facts), request);
}

bool Visit::is_allowed(SharedConst<Decision>& decision, const DecisionFacts& facts,
                       const http::Request& request) noexcept {
  if (!decision) {
    auto known =
        station_.desk->decision(facts, station_.arrival.claim.access_key, decision_waiter_);
    if (known.state == Desk::State::kWaits) {
      wanted_ = &decision;
      return keep(request);
    }
    if (known.state == Desk::State::kRefused) {
      refuse(ErrorCode::kSlowDown);
      return false;
    }
    decision = std::move(known.value);
  }
  if (fails(decision->verdict)) return false;
  if (decision->verdict == Verdict::kYes) return true;
  station_.counts.add(Counts::denied);
  refuse(ErrorCode::kAccessDenied);
  return false;
}

// --- where it goes

bool Visit::find_backend() noexcept {
  const Arrival& arrival = station_.arrival;
  backend_ = config_->buckets.find(arrival.resource.bucket);
  source_backend_ = arrival.copies ? config_->buckets.find(arrival.source.bucket) : nullptr;
  if (backend_ == nullptr || (arrival.copies && source_backend_ == nullptr)) {
    const std::string_view unknown =
        backend_ == nullptr ? arrival.resource.bucket : arrival.source.bucket;
    refuse(Refusal{ErrorCode::kNoSuchBucket}.with("BucketName", unknown));
    return false;
  }
  if (source_backend_ != nullptr && !same_place(*backend_, *source_backend_)) {
    refuse(Refusal{ErrorCode::kNotImplemented, "The source of a copy is on another backend"});
    return false;
  }
  return true;
}

bool Visit::find_credentials(const http::Request& request) noexcept {
  if (credentials_) return !fails(credentials_->verdict);
  const CredentialsFrom from = backend_->credentials_from;
  if (from == CredentialsFrom::kHmac || from == CredentialsFrom::kBearer) {
    credentials_ = backend_->shared_credentials;
    return true;
  }
  const bool exchanged = from == CredentialsFrom::kExchanged;
  const std::string_view bucket = exchanged ? std::string_view{} : station_.arrival.resource.bucket;
  const std::string_view identity = exchanged ? std::string_view{} : key_->identity;
  const std::string_view rule = exchanged ? std::string_view{backend_->rule} : std::string_view{};
  auto known = station_.desk->credentials(bucket, identity, rule, credentials_waiter_);
  if (known.state == Desk::State::kWaits) return keep(request);
  if (known.state == Desk::State::kRefused) {
    refuse(ErrorCode::kSlowDown);
    return false;
  }
  credentials_ = std::move(known.value);
  return !fails(credentials_->verdict);
}

bool Visit::fails(Verdict verdict) noexcept {
  if (verdict == Verdict::kYes || verdict == Verdict::kNo) return false;
  station_.counts.add(Counts::policy_failed);
  refuse(verdict == Verdict::kFailed ? ErrorCode::kInternalError : ErrorCode::kSlowDown);
  return true;
}

// --- the way there and back

void Visit::relay(const http::Request& request) noexcept {
  const Arrival& arrival = station_.arrival;
  const bool is_signed = std::holds_alternative<Hmac>(credentials_->value);
  const BodyPlan body = plan_body(request, arrival.payload, *backend_, is_signed);
  proxy::RelayFilters filters;
  try {
    if (body.mode != s3::PayloadMode::kPass && !body_is_verified_) {
      std::optional<s3::ChunkSigner> signer;
      if (arrival.payload.payload == s3::Payload::kChunks ||
          arrival.payload.payload == s3::Payload::kChunksAndTrailer) {
        const s3::Claim& claim = arrival.claim;
        signer.emplace(s3::SigningKey{key_->secret.view(), claim.stamp().date(), claim.region},
                       claim.stamp(), claim.signature);
      }
      request_filter_ = std::make_unique<RequestFilter>(arrival.payload, body.mode, signer);
      filters.request = request_filter_.get();
    }
  } catch (const std::bad_alloc&) {
    return refuse(ErrorCode::kSlowDown);
  }
  if (filters.request != nullptr && arrival.payload.bytes == 0) {
    // A backend that is told that there is no body stores the object with the head.
    if (!copy_request(request)) return refuse(ErrorCode::kSlowDown);
    reads_body_ = true;
    return read_empty_body();
  }
  filters.response = &response_filter_;
  gets_object_ = arrival.operation.operation == s3::Operation::kGetObject;
  station_.counts.add(Counts::forwarded);
  exchange_.observe(nullptr);  // The relay is told, and tells ended() in every case.
  if (!body_is_verified_) {
    return proxy::Relay::start(station_.relays, *this, request, exchange_, filters);
  }
  http::Request without_body = request;
  without_body.has_body = false;
  without_body.content_length = 0;
  proxy::Relay::start(station_.relays, *this, without_body, exchange_, filters);
}

void Visit::read_empty_body() noexcept {
  for (;;) {
    const http::BodyRead part = exchange_.read_body();
    if (part.state == http::BodyState::kPending || part.state == http::BodyState::kFailed) return;
    std::string_view bytes = part.bytes;
    const bool last = part.state == http::BodyState::kEnd;
    for (bool done = false; !done;) {
      const auto passed = request_filter_->pass(bytes, last ? http::Final::kYes : http::Final::kNo);
      if (!passed) {
        reads_body_ = false;
        return refused(exchange_, passed.error());
      }
      bytes.remove_prefix(passed->consumed);
      done = passed->consumed == 0;
    }
    if (last) break;
  }
  reads_body_ = false;
  body_is_verified_ = true;
  request_filter_.reset();
  proceed(kept_);
}

Result<void> Visit::rewrite_request(const http::Request& from, proxy::Outgoing& to,
                                    proxy::FieldDraft& /*draft*/) noexcept {
  const std::span<char> scratch = station_.scratch(Arrival::kMemoryBytes + 6 * from.query.size());
  if (scratch.empty()) return fail(Errc::kNoMemory);
  const std::chrono::seconds now = station_.now();
  // A second attempt is read and signed anew.
  refusal_ = station_.arrival.read(from, *config_, arrived_, scratch);
  if (!refusal_) {
    refusal_ = station_.departure.write(
        from, station_.arrival,
        {*backend_, *credentials_, station_.back_keys, now, source_backend_});
  }
  if (refusal_) return fail(Errc::kHandlerFailed);
  sent_ = &from;
  to.source = station_.pools.source_of(*backend_);
  if (to.source == nullptr) return fail(Errc::kNoMemory);
  const bool expects =
      to.head.expects_continue && station_.departure.head().framing != http::Framing::kNone;
  to.head = station_.departure.head();
  to.head.expects_continue = expects;
  return {};
}

Result<void> Visit::prepare_rewriting() noexcept {
  const std::span<char> scratch = station_.scratch(s3::kResourceMemoryBytes);
  if (scratch.empty()) return fail(Errc::kNoMemory);
  s3::Resource resource;
  if (s3::read_resource(sent_->authority, sent_->path, config_->domain_views, scratch, resource)) {
    return fail(Errc::kHandlerFailed);  // It was read before.
  }
  try {
    std::string location{sent_->secure ? "https://" : "http://"};
    location.append(sent_->authority).append(sent_->path);
    response_filter_.rewrite({.bucket = std::string{resource.bucket},
                              .location = std::move(location),
                              .resource = std::string{sent_->path},
                              .endpoint = std::string{sent_->authority}});
    return {};
  } catch (const std::bad_alloc&) {
    return fail(Errc::kNoMemory);
  }
}

Result<void> Visit::rewrite_response(const http::ResponseHead& from, http::Response& to,
                                     proxy::FieldDraft& draft) noexcept {
  // What is an object is not looked at, whatever it says that it is; an error is none.
  const bool rewritten = is_xml(from) && (!gets_object_ || from.status >= 300);
  if (rewritten) {
    if (const auto prepared = prepare_rewriting(); !prepared) return prepared;
  }
  const proxy::ConnectionOptions options{from.fields};
  for (const http::Field& field : from.fields) {
    if (options.has(field.name)) continue;
    // Where the backend is, and what it is, is not for clients to know.
    constexpr std::string_view kLeftOut[] = {"alt-svc", "location", "server",
                                             "x-amz-bucket-region"};
    if (std::ranges::find(kLeftOut, field.name) != std::end(kLeftOut)) continue;
    if (rewritten && field.name == "content-length") continue;
    draft.add(field.name, field.value);
  }
  to.fields = draft.fields();
  return {};
}

void Visit::refused(http::Exchange& /*exchange*/, Errc error) noexcept {
  if (refusal_) return refuse(*refusal_);
  if (request_filter_ != nullptr && request_filter_->failure()) {
    station_.counts.add(Counts::refused);
    return refuse(*request_filter_->failure());
  }
  if (error == Errc::kNoMemory) return refuse(ErrorCode::kSlowDown);
  if (info(error).blame == Blame::kClient) return refuse(ErrorCode::kIncompleteBody);
  station_.counts.add(Counts::backend_failed);
  if (error == Errc::kUpstreamBusy) return refuse(ErrorCode::kSlowDown);
  refuse(error == Errc::kUpstreamTimeout ? ErrorCode::kGatewayTimeout
                                         : ErrorCode::kServiceUnavailable);
}

void Visit::ended(http::Outcome /*outcome*/, unsigned /*attempts*/) noexcept {
  station_.visits->destroy(this);
}

void Visit::on_end(http::Outcome /*outcome*/) noexcept {
  station_.visits->destroy(this);
}

// --- waiting for a policy

bool Visit::keep(const http::Request& request) noexcept {
  if (!copy_request(request)) {
    key_waiter_.unlink();
    decision_waiter_.unlink();
    credentials_waiter_.unlink();
    refuse(ErrorCode::kSlowDown);
  }
  return false;
}

bool Visit::copy_request(const http::Request& request) noexcept {
  if (is_kept_) return true;
  memory_ = station_.loop.blocks().take(http::copy_bytes(request));
  if (!memory_) return false;
  kept_ = http::copy(request, memory_.data());
  is_kept_ = true;
  return true;
}

void Visit::store(const SharedConst<Decision>& decision) noexcept {
  if (wanted_ != nullptr) *std::exchange(wanted_, nullptr) = decision;
}

// --- answers of our own

void Visit::list_buckets(const http::Request& request) noexcept {
  const std::vector<std::string>& names = config_->buckets.names();
  std::array<char, Address::kHostBytesMax> ip;
  DecisionFacts facts = station_.arrival.facts(request, key_->identity, ip);
  facts.operation = s3::info(s3::Operation::kHeadBucket).name;
  facts.method = "HEAD";
  facts.query = {};
  facts.headers = {};
  std::vector<s3::ListedBucket> listed;
  std::string body;
  try {
    visible_.resize(names.size());
    for (std::size_t i = 0; i < names.size(); ++i) {
      SharedConst<Decision>& decision = visible_[i];
      if (!decision) {
        facts.bucket = names[i];
        auto known =
            station_.desk->decision(facts, station_.arrival.claim.access_key, decision_waiter_);
        if (known.state == Desk::State::kWaits) {
          wanted_ = &decision;
          return static_cast<void>(keep(request));
        }
        if (known.state == Desk::State::kRefused) return refuse(ErrorCode::kSlowDown);
        decision = std::move(known.value);
      }
      if (fails(decision->verdict)) return;
      if (decision->verdict == Verdict::kYes) listed.push_back({names[i], {}, 0});
    }
    std::vector<char> scratch(request.query.size());
    s3::ListBucketsQuery query;
    if (const auto error = s3::read_list_buckets_query(request.query, scratch, query)) {
      return refuse(*error);
    }
    s3::BucketListWriter writer{
        listed, {.id = key_->identity, .display_name = key_->identity}, query};
    std::array<char, s3::kListPieceBytesMax> piece;
    for (auto text = writer.next(piece); !text.empty(); text = writer.next(piece))
      body.append(text);
  } catch (const std::bad_alloc&) {
    return refuse(ErrorCode::kSlowDown);
  }
  station_.counts.add(Counts::answered_here);
  answer_xml(200, body, false);
}

void Visit::refuse_signature(const http::Request& request) noexcept {
  Refusal refusal{ErrorCode::kSignatureDoesNotMatch};
  const s3::Claim& claim = station_.arrival.claim;
  refusal.with("AWSAccessKeyId", claim.access_key);
  if (!config_->debug) return refuse(refusal);
  try {
    const auto canonical = claim.canonical(request, station_.arrival.query);
    const auto text = s3::canonical_text(canonical);
    if (text) {
      refusal.with("StringToSign", s3::string_to_sign(claim.stamp(), s3::sha256(*text)));
      refusal.with("CanonicalRequest", *text);
    }
  } catch (const std::bad_alloc&) {  // Then it is not told.
  }
  refuse(refusal);
}

void Visit::refuse(const Refusal& refusal) noexcept {
  const Station::RequestId id = station_.next_request_id();
  request_id_ = id;
  const std::string_view id_text{request_id_.data(), request_id_.size()};
  const std::string_view body = s3::write_error_body(
      refusal, {.request_id = id_text, .host_id = id_text}, station_.error_body);
  const std::uint16_t status = s3::info(refusal.code()).http_status;
  answer_xml(status, body, status == 503);
}

void Visit::answer_xml(std::uint16_t status, std::string_view body, bool retry) noexcept {
  if (std::exchange(answered_, true)) return;
  if (request_id_[0] == '\0') request_id_ = station_.next_request_id();
  std::array<char, 20> size;
  const auto end = std::to_chars(size.data(), size.data() + size.size(), body.size()).ptr;
  const std::array<http::Field, 4> fields{{
      {"content-type", kXml},
      {"x-amz-request-id", {request_id_.data(), request_id_.size()}},
      {"content-length", {size.data(), end}},
      {"retry-after", "1"},
  }};
  const auto used = std::span{fields}.first(retry ? 4 : 3);
  if (auto started = exchange_.start({.status = status, .fields = used}); !started) {
    return exchange_.abort(started.error());
  }
  // Nobody is left to be told when it fails.
  static_cast<void>(exchange_.write(http::Payload::borrow(body), http::Final::kYes));
}

}  // namespace tercel::gateway
