#include "tercel/gateway/body_filters.h"

#include <utility>

namespace tercel::gateway {

RequestFilter::RequestFilter(const s3::PayloadPlan& plan, s3::PayloadMode mode,
                             const std::optional<s3::ChunkSigner>& signer)
    : verifier_{owned(plan), mode, signer} {}

s3::PayloadPlan RequestFilter::owned(const s3::PayloadPlan& plan) {
  texts_.append(plan.sha256).append(plan.md5).append(plan.checksum);
  const std::string_view texts = texts_;
  s3::PayloadPlan mine = plan;
  mine.sha256 = texts.substr(0, plan.sha256.size());
  mine.md5 = texts.substr(plan.sha256.size(), plan.md5.size());
  mine.checksum = texts.substr(plan.sha256.size() + plan.md5.size());
  return mine;
}

Result<proxy::BodyFilter::Passed> RequestFilter::pass(std::string_view bytes,
                                                      http::Final final) noexcept {
  if (!decoded_.empty()) return Passed{0, chunks_->next(decoded_)};
  if (finished_) return end(bytes.size());
  const std::size_t given = bytes.size();
  switch (verifier_.next(bytes)) {
    case s3::PayloadVerifier::Event::kData:
      if (!chunks_) return Passed{given - bytes.size(), verifier_.data()};
      decoded_ = verifier_.data();
      return Passed{given - bytes.size(), chunks_->next(decoded_)};
    case s3::PayloadVerifier::Event::kFailed:
      failure_ = verifier_.failure();
      return fail(Errc::kTruncated);
    case s3::PayloadVerifier::Event::kNeedMore:
      break;
  }
  if (!bytes.empty() || final != http::Final::kYes) return Passed{given - bytes.size(), {}};
  finished_ = true;
  if (const auto error = verifier_.finish()) {
    failure_ = error;
    return fail(Errc::kTruncated);
  }
  if (!chunks_) return Passed{given, verifier_.rest()};
  decoded_ = verifier_.rest();
  return decoded_.empty() ? end(given) : Passed{given, chunks_->next(decoded_)};
}

// Once, what is behind the last chunk of a body that goes on in chunks.
proxy::BodyFilter::Passed RequestFilter::end(std::size_t consumed) noexcept {
  if (!chunks_ || std::exchange(ended_, true)) return {consumed, {}};
  return {consumed, chunks_->finish(verifier_.trailer())};
}

ResponseFilter::Work::Work(Names given)
    : names{std::move(given)},
      rewriter{{.bucket = names.bucket,
                .location = names.location,
                .resource = names.resource,
                .endpoint = names.endpoint,
                .key_prefix = names.key_prefix,
                .source_prefix = names.source_prefix,
                .keys_are_url_encoded = names.keys_are_url_encoded,
                .known_only = names.known_only}} {}

void ResponseFilter::rewrite(Names names) {
  work_ = std::make_unique<Work>(std::move(names));
}

Result<proxy::BodyFilter::Passed> ResponseFilter::pass(std::string_view bytes,
                                                       http::Final final) noexcept {
  if (work_ == nullptr) return Passed{bytes.size(), drops_ ? std::string_view{} : bytes};
  const std::size_t given = bytes.size();
  switch (work_->rewriter.next(bytes)) {
    case s3::Rewriter::Event::kData:
      return Passed{given - bytes.size(), work_->rewriter.data()};
    case s3::Rewriter::Event::kFailed:
      return fail(Errc::kUpstreamMalformed);
    case s3::Rewriter::Event::kNeedMore:
      break;
  }
  if (final == http::Final::kYes && bytes.empty() && !work_->rewriter.complete()) {
    return fail(Errc::kUpstreamTruncated);
  }
  return Passed{given - bytes.size(), {}};
}

}  // namespace tercel::gateway
