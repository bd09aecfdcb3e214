#include <new>
#include <string>
#include <string_view>
#include <utility>

#include "tercel/gateway/below_prefix.h"
#include "tercel/gateway/endpoint_log.h"
#include "tercel/gateway/redirect.h"
#include "tercel/gateway/visit.h"
#include "tercel/s3/resource.h"
#include "tercel/s3/signature.h"

namespace tercel::gateway {
using s3::ErrorCode;
using s3::Refusal;

void Visit::relay(const http::Request& request) noexcept {
  const Arrival& arrival = station_.arrival;
  const bool is_signed = std::holds_alternative<Hmac>(credentials_->value);
  const BodyPlan body = plan_body(request, arrival.payload, *backend_, is_signed);
  const bool collects = body_is_rewritten(arrival.operation.operation, *backend_);
  if (arrival.payload.is_foreign && (collects || body.mode != s3::PayloadMode::kPass)) {
    station_.counts.add(Counts::refused);
    return refuse(s3::foreign_trailer());
  }
  proxy::RelayFilters filters;
  filters.request = collected_.get();
  filters.repeats = collected_ != nullptr;
  try {
    if (collects && collected_ == nullptr) {
      if (arrival.payload.bytes > s3::DeletedKeys::kReadBytesMax) {
        return refuse(ErrorCode::kEntityTooLarge);
      }
      collected_ = std::make_unique<CollectedBody>(backend_->prefix);
      request_filter_ =
          std::make_unique<RequestFilter>(arrival.payload, s3::PayloadMode::kVerify, std::nullopt);
      return begin_body(request);
    }
    if (body.mode != s3::PayloadMode::kPass && !body_is_verified_) {
      std::optional<s3::ChunkSigner> signer;
      if (arrival.payload.payload == s3::Payload::kChunks ||
          arrival.payload.payload == s3::Payload::kChunksAndTrailer) {
        const s3::Claim& claim = arrival.claim;
        signer.emplace(s3::SigningKey{key_->secret.view(), claim.stamp().date(), claim.region},
                       claim.stamp(), claim.signature);
      }
      request_filter_ = std::make_unique<RequestFilter>(arrival.payload, body.mode, signer);
      if (body.reframes) {
        request_filter_->reframe(arrival.payload.bytes, *arrival.payload.algorithm);
      }
      filters.request = request_filter_.get();
    }
  } catch (const std::bad_alloc&) {
    return refuse(ErrorCode::kSlowDown);
  }
  // A backend that is told that there is no body stores the object with the head.
  if (request_filter_ != nullptr && arrival.payload.bytes == 0) return begin_body(request);
  filters.response = &response_.begin(arrival, collects);
  filters.throttle = lease_.throttle();
  if (!station_.redirects.empty() && !resolved_) {
    elsewhere_ = station_.redirects.find(config_, arrival.resource.bucket, station_.loop.now());
    if (elsewhere_) backend_ = &*elsewhere_;
  }
  station_.counts.add(Counts::forwarded);
  depart();
  if (!body_is_verified_ || collected_ != nullptr) {
    has_arrival_ = true;
    return proxy::Relay::start(station_.relays, *this, request, exchange_, filters);
  }
  http::Request without_body = request;
  without_body.has_body = false;
  without_body.content_length = 0;
  proxy::Relay::start(station_.relays, *this, without_body, exchange_, filters);
}

void Visit::begin_body(const http::Request& request) noexcept {
  if (!copy_request(request)) return refuse(ErrorCode::kSlowDown);
  reads_body_ = true;
  read_whole_body();
}

bool Visit::collect(std::string_view bytes, http::Final final) noexcept {
  if (collected_ == nullptr) return true;
  std::optional<ErrorCode> error;
  try {
    if (!bytes.empty()) error = collected_->take(bytes);
    if (!error && final == http::Final::kYes) error = collected_->finish();
  } catch (const std::bad_alloc&) {
    error = ErrorCode::kSlowDown;
  }
  if (!error) return true;
  reads_body_ = false;
  station_.counts.add(Counts::refused);
  refuse(*error);
  return false;
}

void Visit::read_whole_body() noexcept {
  for (;;) {
    const http::BodyRead part = exchange_.read_body();
    if (part.state == http::BodyState::kPending || part.state == http::BodyState::kFailed) return;
    std::string_view bytes = part.bytes;
    // It is bounded, and waits for nothing: what comes behind it does.
    if (proxy::Throttle* const throttle = lease_.throttle(); throttle != nullptr) {
      throttle->passed(proxy::Way::kUp, bytes.size(), station_.loop.now());
    }
    const bool last = part.state == http::BodyState::kEnd;
    for (bool done = false; !done;) {
      const auto passed = request_filter_->pass(bytes, last ? http::Final::kYes : http::Final::kNo);
      if (!passed) {
        reads_body_ = false;
        return refused(exchange_, passed.error());
      }
      if (!collect(passed->bytes, http::Final::kNo)) return;
      bytes.remove_prefix(passed->consumed);
      done = passed->consumed == 0;
    }
    if (last) break;
  }
  if (!collect({}, http::Final::kYes)) return;
  reads_body_ = false;
  body_is_verified_ = true;
  request_filter_.reset();
  proceed(kept_);
}

Result<void> Visit::rewrite_request(const http::Request& from, proxy::Outgoing& to,
                                    proxy::FieldDraft& /*draft*/) noexcept {
  const std::chrono::seconds now = station_.now();
  const Endpoint& endpoint = attempts_.next(*backend_, station_.loop.now(), station_.turn++);
  // Each attempt is signed anew; what the first one is about was read just now.
  if (!std::exchange(has_arrival_, false)) {
    const std::span<char> scratch = station_.scratch(Arrival::kMemoryBytes + 6 * from.query.size());
    if (scratch.empty()) return fail(Errc::kNoMemory);
    refusal_ = station_.arrival.read(from, *config_, arrived_, scratch);
  }
  OtherBody body{};
  if (collected_ != nullptr) {
    collected_->rewind();
    body = {collected_->size(), collected_->sha256(), collected_->md5()};
  }
  if (!refusal_) {
    refusal_ = station_.departure.write(
        from, station_.arrival,
        {*backend_, *credentials_, station_.back_keys, now, source_backend_,
         collected_ != nullptr ? &body : nullptr, &endpoint});
  }
  if (refusal_) return fail(Errc::kHandlerFailed);
  request_ = &from;
  to.times = &backend_->times;
  to.source = station_.pools.source_of(endpoint);
  if (to.source == nullptr) return fail(Errc::kNoMemory);
  const bool expects = to.head.expects_continue && collected_ == nullptr &&
                       station_.departure.head().framing != http::Framing::kNone;
  to.head = station_.departure.head();
  to.head.expects_continue = expects;
  to.passes_trailers = false;  // Nobody has signed them.
  return {};
}

bool Visit::goes_elsewhere(const http::ResponseHead& head) noexcept {
  if (!is_redirect(head.status) || !learn_elsewhere(head)) return false;
  attempts_.passed();
  backend_ = &*elsewhere_;
  return true;
}

bool Visit::learn_elsewhere(const http::ResponseHead& head) noexcept {
  if (elsewhere_) return false;
  const std::span<char> scratch = station_.scratch(s3::kResourceMemoryBytes);
  s3::Resource resource;
  if (scratch.empty() || s3::read_resource(request_->authority, request_->path,
                                           config_->domain_views, scratch, resource)) {
    return false;
  }
  try {
    const std::string_view there = backend_->bucket;
    Backend asked = *backend_;
    static_cast<Endpoint&>(asked) = attempts_.endpoint();
    asked.others.clear();
    auto elsewhere = redirect_of(head, asked, there.empty() ? resource.bucket : there);
    if (!elsewhere) return false;
    // The other endpoints may know better the next time, or who is asked for the bucket.
    if (backend_->endpoints() > 1 || resolved_) {
      elsewhere_ = SharedConst<Backend>{*std::move(elsewhere)};
      return true;
    }
    const bool for_good = head.status == 301;
    elsewhere_ = station_.redirects.add(
        config_, resource.bucket, *std::move(elsewhere),
        for_good ? KnownRedirects::For::kGood : KnownRedirects::For::kNow, station_.loop.now());
    return true;
  } catch (const std::bad_alloc&) {
    return false;
  }
}

Result<void> Visit::rewrite_response(const http::ResponseHead& from, http::Response& to,
                                     proxy::FieldDraft& draft) noexcept {
  if (!proxy::is_transient(from.status)) attempts_.passed();
  const http::Field* const id = http::find_field(from.fields, "x-amz-request-id");
  const std::string_view theirs = id != nullptr ? id->value : std::string_view{};
  arrive(theirs);
  // Of a wrong region S3 speaks with 400, too.
  if (is_redirect(from.status) || from.status == 400) forget_elsewhere();
  if (is_redirect(from.status)) {
    // The next time it is known where it goes, perhaps; what nobody may know stays wrong.
    static_cast<void>(learn_elsewhere(from));
    const bool for_good = from.status == 301 || from.status == 308;
    refusal_ = Refusal{for_good ? ErrorCode::kInternalError : ErrorCode::kServiceUnavailable,
                       "The storage behind the server has the bucket elsewhere"};
    station_.counts.add(Counts::backend_failed);
    return fail(Errc::kUpstreamFailed);
  }
  const ResponseRewriter::To client{.request = *request_,
                                    .config = *config_,
                                    .backend = *backend_,
                                    .source = source_backend_,
                                    .cors = cors_,
                                    .request_id = theirs.empty() ? own_request_id() : theirs,
                                    .has_own_id = theirs.empty()};
  if (const auto done = response_.rewrite(from, client, station_, draft); !done) return done;
  to.fields = draft.fields();
  return {};
}

std::optional<std::chrono::nanoseconds> Visit::after_failure(
    const proxy::FailedAttempt& failed) noexcept {
  // A connection that had been closed while nobody used it says nothing of the place.
  const bool was_stale = failed.reused && proxy::nothing_was_lost(failed);
  if (failed.status == 0 && !was_stale) {
    forget_elsewhere();
    if (is_its_own(failed.error)) {
      tell_failure(attempts_.endpoint(), failed.error, Asked::kByClient);
    }
  }
  return attempts_.after(failed, station_.loop.now(), station_.counts);
}

void Visit::refused(http::Exchange& /*exchange*/, Errc error) noexcept {
  arrive({});
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

void Visit::broke_off(Errc error) noexcept {
  broke_off_ = info(error).blame == Blame::kUpstream;
  if (!broke_off_) return;
  station_.counts.add(Counts::backend_failed);
  tell_failure(attempts_.endpoint(), error, Asked::kByClient);
}

void Visit::ended(http::Outcome outcome, unsigned attempts) noexcept {
  if (response_.refuses_credentials()) {
    tell_refusal(attempts_.endpoint(), backend_->rule, response_.error_code());
  }
  conclude(outcome, attempts, traffic_ ? *traffic_ : exchange_.traffic());
  station_.visits->destroy(this);
}

// While a policy is asked. A relay has rules of its own.
void Visit::on_notice(http::Notice notice) noexcept {
  if (notice != http::Notice::kInputClosed || answered_ || outlives_client()) return;
  exchange_.abort(Errc::kClosed);
}

void Visit::on_end(http::Outcome outcome) noexcept {
  conclude(outcome, 0, exchange_.traffic());
  station_.visits->destroy(this);
}

}  // namespace tercel::gateway
