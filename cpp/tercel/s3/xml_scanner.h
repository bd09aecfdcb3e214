// Walks through an XML document as it arrives, and says where elements begin and end.
//
//   XmlScanner scanner;
//   while (!bytes.empty()) {
//     switch (scanner.next(bytes)) {                     // Takes what it read off `bytes`.
//       case XmlScanner::Event::kOpen: ...               // Behind "<Name>"; scanner.path()
//       ...
//
// For documents that S3 servers write: tags must nest, a document type is refused, and so is depth
// beyond a limit; entities and attributes are passed over, not read. What is around the root
// element is passed over too: S3 sends white space before it while it works. Bytes in, events out;
// nothing is allocated or kept but the path. However the document is cut into pieces, the events
// are the same. A value. Cost: linear; text is searched, not walked. Source: XML 1.0, sections 2
// and 3. Tested by xml_scanner_test.cc, fuzzed by rewrite_fuzz.cc.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace tercel::s3 {

class XmlScanner {
 public:
  enum class Event : std::uint8_t {
    kNeedMore,  // `bytes` is used up.
    kOpen,      // Behind a start tag, which path() ends with.
    kEmpty,     // Behind an empty-element tag: path() ends with it until the next call.
    kClose,     // Behind an end tag, which path() ended with.
    kMarkup,  // In a comment, a CDATA section or a processing instruction, behind its "<!" or "<?".
    kFailed   // Not well-formed, or beyond a limit. For good.
  };

  static constexpr std::size_t kNameBytesMax = 64;
  static constexpr std::size_t kPathDepth = 3;  // Levels that path() tells.
  static constexpr std::uint32_t kDepthMax = 32;

  [[nodiscard]] Event next(std::string_view& bytes) noexcept;

  // "Root/Child/Grandchild", without prefixes of name spaces. Of what is deeper, the first levels.
  // Valid until the next call.
  [[nodiscard]] std::string_view path() const noexcept { return {path_.data(), path_bytes_}; }
  // Elements that are open; 0: before the root, or behind it. Right after kEmpty it counts that
  // one.
  [[nodiscard]] std::uint32_t depth() const noexcept { return depth_; }
  // Text was around the root element, other than white space and a byte order mark.
  [[nodiscard]] bool has_text_outside() const noexcept { return has_text_outside_; }
  // No element is open, one that is empty least of all, and no markup: the document may end.
  [[nodiscard]] bool is_outside() const noexcept {
    return state_ == State::kText && depth_ == (leaves_ ? 1U : 0U);
  }

 private:
  enum class State : std::uint8_t {
    kText,
    kOpen,         // Behind '<'.
    kName,         // Of a start tag.
    kTag,          // Behind that name.
    kDoubleQuote,  // In a value of an attribute.
    kSingleQuote,
    kSlash,    // Behind the '/' of an empty-element tag.
    kEndName,  // Of an end tag.
    kEndTag,   // Behind that name.
    kBang,     // Behind "<!".
    kDash,     // Behind "<!-".
    kCdataName,
    kComment,
    kCdata,
    kInstruction,
    kFailed
  };

  // What one byte that is not in text or in a name does; kNeedMore: nothing to tell.
  [[nodiscard]] Event step(char c) noexcept;
  [[nodiscard]] Event in_start_tag(char c) noexcept;
  [[nodiscard]] Event in_end_tag(char c) noexcept;
  [[nodiscard]] Event in_markup(char c) noexcept;
  [[nodiscard]] Event open(Event event) noexcept;
  [[nodiscard]] Event close() noexcept;
  void leave() noexcept;
  [[nodiscard]] std::string_view name() const noexcept;
  Event fail() noexcept;

  std::array<char, kPathDepth*(kNameBytesMax + 1)> path_;
  std::array<char, kNameBytesMax> name_;
  std::size_t path_bytes_ = 0;
  std::size_t name_bytes_ = 0;
  std::uint32_t depth_ = 0;
  std::uint8_t matched_ = 0;  // Bytes of "CDATA[", or of the end of markup.
  State state_ = State::kText;
  bool leaves_ = false;  // The last event was kEmpty.
  bool has_text_outside_ = false;
};

}  // namespace tercel::s3
