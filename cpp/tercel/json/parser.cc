#include "tercel/json/parser.h"

#include <algorithm>
#include <cstring>

#include "tercel/base/utf8.h"
#include "tercel/json/tape_builder.h"

namespace tercel::json {
namespace {

constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";

std::size_t find_bad_utf8(std::string_view text) noexcept {
  Utf8Validator validator;
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (!validator.feed(text.substr(at, 1))) return at;
  }
  return text.size();
}

// The control character in a string, or the quote that begins the one without an end.
std::size_t find_bad_string(std::string_view text, FaultKind fault) noexcept {
  std::size_t quote = std::string_view::npos;
  for (std::size_t at = 0; at < text.size(); ++at) {
    const auto byte = static_cast<unsigned char>(text[at]);
    if (byte == '"') {
      quote = quote == std::string_view::npos ? at : std::string_view::npos;
    } else if (quote != std::string_view::npos) {
      if (byte == '\\') ++at;
      if (byte < 0x20 && fault == FaultKind::kControlInString) return at;
    }
  }
  return std::min(quote, text.size());
}

// The first stage says what is wrong, not where. Only a text that is refused is looked at twice.
std::size_t find_fault(std::string_view text, FaultKind fault) noexcept {
  if (fault == FaultKind::kNotUtf8) return find_bad_utf8(text);
  if (fault == FaultKind::kControlInString || fault == FaultKind::kOpenString) {
    return find_bad_string(text, fault);
  }
  return fault == FaultKind::kEmpty ? text.size() : 0;
}

Errc error_of(FaultKind fault) noexcept {
  if (fault == FaultKind::kNoMemory) return Errc::kNoMemory;
  return fault == FaultKind::kTooLong ? Errc::kBodyTooLarge : Errc::kBadJson;
}

}  // namespace

FaultKind Parser::fill(std::string_view text, Document& document,
                       const ParseOptions& options) noexcept {
  if (text.size() > std::min(options.text_bytes_max, StructuralIndex::kTextBytesMax)) {
    return FaultKind::kTooLong;
  }
  if (text.starts_with(kByteOrderMark)) return FaultKind::kByteOrderMark;
  if (options.text == TextPolicy::kCopy) {
    if (!document.copy_.reserve(text.size())) return FaultKind::kNoMemory;
    text.copy(document.copy_.data(), text.size());
    text = {document.copy_.data(), text.size()};
  }
  if (const FaultKind fault = index_.build(text); fault != FaultKind::kNone) {
    fault_.offset = find_fault(text, fault);
    return fault;
  }
  const std::span<const std::uint32_t> offsets = index_.offsets();
  if (!document.nodes_.reserve(TapeBuilder::nodes_bound(offsets.size()))) {
    return FaultKind::kNoMemory;
  }
  TapeBuilder builder{text,
                      offsets,
                      document.nodes_.data(),
                      document.strings_,
                      duplicates_,
                      {.depth_max = std::min(options.depth_max, ParseOptions::kDepthMax),
                       .integer_bytes_max = options.integer_bytes_max,
                       .refuse_duplicates = options.duplicates == DuplicatePolicy::kRefuse}};
  document.filled_ = builder.build();
  if (!document.filled_) fault_.offset = builder.fault().offset;
  return builder.fault().kind;
}

Result<Value> Parser::parse(std::string_view text, Document& document,
                            const ParseOptions& options) noexcept {
  document.clear();
  fault_ = {};
  fault_.kind = fill(text, document, options);
  index_.release_above(Document::kKeptBytesMax);
  duplicates_.release_above(Document::kKeptBytesMax);
  if (fault_.kind == FaultKind::kNone) return document.root();
  document.clear();
  return fail(error_of(fault_.kind));
}

}  // namespace tercel::json
