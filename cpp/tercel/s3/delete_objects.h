// The keys that DeleteObjects deletes, put behind a prefix: its document, read and written anew.
//
//   DeletedKeys keys{"team-a/"};
//   if (auto error = keys.take(bytes)) return answer(Refusal{*error});    // As it arrives.
//   ...
//   if (auto error = keys.finish()) return answer(Refusal{*error});
//   keys.document()
//
// Nothing of the client's document is passed on: what is understood is written again, so that no
// backend can read a key in it that was not mapped. Refused are elements that are not known, one
// that is there twice, comments and CDATA in a text, references that XML itself does not have, and
// document types. Source: the API reference of Amazon S3, "DeleteObjects". Resource: one a request;
// throws std::bad_alloc. However the document is cut into pieces, the result is the same. Cost:
// linear. Tested by delete_objects_test.cc, fuzzed by delete_objects_fuzz.cc.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "tercel/s3/error.h"
#include "tercel/s3/xml_scanner.h"

namespace tercel::s3 {

class DeletedKeys {
 public:
  // Of the client's document, and of the one that is written.
  static constexpr std::size_t kReadBytesMax = std::size_t{2} << 20;
  static constexpr std::size_t kWrittenBytesMax = std::size_t{4} << 20;
  static constexpr std::size_t kObjectsMax = 1000;

  // REQUIRES: valid_key_prefix(prefix).
  explicit DeletedKeys(std::string_view prefix);
  DeletedKeys(const DeletedKeys&) = delete;
  DeletedKeys& operator=(const DeletedKeys&) = delete;

  // MalformedXML, EntityTooLarge, KeyTooLongError, InvalidArgument; then do not call again.
  [[nodiscard]] std::optional<ErrorCode> take(std::string_view bytes);
  // The document has ended: nothing, or why it is none. Once.
  [[nodiscard]] std::optional<ErrorCode> finish();
  // After finish().
  [[nodiscard]] const std::string& document() const noexcept { return document_; }

 private:
  // Of an object, in the order in which they are written; and of the whole.
  enum Element : std::uint8_t { kKey, kVersionId, kETag, kLastModifiedTime, kSize, kQuiet };
  static constexpr std::size_t kOfObject = kQuiet;
  // A key in references.
  static constexpr std::size_t kTextBytesMax = 8192;

  [[nodiscard]] std::optional<ErrorCode> take(XmlScanner::Event event);
  [[nodiscard]] std::optional<ErrorCode> open(bool empty);
  [[nodiscard]] std::optional<ErrorCode> end_text();
  [[nodiscard]] std::optional<ErrorCode> end_object();
  void write(std::string_view name, std::string_view prefix, std::string_view value);

  const std::string prefix_;
  XmlScanner scanner_;
  std::string document_;
  std::array<std::string, kOfObject> values_;  // Of the object that is open.
  std::string text_;                           // Of the element that is collected, as XML has it.
  std::size_t read_bytes_ = 0;
  std::size_t objects_ = 0;
  Element element_ = kKey;
  bool collects_ = false;     // The text of element_.
  bool expects_end_ = false;  // Behind that text: its end tag must follow.
  bool begun_ = false;        // The root was seen.
  std::uint8_t seen_ = 0;     // Elements of the object, a bit each.
  bool has_quiet_ = false;
  bool quiet_ = false;
};

}  // namespace tercel::s3
