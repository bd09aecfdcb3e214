// Reads a multipart/form-data body: bytes in, parts out.
//
//   MultipartParser parser{*boundary, limits, memory};
//   for (;;) {
//     switch (parser.next(bytes)) {                    // Takes what it read off `bytes`.
//       case MultipartParser::Event::kNeedMore: return;
//       case MultipartParser::Event::kPart: ...        // parser.part(): name, file name, type.
//       case MultipartParser::Event::kData: ...        // parser.data() is of the current part.
//       case MultipartParser::Event::kPartEnd: ...
//       case MultipartParser::Event::kEnd: ...         // No part follows.
//       case MultipartParser::Event::kFailed: ...      // parser.failure()
//   ...
//   if (!parser.complete()) ...                        // When the body ended: kFormTruncated.
//
// Sans-I/O. Data is views into `bytes`; where a piece of the body ends in what may be a boundary
// and is none, into the boundary itself. Only the head of a part is collected, in memory that the
// caller gives. However the body is cut into pieces, parts and data are the same. Cost: linear,
// data about 16 bytes a step (delimiter.h).
//
// Strict, because a form is read by others before and behind us, and what two readers understand
// differently is how files slip past a filter:
// - lines end in CRLF, as every client ends them; LF alone ends none;
// - behind a boundary come blanks and CRLF, or "--", blanks, and CRLF or the end: kBadForm for the
//   rest, RFC 2046's longer lines that begin like a boundary among it;
// - lines of a head follow the syntax of HTTP's fields, not folded: kBadPart. What they must say is
//   in multipart_head.h.
// The empty line that ends a head may be the line end of the next boundary: that part has no data.
// A multipart in a part is data. What is before the first boundary and behind the last is bounded
// and dropped.
// Source: RFC 7578, RFC 2046 section 5.1, WHATWG HTML "multipart form data". Tested by
// multipart_test.cc, fuzzed by multipart_fuzz.cc, compared with python-multipart by
// test_input_agrees.py.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "tercel/base/result.h"
#include "tercel/http/delimiter.h"
#include "tercel/http/limits.h"
#include "tercel/http/media_type.h"
#include "tercel/http/message.h"
#include "tercel/http/multipart_head.h"

namespace tercel::http {

// Size of the array of a part's fields: no limit exceeds it.
inline constexpr std::size_t kPartFieldsMax = 16;

struct MultipartLimits {
  std::size_t parts_max = 1000;                     // kTooManyParts, 413
  std::size_t part_head_bytes_max = 8 * kKibibyte;  // kPartHeadTooLarge, 413
  std::size_t part_fields_max = kPartFieldsMax;     // kPartHeadTooLarge, 413
  std::size_t heads_bytes_max = 256 * kKibibyte;    // of all parts; kPartHeadsTooLarge, 413
  std::size_t preamble_bytes_max = 1 * kKibibyte;   // kBadForm, 400
  std::size_t epilogue_bytes_max = 1 * kKibibyte;   // kBadForm, 400
  std::size_t padding_bytes_max = 64;               // blanks behind a boundary; kBadForm, 400
};

// The boundary of a form. Fails with kBadBoundary: there is none, or not of RFC 2046's form.
[[nodiscard]] Result<std::string_view> form_boundary(const MediaType& type) noexcept;

// Resource: one a body.
class MultipartParser {
 public:
  enum class Event : std::uint8_t { kNeedMore, kPart, kData, kPartEnd, kEnd, kFailed };

  // Of the memory that a parser needs: a head as it came, and what is decoded of it.
  [[nodiscard]] static constexpr std::size_t memory_bytes(const MultipartLimits& limits) noexcept {
    return 2 * limits.part_head_bytes_max;
  }

  // REQUIRES: valid_boundary(); memory.size() >= memory_bytes(); part_fields_max <= kPartFieldsMax.
  // `memory` outlives the parser.
  MultipartParser(std::string_view boundary, const MultipartLimits& limits,
                  std::span<char> memory) noexcept;
  MultipartParser(const MultipartParser&) = delete;
  MultipartParser& operator=(const MultipartParser&) = delete;

  // After kEnd call on, with what follows, until the body ends; after kFailed do not.
  [[nodiscard]] Event next(std::string_view& bytes) noexcept;

  // Of the current part. Valid until the head of the next one begins.
  [[nodiscard]] const PartHead& part() const noexcept { return part_; }
  // Not empty. Valid until the next call, or as long as the bytes it is a view of.
  [[nodiscard]] std::string_view data() const noexcept { return data_; }
  [[nodiscard]] Errc failure() const noexcept { return failure_; }
  // The last boundary was there.
  [[nodiscard]] bool complete() const noexcept;

 private:
  enum class State : std::uint8_t {
    kPreamble,      // Before the first boundary.
    kData,          // In the data of a part.
    kBehind,        // Behind a boundary: which kind is it?
    kDash,          // Behind the first "-" of a last one.
    kPadding,       // Blanks and CRLF, then a head.
    kLineFeed,      // ... of that CRLF.
    kHead,          // In the head of a part.
    kLastPadding,   // Behind the last boundary.
    kLastLineFeed,  // ... CR, that LF must follow.
    kEpilogue,      // Dropped.
    kFailed
  };

  // Each takes what it read off `bytes`, which is not empty; nothing: go on.
  [[nodiscard]] std::optional<Event> step(std::string_view& bytes) noexcept;
  [[nodiscard]] std::optional<Event> read_to_delimiter(std::string_view& bytes) noexcept;
  [[nodiscard]] std::optional<Event> match_delimiter(std::string_view& bytes) noexcept;
  [[nodiscard]] std::optional<Event> end_data() noexcept;
  [[nodiscard]] std::optional<Event> give(std::string_view data) noexcept;
  [[nodiscard]] std::optional<Event> read_behind(std::string_view& bytes) noexcept;
  [[nodiscard]] std::optional<Event> read_padding(std::string_view& bytes) noexcept;
  [[nodiscard]] std::optional<Event> read_line_feed(std::string_view& bytes) noexcept;
  [[nodiscard]] std::optional<Event> read_head(std::string_view& bytes) noexcept;
  [[nodiscard]] std::optional<Event> read_epilogue(std::string_view& bytes) noexcept;
  [[nodiscard]] std::optional<Event> read_head_line() noexcept;
  [[nodiscard]] std::optional<Event> end_head() noexcept;
  Event fail_with(Errc error) noexcept;

  Delimiter delimiter_;
  MultipartLimits limits_;
  std::span<char> memory_;
  std::array<Field, kPartFieldsMax> fields_;
  PartHead part_;
  std::string_view data_;
  std::size_t matched_;         // Bytes of a delimiter that the body's last piece ended with.
  std::size_t borrowed_;        // Of them, those that are of the line before, and no data.
  std::size_t head_bytes_ = 0;  // In memory_.
  std::size_t line_begin_ = 0;  // Of the line that is not complete, in memory_.
  std::size_t fields_count_ = 0;
  std::size_t parts_ = 0;
  std::size_t heads_bytes_ = 0;
  std::size_t dropped_ = 0;  // Of preamble, padding, or epilogue.
  Errc failure_ = Errc::kBadForm;
  State state_ = State::kPreamble;
};
// One a form that is being read.
static_assert(sizeof(MultipartParser) <= 1024);

}  // namespace tercel::http
