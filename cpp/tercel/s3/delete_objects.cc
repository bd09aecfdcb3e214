#include "tercel/s3/delete_objects.h"

#include <algorithm>
#include <utility>

#include "tercel/base/utf8.h"
#include "tercel/http/chars.h"
#include "tercel/s3/key_prefix.h"
#include "tercel/s3/xml_text.h"

namespace tercel::s3 {
namespace {

constexpr std::string_view kBegin =
    "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
    "<Delete xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">";
constexpr std::string_view kEnd = "</Delete>";

// In the order of Element.
constexpr std::array<std::string_view, 5> kNames{"Key", "VersionId", "ETag", "LastModifiedTime",
                                                 "Size"};
constexpr std::string_view kObject = "Delete/Object";

}  // namespace

DeletedKeys::DeletedKeys(std::string_view prefix) : prefix_{prefix}, document_{kBegin} {}

std::optional<ErrorCode> DeletedKeys::take(std::string_view bytes) {
  if (bytes.size() > kReadBytesMax - read_bytes_) return ErrorCode::kEntityTooLarge;
  read_bytes_ += bytes.size();
  while (!bytes.empty()) {
    if (collects_) {
      const std::size_t size = std::min(bytes.find('<'), bytes.size());
      if (size > kTextBytesMax - text_.size()) return ErrorCode::kMalformedXML;
      text_.append(bytes.substr(0, size));
      bytes.remove_prefix(size);
      if (bytes.empty()) break;
      collects_ = false;
      expects_end_ = true;
    }
    if (const auto error = take(scanner_.next(bytes))) return error;
  }
  return std::nullopt;
}

std::optional<ErrorCode> DeletedKeys::take(XmlScanner::Event event) {
  switch (event) {
    case XmlScanner::Event::kNeedMore:
      return std::nullopt;
    case XmlScanner::Event::kFailed:
      return ErrorCode::kMalformedXML;
    case XmlScanner::Event::kMarkup:
      // Between elements it says nothing.
      return expects_end_ ? std::optional{ErrorCode::kMalformedXML} : std::nullopt;
    case XmlScanner::Event::kOpen:
    case XmlScanner::Event::kEmpty:
      return open(event == XmlScanner::Event::kEmpty);
    case XmlScanner::Event::kClose:
      break;
  }
  if (std::exchange(expects_end_, false)) return end_text();
  return scanner_.depth() == 1 ? end_object() : std::nullopt;
}

std::optional<ErrorCode> DeletedKeys::open(bool empty) {
  const std::string_view path = scanner_.path();
  if (expects_end_ || scanner_.depth() > XmlScanner::kPathDepth) return ErrorCode::kMalformedXML;
  if (scanner_.depth() == 1) {
    // Nothing else can be open at this depth, nor be called otherwise.
    const bool right = !std::exchange(begun_, true) && path == "Delete" && !empty;
    return right ? std::nullopt : std::optional{ErrorCode::kMalformedXML};
  }
  if (path == kObject) {
    seen_ = 0;
    if (++objects_ > kObjectsMax || empty) return ErrorCode::kMalformedXML;
    return std::nullopt;
  }
  if (path == "Delete/Quiet") {
    if (std::exchange(has_quiet_, true)) return ErrorCode::kMalformedXML;
    element_ = kQuiet;
  } else {
    if (!path.starts_with(kObject) || path.size() == kObject.size()) {
      return ErrorCode::kMalformedXML;
    }
    const auto* const name = std::ranges::find(kNames, path.substr(kObject.size() + 1));
    if (path[kObject.size()] != '/' || name == kNames.end()) return ErrorCode::kMalformedXML;
    element_ = static_cast<Element>(name - kNames.begin());
    const auto bit = static_cast<std::uint8_t>(1U << element_);
    if ((seen_ & bit) != 0) return ErrorCode::kMalformedXML;
    seen_ |= bit;
    values_[element_].clear();
  }
  text_.clear();
  collects_ = !empty;
  return empty ? end_text() : std::nullopt;
}

std::optional<ErrorCode> DeletedKeys::end_text() {
  const auto text = unescape_xml(text_, text_);
  if (!text || !is_utf8(*text)) return ErrorCode::kMalformedXML;
  if (element_ == kQuiet) {
    quiet_ = http::equals_ignoring_case(*text, "true");
    const bool known = quiet_ || text->empty() || http::equals_ignoring_case(*text, "false");
    return known ? std::nullopt : std::optional{ErrorCode::kMalformedXML};
  }
  if (element_ == kKey) {
    if (text->empty()) return ErrorCode::kMalformedXML;
    if (const auto error = check_key_below(prefix_, *text)) return error;
  }
  if (element_ == kVersionId && climbs_out(*text)) return ErrorCode::kInvalidArgument;
  values_[element_].assign(*text);
  return std::nullopt;
}

std::optional<ErrorCode> DeletedKeys::end_object() {
  if ((seen_ & 1U << kKey) == 0) return ErrorCode::kMalformedXML;
  document_.append("<Object>");
  for (std::size_t i = 0; i < kOfObject; ++i) {
    if ((seen_ & 1U << i) == 0 || values_[i].empty()) continue;
    write(kNames[i], i == kKey ? std::string_view{prefix_} : std::string_view{}, values_[i]);
  }
  document_.append("</Object>");
  return document_.size() > kWrittenBytesMax ? std::optional{ErrorCode::kEntityTooLarge}
                                             : std::nullopt;
}

void DeletedKeys::write(std::string_view name, std::string_view prefix, std::string_view value) {
  document_.append("<").append(name).append(">");
  for (const std::string_view part : {prefix, value}) append_escaped_xml(part, document_);
  document_.append("</").append(name).append(">");
}

std::optional<ErrorCode> DeletedKeys::finish() {
  if (!begun_ || !scanner_.is_outside() || objects_ == 0) return ErrorCode::kMalformedXML;
  if (quiet_) document_.append("<Quiet>true</Quiet>");
  document_.append(kEnd);
  return std::nullopt;
}

}  // namespace tercel::s3
