// The Range field: which bytes of a representation the client wants.
//
//   ByteRanges ranges;
//   switch (parse_range(value, size, ranges)) {
//     case RangeVerdict::kWhole: ...                  // 200: Range is to be ignored
//     case RangeVerdict::kPartial: ...                // 206: one range, or multipart/byteranges
//     case RangeVerdict::kUnsatisfiable: ...          // 416, with write_unsatisfied_range()
//   }
//
// For GET alone, once range_applies() of conditional.h said so. What is answered never costs more
// than the representation: ranges are cut at its end, put in order, and joined where they overlap
// or touch, so each byte is sent once and there are at most kRangesMax parts. Asked for more ranges
// than that, malformed or not in bytes, Range is ignored, which RFC 9110 section 14.2 leaves to a
// server. Numbers beyond 2^64 are beyond every end. Cost: linear in the text, kRangesMax for each
// range.
// Source: RFC 9110 sections 14.1 to 14.4. Tested by range_test.cc, fuzzed by conditional_fuzz.cc,
// compared with Werkzeug by test_input_agrees.py.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace tercel::http {

inline constexpr std::size_t kRangesMax = 8;

struct ByteRange {
  std::uint64_t first = 0;
  std::uint64_t last = 0;  // Inclusive, as on the wire.

  [[nodiscard]] std::uint64_t bytes() const noexcept { return last - first + 1; }
  bool operator==(const ByteRange&) const = default;
};

// A value: ranges in ascending order, with gaps between them.
class ByteRanges {
 public:
  [[nodiscard]] std::span<const ByteRange> all() const noexcept { return {ranges_.data(), count_}; }
  void clear() noexcept { count_ = 0; }
  // Joins what overlaps or touches. REQUIRES: fewer than kRangesMax were added.
  void add(ByteRange range) noexcept;

 private:
  std::array<ByteRange, kRangesMax> ranges_{};
  std::size_t count_ = 0;
};

enum class RangeVerdict : std::uint8_t { kWhole, kPartial, kUnsatisfiable };

// `size`: bytes of the representation. `ranges`: what to send if kPartial, else none.
[[nodiscard]] RangeVerdict parse_range(std::string_view value, std::uint64_t size,
                                       ByteRanges& ranges) noexcept;

inline constexpr std::size_t kContentRangeBytesMax = 68;

// Value of Content-Range: "bytes 0-499/1234", and for 416 "bytes */1234". Return the end. REQUIRES:
// kContentRangeBytesMax of room.
char* write_content_range(char* out, ByteRange range, std::uint64_t size) noexcept;
char* write_unsatisfied_range(char* out, std::uint64_t size) noexcept;

}  // namespace tercel::http
