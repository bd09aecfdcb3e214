#include "tercel/s3/rewrite.h"

#include <algorithm>
#include <iterator>

#include "tercel/s3/xml_text.h"

namespace tercel::s3 {
namespace {

using Rule = Rewriter::Rule;
using What = Rewriter::What;

// Sorted by document.
constexpr Rule kRules[] = {
    {"CompleteMultipartUploadResult/Bucket", What::kBucket},
    {"CompleteMultipartUploadResult/Key", What::kKey},
    {"CompleteMultipartUploadResult/Location", What::kLocation},
    {"DeleteResult/Deleted/Key", What::kKey},
    {"DeleteResult/Error/Key", What::kErrorKey},
    {"DeleteResult/Error/Message", What::kMessage},
    {"Error/AWSAccessKeyId", What::kSecret},
    {"Error/ArgumentValue", What::kErrorValue},
    {"Error/Bucket", What::kBucket},
    {"Error/BucketName", What::kBucket},
    {"Error/CanonicalRequest", What::kSecret},
    {"Error/CanonicalRequestBytes", What::kSecret},
    {"Error/Code", What::kCode},
    {"Error/Endpoint", What::kEndpoint},
    {"Error/HostId", What::kRequestId},
    {"Error/Key", What::kErrorKey},
    {"Error/Message", What::kMessage},
    {"Error/Region", What::kSecret},
    {"Error/RequestId", What::kRequestId},
    {"Error/Resource", What::kResource},
    {"Error/SignatureProvided", What::kSecret},
    {"Error/StringToSign", What::kSecret},
    {"Error/StringToSignBytes", What::kSecret},
    {"InitiateMultipartUploadResult/Bucket", What::kBucket},
    {"InitiateMultipartUploadResult/Key", What::kKey},
    {"ListBucketResult/CommonPrefixes/Prefix", What::kKey},
    {"ListBucketResult/Contents/Key", What::kKey},
    {"ListBucketResult/Marker", What::kKey},
    {"ListBucketResult/Name", What::kBucket},
    {"ListBucketResult/NextMarker", What::kKey},
    {"ListBucketResult/Prefix", What::kKey},
    {"ListBucketResult/StartAfter", What::kKey},
    {"ListMultipartUploadsResult/Bucket", What::kBucket},
    {"ListMultipartUploadsResult/CommonPrefixes/Prefix", What::kKey},
    {"ListMultipartUploadsResult/KeyMarker", What::kKey},
    {"ListMultipartUploadsResult/NextKeyMarker", What::kKey},
    {"ListMultipartUploadsResult/Prefix", What::kKey},
    {"ListMultipartUploadsResult/Upload/Key", What::kKey},
    {"ListPartsResult/Bucket", What::kBucket},
    {"ListPartsResult/Key", What::kKey},
    {"ListVersionsResult/CommonPrefixes/Prefix", What::kKey},
    {"ListVersionsResult/DeleteMarker/Key", What::kKey},
    {"ListVersionsResult/KeyMarker", What::kKey},
    {"ListVersionsResult/Name", What::kBucket},
    {"ListVersionsResult/NextKeyMarker", What::kKey},
    {"ListVersionsResult/Prefix", What::kKey},
    {"ListVersionsResult/Version/Key", What::kKey},
    {"PostResponse/Bucket", What::kBucket},
    {"PostResponse/Key", What::kKey},
    {"PostResponse/Location", What::kLocation},
};

// Has nothing in it that tells_names() finds.
constexpr std::string_view kNoMessage =
    "The storage refused this, and its message has names of its own";

constexpr std::string_view root_of(const Rule& rule) noexcept {
  return rule.path.substr(0, rule.path.find('/'));
}

static_assert(std::is_sorted(std::begin(kRules), std::end(kRules),
                             [](const Rule& a, const Rule& b) { return root_of(a) < root_of(b); }));

}  // namespace

Rewriter::Event Rewriter::next(std::string_view& bytes) noexcept {
  while (!bytes.empty()) {
    const Event event = state_ == State::kCollect ? collect(bytes) : scan(bytes);
    if (event != Event::kNeedMore) return event;
  }
  return state_ == State::kFailed ? Event::kFailed : Event::kNeedMore;
}

bool Rewriter::complete() const noexcept {
  return state_ == State::kPass || (state_ == State::kScan && scanner_.is_outside());
}

Rewriter::Event Rewriter::collect(std::string_view& bytes) noexcept {
  const std::size_t size = std::min(bytes.find('<'), bytes.size());
  if (size > kTextBytesMax - text_bytes_) return fail();
  text_bytes_ += bytes.copy(text_.data() + text_bytes_, size);
  bytes.remove_prefix(size);
  if (bytes.empty()) return Event::kNeedMore;
  state_ = State::kExpectEnd;
  if (!replace()) return fail();
  return data_.empty() ? Event::kNeedMore : Event::kData;
}

// As far as nothing is rewritten: pieces are as large as they can be.
Rewriter::Event Rewriter::scan(std::string_view& bytes) noexcept {
  const std::string_view before = bytes;
  do {
    if (state_ == State::kPass) {
      bytes = {};
    } else if (state_ == State::kFailed || !take(scanner_.next(bytes))) {
      return fail();
    }
  } while (!bytes.empty() && state_ != State::kCollect);
  data_ = before.substr(0, before.size() - bytes.size());
  return Event::kData;
}

bool Rewriter::take(XmlScanner::Event event) noexcept {
  const bool opens = event == XmlScanner::Event::kOpen || event == XmlScanner::Event::kEmpty;
  if (event == XmlScanner::Event::kFailed) return false;
  if (values_.known_only && scanner_.has_text_outside()) return false;
  if (event == XmlScanner::Event::kNeedMore) return true;
  if (state_ == State::kExpectEnd) {
    // Other elements in this one, or text in CDATA, would not be rewritten.
    if (event != XmlScanner::Event::kClose) return false;
    state_ = State::kScan;
    return true;
  }
  if (!opens) return true;
  if (scanner_.depth() == 1) {
    find_rules();
    if (rules_.empty()) state_ = State::kPass;
    return !rules_.empty() || !values_.known_only;
  }
  if (event != XmlScanner::Event::kOpen) return true;
  if (const Rule* const rule = find_rule(); rule != nullptr) {
    what_ = rule->what;
    text_bytes_ = 0;
    state_ = State::kCollect;
  }
  return true;
}

void Rewriter::find_rules() noexcept {
  const std::string_view root = scanner_.path();
  const auto* const first =
      std::find_if(std::begin(kRules), std::end(kRules),
                   [root](const Rule& rule) { return root_of(rule) == root; });
  const auto* const last = std::find_if(first, std::end(kRules),
                                        [root](const Rule& rule) { return root_of(rule) != root; });
  rules_ = {first, last};
}

const Rule* Rewriter::find_rule() const noexcept {
  for (const Rule& rule : rules_) {
    if (rule.path != scanner_.path()) continue;
    const bool any_prefix = !values_.key_prefix.empty() || !values_.source_prefix.empty();
    switch (rule.what) {
      case What::kKey:
        return values_.key_prefix.empty() ? nullptr : &rule;
      case What::kErrorKey:
      case What::kErrorValue:
        return any_prefix ? &rule : nullptr;
      case What::kMessage:
        return hides_names() ? &rule : nullptr;
      case What::kRequestId:
        return values_.request_id.empty() ? nullptr : &rule;
      default:
        return &rule;
    }
  }
  return nullptr;
}

bool Rewriter::replace() noexcept {
  data_ = {};
  switch (what_) {
    case What::kBucket:
      return replace_by(values_.bucket);
    case What::kLocation:
      return replace_by(values_.location);
    case What::kCode:
      data_ = {text_.data(), text_bytes_};
      code_bytes_ = data_.copy(code_.data(), code_.size());
      return true;
    case What::kResource:
      return replace_by(values_.resource);
    case What::kEndpoint:
      return replace_by(values_.endpoint);
    case What::kRequestId:
      return replace_by(values_.request_id);
    case What::kSecret:
      return true;
    case What::kErrorKey:
    case What::kErrorValue:
      strip_error();
      return true;
    case What::kMessage:
      data_ = tells_names() ? kNoMessage : std::string_view{text_.data(), text_bytes_};
      return true;
    case What::kKey:
      break;
  }
  return strip_prefix();
}

bool Rewriter::replace_by(std::string_view value) noexcept {
  const auto written = escape_xml(value, text_);
  if (!written) return false;
  data_ = *written;
  return true;
}

// Markers are empty where the request has none.
bool Rewriter::strip_prefix() noexcept {
  data_ = {text_.data(), text_bytes_};
  if (data_.empty()) return true;
  const auto rest = strip_xml_prefix(
      data_, values_.key_prefix, values_.keys_are_url_encoded ? UrlEncoded::kYes : UrlEncoded::kNo);
  if (rest) data_ = *rest;
  return rest.has_value();
}

// A value may be anything that the client said; a key that is none of the client's is not told.
void Rewriter::strip_error() noexcept {
  data_ = {text_.data(), text_bytes_};
  for (const std::string_view prefix : {values_.key_prefix, values_.source_prefix}) {
    if (prefix.empty()) continue;
    if (const auto rest = strip_xml_prefix(data_, prefix, UrlEncoded::kNo)) {
      data_ = *rest;
      return;
    }
  }
  if (what_ == What::kErrorKey && !values_.key_prefix.empty()) data_ = {};
}

bool Rewriter::hides_names() const noexcept {
  return !values_.key_prefix.empty() || !values_.source_prefix.empty() ||
         !values_.hidden_bucket.empty() || !values_.hidden_source_bucket.empty();
}

// A folder has a slash, however it is written; a name of a bucket nothing that is written
// otherwise.
bool Rewriter::tells_names() const noexcept {
  const std::string_view text{text_.data(), text_bytes_};
  for (const std::string_view bucket : {values_.hidden_bucket, values_.hidden_source_bucket}) {
    if (!bucket.empty() && text.find(bucket) != std::string_view::npos) return true;
  }
  if (values_.key_prefix.empty() && values_.source_prefix.empty()) return false;
  return text.find_first_of("/\\%&") != std::string_view::npos;
}

Rewriter::Event Rewriter::fail() noexcept {
  state_ = State::kFailed;
  return Event::kFailed;
}

}  // namespace tercel::s3
