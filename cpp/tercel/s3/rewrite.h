// Takes the backend's names out of the XML that it answers, and puts the client's there.
//
//   Rewriter rewriter{{.bucket = "logs", .location = "https://s3.example.com/logs/key", ...}};
//   for (;;) {
//     switch (rewriter.next(bytes)) {                    // Takes what it read off `bytes`.
//       case Rewriter::Event::kNeedMore: return;
//       case Rewriter::Event::kData: ...                 // rewriter.data() goes to the client.
//       case Rewriter::Event::kFailed: ...               // Abort the answer.
//     }
//   }
//   if (!rewriter.complete()) ...                        // When the body ended.
//
// A backend knows a bucket by another name than the client may, is reached at another place, and
// may hold the client's keys behind a prefix. Documents that name these things are known by their
// root element, their elements by the path (rewrite.cc has the table): the bucket, the location of
// an object, the resource of an error, and keys, markers and prefixes when `key_prefix` is not
// empty. What an error tells of the backend's signature (its access key, what it signed, its
// region) is left out, and so is a message that may tell a name of it; `request_id` stands for
// its ids, unless it is empty. Everything else is passed
// byte for byte, and at once: only the text of such an element is collected, up to a limit.
// Documents of another root are passed as they are, unless `known_only` says that they could have
// any keys: then they fail, and so does text around the root element. The size changes: whoever
// forwards the answer drops its Content-Length, and must not rewrite a body with a
// Content-Encoding, nor one that is no XML: objects. A key that does not begin with `key_prefix`
// fails: it is not the client's to see. In an error it is left out. Continuation tokens are the
// backend's: opaque, and passed. Resource: one a response. Views in `values` outlive it. However
// the body is cut into pieces, the bytes are the same. Cost: linear. Source: the API reference of
// Amazon S3. Tested by rewrite_test.cc, fuzzed by rewrite_fuzz.cc.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "tercel/s3/xml_scanner.h"

namespace tercel::s3 {

// As clients know them; as they are, not escaped for XML. An empty one leaves its element empty.
struct RewriteValues {
  std::string_view bucket = {};
  std::string_view location = {};  // URL of the object, of CompleteMultipartUpload and PostObject.
  std::string_view resource = {};  // Path of the request, in an error.
  std::string_view endpoint = {};  // Host that a redirect names.
  std::string_view key_prefix = {};     // Of the backend's keys, and not of the client's.
  std::string_view source_prefix = {};  // The same, of a source that is copied: for errors.
  bool keys_are_url_encoded = false;    // The request said encoding-type=url: in lists.
  bool known_only = false;              // Anything but one document of the table fails.
  // Of the backend's, where the client has others: messages of errors do not tell them.
  std::string_view hidden_bucket = {};
  std::string_view hidden_source_bucket = {};  // The same, of a source that is copied.
  std::string_view request_id = {};  // Of an error, where its head has another than the backend's.
};

class Rewriter {
 public:
  enum class Event : std::uint8_t { kNeedMore, kData, kFailed };

  // Text of an element that is rewritten, and each of the values as XML has it; kFailed beyond.
  static constexpr std::size_t kTextBytesMax = 8192;

  explicit Rewriter(const RewriteValues& values) noexcept : values_{values} {}
  Rewriter(const Rewriter&) = delete;
  Rewriter& operator=(const Rewriter&) = delete;

  // After kFailed do not call again.
  [[nodiscard]] Event next(std::string_view& bytes) noexcept;

  // Not empty. Valid until the next call, or as long as the bytes it is a view of.
  [[nodiscard]] std::string_view data() const noexcept { return data_; }

  // Nothing is kept back, and no element of a known document is open.
  [[nodiscard]] bool complete() const noexcept;

  // The code of an error document, as far as kCodeBytesMax, once that has passed. Empty: none did.
  static constexpr std::size_t kCodeBytesMax = 64;
  [[nodiscard]] std::string_view error_code() const noexcept { return {code_.data(), code_bytes_}; }

  // A row of the table in rewrite.cc.
  enum class What : std::uint8_t {
    kBucket,
    kLocation,
    kCode,  // Is passed, and kept.
    kResource,
    kEndpoint,
    kSecret,
    kKey,
    kErrorKey,
    kErrorValue,
    kMessage,
    kRequestId
  };
  struct Rule {
    std::string_view path;
    What what;
  };

 private:
  enum class State : std::uint8_t {
    kScan,
    kCollect,    // The text of an element that is rewritten.
    kExpectEnd,  // Behind that text: its end tag must follow.
    kPass,       // A document that is not known.
    kFailed
  };

  [[nodiscard]] Event collect(std::string_view& bytes) noexcept;
  [[nodiscard]] Event scan(std::string_view& bytes) noexcept;
  // What an event of the scanner means; false: the document is refused.
  [[nodiscard]] bool take(XmlScanner::Event event) noexcept;
  void find_rules() noexcept;
  [[nodiscard]] const Rule* find_rule() const noexcept;
  // Sets data_ to what stands for the collected text; false: none can.
  [[nodiscard]] bool replace() noexcept;
  [[nodiscard]] bool replace_by(std::string_view value) noexcept;
  [[nodiscard]] bool strip_prefix() noexcept;
  void strip_error() noexcept;
  [[nodiscard]] bool hides_names() const noexcept;
  // Whether the collected text may tell one of them.
  [[nodiscard]] bool tells_names() const noexcept;
  Event fail() noexcept;

  RewriteValues values_;
  XmlScanner scanner_;
  std::span<const Rule> rules_;  // Of the document.
  std::string_view data_;
  std::array<char, kTextBytesMax> text_;
  std::size_t text_bytes_ = 0;
  std::array<char, kCodeBytesMax> code_;
  std::size_t code_bytes_ = 0;
  What what_ = What::kBucket;
  State state_ = State::kScan;
};

}  // namespace tercel::s3
