#include "tercel/s3/query.h"

#include <algorithm>

namespace tercel::s3 {
namespace {

constexpr std::string_view kSignature = "X-Amz-Signature";
// What makes a request presigned, and what goes with it.
constexpr std::string_view kAuthentication[] = {
    "X-Amz-Algorithm", "X-Amz-Content-Sha256", "X-Amz-Credential",    "X-Amz-Date",
    "X-Amz-Expires",   "X-Amz-Security-Token", "X-Amz-SignedHeaders", kSignature,
};

int compare_encoded(std::string_view a, std::string_view b) noexcept {
  EncodedBytes left{a, Part::kQuery};
  EncodedBytes right{b, Part::kQuery};
  for (;;) {
    const int byte = left.next();
    if (const int difference = byte - right.next(); difference != 0) return difference;
    if (byte < 0) return 0;
  }
}

bool comes_before(const QueryPart& a, const QueryPart& b) noexcept {
  if (a.encoded && b.encoded) {
    const int names = a.name.compare(b.name);
    return names != 0 ? names < 0 : a.value < b.value;
  }
  const int names = compare_encoded(a.name, b.name);
  return names != 0 ? names < 0 : compare_encoded(a.value, b.value) < 0;
}

}  // namespace

std::optional<ErrorCode> Query::parse(std::string_view text) noexcept {
  size_ = 0;
  if (!valid_percent_encoding(text)) return ErrorCode::kInvalidURI;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('&'), text.size());
    const std::string_view piece = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (piece.empty()) continue;
    if (size_ == kQueryPairsMax) {
      size_ = 0;
      return ErrorCode::kRequestHeaderSectionTooLarge;
    }
    const std::size_t equals = std::min(piece.find('='), piece.size());
    QueryPart& part = parts_[size_++];
    part.name = piece.substr(0, equals);
    part.value = piece.substr(std::min(equals + 1, piece.size()));
    part.plain = is_plain(part.name);
    part.encoded = is_encoded(part.name, Part::kQuery) && is_encoded(part.value, Part::kQuery);
  }
  std::sort(parts_.begin(), parts_.begin() + static_cast<std::ptrdiff_t>(size_), comes_before);
  return std::nullopt;
}

const QueryPart* Query::find(std::string_view decoded_name) const noexcept {
  for (const QueryPart& part : parts()) {
    if (part.is(decoded_name)) return &part;
  }
  return nullptr;
}

void Query::write_canonical(Without without, std::string& out) const {
  StringSink sink{out};
  put_canonical(without, sink);
}

bool Query::left_out(const QueryPart& part, Without without) noexcept {
  switch (without) {
    case Without::kNothing:
      return false;
    case Without::kSignature:
      return part.is(kSignature);
    case Without::kAuthentication:
      break;
  }
  return std::any_of(std::begin(kAuthentication), std::end(kAuthentication),
                     [&part](std::string_view name) { return part.is(name); });
}

}  // namespace tercel::s3
