#include <array>
#include <charconv>
#include <new>
#include <string>
#include <string_view>
#include <utility>

#include "tercel/gateway/visit.h"
#include "tercel/s3/canonical_request.h"
#include "tercel/s3/error_body.h"
#include "tercel/s3/sha256.h"
#include "tercel/s3/signature.h"

namespace tercel::gateway {
namespace {

using s3::ErrorCode;
using s3::Refusal;

}  // namespace

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
    for (auto text = writer.next(piece); !text.empty(); text = writer.next(piece)) {
      body.append(text);
    }
  } catch (const std::bad_alloc&) {
    return refuse(ErrorCode::kSlowDown);
  }
  station_.counts.add(Counts::answered_here);
  answer_xml(200, body);
}

void Visit::refuse_signature(const http::Request& request) noexcept {
  Refusal refusal{ErrorCode::kSignatureDoesNotMatch};
  const s3::Claim& claim = station_.arrival.claim;
  refusal.with("AWSAccessKeyId", claim.access_key).with("SignatureProvided", claim.signature);
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
  if (answered_) return;
  error_ = refusal.code();
  const std::string_view id = own_request_id();
  const std::string_view body = s3::write_error_body(
      refusal, {.resource = request_->path, .request_id = id, .host_id = id}, station_.error_body);
  const std::uint16_t status = s3::info(refusal.code()).http_status;
  std::array<char, 20> wait;
  http::Field more;
  if (status == 503) {
    const auto end =
        std::to_chars(wait.data(), wait.data() + wait.size(), retry_after_.count()).ptr;
    more = {"retry-after", {wait.data(), end}};
  } else if (status == 405) {
    more = {"allow", s3::allowed_methods(station_.arrival.resource.level())};
  }
  answer_xml(status, body, more);
}

std::string_view Visit::own_request_id() noexcept {
  if (request_id_[0] == '\0') request_id_ = station_.next_request_id();
  return {request_id_.data(), request_id_.size()};
}

void Visit::answer_xml(std::uint16_t status, std::string_view body, http::Field more) noexcept {
  if (std::exchange(answered_, true)) return;
  std::array<char, 20> size;
  const auto end = std::to_chars(size.data(), size.data() + size.size(), body.size()).ptr;
  constexpr std::size_t kOwn = 4;
  std::array<http::Field, kOwn + edge::CorsPolicy::kFieldsMax> fields{{
      {"content-type", "application/xml"},
      {"x-amz-request-id", own_request_id()},
      {"content-length", {size.data(), end}},
      more,
  }};
  std::size_t count = more.name.empty() ? kOwn - 1 : kOwn;
  for (const http::Field& field :
       cors_.fields(std::span{fields}.first(count), station_.cors_room)) {
    fields[count++] = field;
  }
  const auto used = std::span{fields}.first(count);
  if (auto started = exchange_.start({.status = status, .fields = used}); !started) {
    return exchange_.abort(started.error());
  }
  // Nobody is left to be told when it fails.
  static_cast<void>(exchange_.write(http::Payload::borrow(body), http::Final::kYes));
}

}  // namespace tercel::gateway
