#include "tercel/gateway/visit.h"

#include <array>
#include <string_view>
#include <utility>

#include "tercel/gateway/anonymous.h"
#include "tercel/gateway/below_prefix.h"
#include "tercel/http/message_copy.h"
#include "tercel/s3/canonical_request.h"
#include "tercel/s3/sha256.h"
#include "tercel/s3/signature.h"

namespace tercel::gateway {
namespace {

using s3::ErrorCode;
using s3::Refusal;

}  // namespace

void Visit::begin(const http::Request& request) noexcept {
  station_.counts.add(Counts::requests);
  request_ = &request;
  config_ = station_.config.current();
  station_.checks.follow();
  arrived_ = station_.now();
  exchange_.observe(this);
  if (request.method == "OPTIONS") return answer_preflight(request);
  if (look_at_origin(request)) proceed(request);
}

void Visit::proceed(const http::Request& request) noexcept {
  const std::span<char> scratch =
      station_.scratch(Arrival::kMemoryBytes + 6 * request.query.size());
  if (scratch.empty()) {
    note(request, Read::kNot);
    return refuse(ErrorCode::kSlowDown);
  }
  const auto refusal = station_.arrival.read(request, *config_, arrived_, scratch);
  note(request, refusal ? Read::kInPart : Read::kWhole);
  if (refusal) {
    station_.counts.add(Counts::refused);
    return refuse(*refusal);
  }
  if (!verify(request) || !admit(request) || !authorize(request)) return;
  if (station_.arrival.operation.operation == s3::Operation::kListBuckets) {
    return list_buckets(request);
  }
  if (!find_backend(request) || !find_credentials(request)) return;
  relay(request);
}

// --- whose request it is

bool Visit::verify(const http::Request& request) noexcept {
  const s3::Claim& claim = station_.arrival.claim;
  if (claim.mechanism == s3::Mechanism::kAnonymous) {
    key_ = station_.anonymous;
    const auto refusal = refuse_anonymous(request, station_.arrival, *config_);
    if (!refusal) return true;
    station_.counts.add(Counts::refused);
    refuse(*refusal);
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
  const std::string_view token = key_->session_token.view();
  if (key_->verdict == Verdict::kNo) {
    station_.counts.add(Counts::refused);
    refuse(Refusal{ErrorCode::kInvalidAccessKeyId}.with("AWSAccessKeyId", claim.access_key));
    return false;
  }
  // A token that the key does not have is told of first, as it may be what makes the signature
  // wrong.
  if (!right && (!token.empty() || claim.session_token.empty())) {
    station_.counts.add(Counts::refused);
    refuse_signature(request);
    return false;
  }
  if (!s3::equal_constant_time(claim.session_token, token)) {
    station_.counts.add(Counts::refused);
    refuse(ErrorCode::kInvalidToken);
    return false;
  }
  verified_ = true;
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
  const s3::Secret secret{key_->version, key_->secret.view()};
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

bool Visit::find_backend(const http::Request& request) noexcept {
  const Arrival& arrival = station_.arrival;
  // Where there is none, it has answered, and this visit may be over.
  const Backend* found = backend_of(arrival.resource.bucket, resolved_, request);
  if (found == nullptr) return false;
  backend_ = found;
  if (arrival.copies) {
    found = backend_of(arrival.source.bucket, source_resolved_, request);
    if (found == nullptr) return false;
    source_backend_ = found;
  }
  if (source_backend_ != nullptr && !same_place(*backend_, *source_backend_)) {
    refuse(Refusal{ErrorCode::kNotImplemented, "The source of a copy is on another backend"});
    return false;
  }
  if (const auto refusal = refuse_below_prefix(arrival, *backend_, source_backend_)) {
    station_.counts.add(Counts::refused);
    refuse(*refusal);
    return false;
  }
  return true;
}

const Backend* Visit::backend_of(std::string_view bucket, SharedConst<ResolvedBucket>& resolved,
                                 const http::Request& request) noexcept {
  if (const Backend* const named = config_->buckets.find(bucket)) return named;
  if (config_->resolves && !resolved) {
    auto known = station_.desk->bucket(bucket, bucket_waiter_);
    if (known.state == Desk::State::kWaits) {
      wanted_bucket_ = &resolved;
      (void)keep(request);
      return nullptr;
    }
    if (known.state == Desk::State::kRefused) {
      refuse(ErrorCode::kSlowDown);
      return nullptr;
    }
    resolved = std::move(known.value);
  }
  if (resolved) {
    if (fails(resolved->verdict)) return nullptr;
    if (resolved->verdict == Verdict::kYes) return &*resolved->backend;
  }
  refuse(Refusal{ErrorCode::kNoSuchBucket}.with("BucketName", bucket));
  return nullptr;
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

// --- waiting for a policy

bool Visit::keep(const http::Request& request) noexcept {
  if (!copy_request(request)) {
    key_waiter_.unlink();
    decision_waiter_.unlink();
    credentials_waiter_.unlink();
    bucket_waiter_.unlink();
    budget_waiter_.unlink();
    refuse(ErrorCode::kSlowDown);
  }
  return false;
}

bool Visit::copy_request(const http::Request& request) noexcept {
  if (is_kept_) return true;
  memory_ = station_.loop.blocks().take(http::copy_bytes(request));
  if (!memory_) return false;
  kept_ = http::copy(request, memory_.data());
  request_ = &kept_;
  is_kept_ = true;
  return true;
}

void Visit::store(const SharedConst<Decision>& decision) noexcept {
  if (wanted_ != nullptr) *std::exchange(wanted_, nullptr) = decision;
}

}  // namespace tercel::gateway
