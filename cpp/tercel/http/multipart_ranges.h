// multipart/byteranges: several parts of one representation in one body.
//
//   MultipartRanges frames{"text/plain", size, random_words};
//   start(206, {{"content-type", frames.content_type()}, {"content-length",
//   frames.bytes(ranges)}}); for (const ByteRange& range : ranges) {
//     write(frames.before(range));
//     write_file(range);
//   }
//   write(frames.end());
//
// The boundary has 128 bits of the caller's randomness: nobody who puts bytes into a file knows it.
// A value without the bytes themselves. Source: RFC 9110 section 14.6, RFC 2046 section 5.1. Tested
// by multipart_ranges_test.cc.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "tercel/http/range.h"

namespace tercel::http {

class MultipartRanges {
 public:
  // A longer one is left out of the parts.
  static constexpr std::size_t kTypeBytesMax = 255;

  // `part_type`: the Content-Type of the representation, or empty; lives as long as this. `size`:
  // its bytes.
  MultipartRanges(std::string_view part_type, std::uint64_t size,
                  std::array<std::uint64_t, 2> random) noexcept;

  [[nodiscard]] std::string_view content_type() const noexcept {
    return {content_type_.data(), content_type_.size()};
  }
  // Of the whole body.
  [[nodiscard]] std::uint64_t bytes(std::span<const ByteRange> ranges) noexcept;
  // Valid until the next call.
  [[nodiscard]] std::string_view before(const ByteRange& range) noexcept;
  [[nodiscard]] std::string_view end() noexcept;

 private:
  static constexpr std::string_view kTypeStart = "multipart/byteranges; boundary=";
  static constexpr std::size_t kBoundaryBytes = 32;
  static constexpr std::size_t kFrameBytesMax =
      kBoundaryBytes + kTypeBytesMax + kContentRangeBytesMax + 64;

  [[nodiscard]] std::string_view boundary() const noexcept {
    return content_type().substr(kTypeStart.size());
  }

  std::string_view part_type_;
  std::uint64_t size_;
  std::array<char, kTypeStart.size() + kBoundaryBytes> content_type_;
  std::array<char, kFrameBytesMax> frame_;
};

}  // namespace tercel::http
