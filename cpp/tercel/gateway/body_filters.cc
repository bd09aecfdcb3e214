#include "tercel/gateway/body_filters.h"

#include <algorithm>
#include <utility>

#include "tercel/gateway/endpoint_log.h"

namespace tercel::gateway {
namespace {

// And a byte order mark.
constexpr std::string_view kWhiteSpace = " \t\r\n\xef\xbb\xbf";

// Behind a declaration, comments and white space: what XML has around the root element.
std::string_view behind_misc(std::string_view text) noexcept {
  for (;;) {
    text.remove_prefix(std::min(text.find_first_not_of(kWhiteSpace), text.size()));
    const std::string_view end = text.starts_with("<!--") ? "-->"
                                 : text.starts_with("<?") ? "?>"
                                                          : "";
    const std::size_t found = end.empty() ? text.npos : text.find(end);
    if (found == text.npos) return text;
    text.remove_prefix(found + end.size());
  }
}

}  // namespace

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
                .known_only = names.known_only,
                .hidden_bucket = names.hidden_bucket,
                .hidden_source_bucket = names.hidden_source_bucket,
                .request_id = names.request_id}} {}

void ResponseFilter::rewrite(Names names) {
  work_ = std::make_unique<Work>(std::move(names));
}

void ResponseFilter::rewrite_error(Names names, OwnText own) {
  instead_ = std::make_unique<Instead>(Instead{.own = std::move(own), .is_own = false});
  instead_->collected.reserve(kErrorBytesMax);
  names.known_only = true;
  rewrite(std::move(names));
}

void ResponseFilter::replace(OwnText own) {
  instead_ = std::make_unique<Instead>(Instead{.own = std::move(own)});
}

bool ResponseFilter::refuses_credentials() const noexcept {
  return instead_ != nullptr && work_ != nullptr && is_of_credentials(work_->rewriter.error_code());
}

std::string_view ResponseFilter::error_code() const noexcept {
  const bool is_own = instead_ != nullptr && instead_->is_own && !refuses_credentials();
  if (is_own) return instead_->own.error_code;
  return work_ != nullptr ? work_->rewriter.error_code() : std::string_view{};
}

void ResponseFilter::collect(std::string_view bytes) noexcept {
  while (!bytes.empty() && !instead_->is_own) {
    const s3::Rewriter::Event event = work_->rewriter.next(bytes);
    if (event == s3::Rewriter::Event::kNeedMore) return;
    const std::string_view data = work_->rewriter.data();
    if (event == s3::Rewriter::Event::kFailed ||
        data.size() > kErrorBytesMax - instead_->collected.size()) {
      instead_->is_own = true;
    } else {
      instead_->collected.append(data);
    }
  }
}

// Around its root element an error has nothing to tell, but that it is XML.
std::string_view ResponseFilter::judge() noexcept {
  constexpr std::string_view kBegin = "<Error";
  constexpr std::string_view kEnd = "</Error>";
  const std::string_view text = instead_->collected;
  std::string_view root = behind_misc(text);
  const std::size_t end = root.starts_with(kBegin) ? root.find(kEnd) : text.npos;
  if (instead_->is_own || refuses_credentials() || end == text.npos ||
      !work_->rewriter.complete() || !behind_misc(root.substr(end + kEnd.size())).empty()) {
    instead_->is_own = true;
    return instead_->own.document;
  }
  const std::size_t begin = text.size() - root.size();
  root = root.substr(0, end + kEnd.size());
  const std::size_t declared = text.starts_with("<?xml ") ? text.find("?>") + 2 : 0;
  const bool follows = text.find_first_not_of(kWhiteSpace, declared) == begin;
  return follows ? text.substr(0, begin + root.size()) : root;
}

Result<proxy::BodyFilter::Passed> ResponseFilter::pass(std::string_view bytes,
                                                       http::Final final) noexcept {
  const std::size_t given = bytes.size();
  if (instead_ != nullptr) {
    instead_->read_bytes += given;
    if (work_ != nullptr) collect(bytes);
    if (final == http::Final::kNo || given != 0 || std::exchange(instead_->was_sent, true)) {
      return Passed{given, {}};
    }
    return Passed{given, work_ != nullptr ? judge() : std::string_view{instead_->own.document}};
  }
  if (work_ == nullptr) return Passed{given, bytes};
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

std::string_view ResponseFilter::end_early(Rest rest) noexcept {
  if (instead_ == nullptr || instead_->was_sent) return {};
  if (rest == Rest::kMayCome && instead_->read_bytes <= kErrorBytesMax) return {};
  instead_->is_own = instead_->was_sent = true;
  return instead_->own.document;
}

}  // namespace tercel::gateway
