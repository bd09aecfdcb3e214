#include "tercel/http/multipart_ranges.h"

#include <algorithm>

namespace tercel::http {
namespace {

char* put(char* out, std::string_view text) noexcept {
  return std::copy(text.begin(), text.end(), out);
}

}  // namespace

MultipartRanges::MultipartRanges(std::string_view part_type, std::uint64_t size,
                                 std::array<std::uint64_t, 2> random) noexcept
    : part_type_{part_type.size() <= kTypeBytesMax ? part_type : std::string_view{}}, size_{size} {
  constexpr std::string_view kHex = "0123456789abcdef";
  char* out = put(content_type_.data(), kTypeStart);
  for (std::uint64_t word : random) {
    for (std::size_t i = 0; i < kBoundaryBytes / 2; ++i, word >>= 4) *out++ = kHex[word & 15];
  }
}

std::uint64_t MultipartRanges::bytes(std::span<const ByteRange> ranges) noexcept {
  std::uint64_t sum = end().size();
  for (const ByteRange& range : ranges) sum += before(range).size() + range.bytes();
  return sum;
}

std::string_view MultipartRanges::before(const ByteRange& range) noexcept {
  char* out = put(put(frame_.data(), "\r\n--"), boundary());
  if (!part_type_.empty()) out = put(put(out, "\r\ncontent-type: "), part_type_);
  out = write_content_range(put(out, "\r\ncontent-range: "), range, size_);
  out = put(out, "\r\n\r\n");
  return {frame_.data(), out};
}

std::string_view MultipartRanges::end() noexcept {
  char* const out = put(put(put(frame_.data(), "\r\n--"), boundary()), "--\r\n");
  return {frame_.data(), out};
}

}  // namespace tercel::http
