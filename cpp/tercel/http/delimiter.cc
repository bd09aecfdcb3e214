#include "tercel/http/delimiter.h"

#include <algorithm>
#include <cstring>

#include "tercel/base/assert.h"
#include "tercel/http/chars.h"
#include "tercel/http/scan.h"

namespace tercel::http {
namespace {

constexpr CharSet kBoundary{"'()+_,-./:=? ", true};
constexpr std::string_view kPrefix = "\r\n--";

}  // namespace

bool valid_boundary(std::string_view boundary) noexcept {
  return !boundary.empty() && boundary.size() <= kBoundaryBytesMax && boundary.back() != ' ' &&
         std::all_of(boundary.begin(), boundary.end(), [](char c) { return kBoundary.has(c); });
}

Delimiter::Delimiter(std::string_view boundary) noexcept {
  TERCEL_ASSERT(valid_boundary(boundary));
  kPrefix.copy(text_.data(), kPrefix.size());
  boundary.copy(text_.data() + kPrefix.size(), kBoundaryBytesMax);
  bytes_ = static_cast<std::uint8_t>(kPrefix.size() + boundary.size());
}

// The place of the first whole delimiter; null: there is none.
const char* Delimiter::find_whole(const char* at, const char* end) const noexcept {
  const std::size_t last = bytes_ - std::size_t{1};
  if (static_cast<std::size_t>(end - at) < bytes_) return nullptr;
  const char* const stop = end - last;  // A delimiter begins before it.
  const auto is_here = [this](const char* here) noexcept {
    return std::memcmp(here, text_.data(), bytes_) == 0;
  };
#ifdef TERCEL_SCAN_BLOCKS
  // CR and the last byte of the boundary, at their distance: in text either is frequent, both
  // together are rare.
  const auto last_byte = static_cast<std::uint8_t>(text_[last]);
  for (; stop - at >= 16; at += 16) {
    const scan::Block both =
        scan::Block::load(at).is('\r') & scan::Block::load(at + last).is(last_byte);
    for (std::uint64_t mask = both.mask(); mask != 0;) {
      const std::size_t first = tercel::scan::first_of(mask);
      if (is_here(at + first)) return at + first;
      mask &=
          ~(((std::uint64_t{1} << scan::Block::kMaskBits) - 1) << (first * scan::Block::kMaskBits));
    }
  }
#endif
  for (; at < stop; ++at) {
    at = std::find(at, stop, '\r');
    if (at != stop && is_here(at)) return at;
  }
  return nullptr;
}

std::size_t Delimiter::find(std::string_view data) const noexcept {
  const char* const end = data.data() + data.size();
  if (const char* const whole = find_whole(data.data(), end)) {
    return static_cast<std::size_t>(whole - data.data());
  }
  // Only the last CR can begin one that is cut off: it holds no other.
  const std::size_t tail = data.size() - std::min(data.size(), bytes_ - std::size_t{1});
  const std::size_t begin = data.substr(tail).rfind('\r');
  if (begin == std::string_view::npos) return data.size();
  return text().starts_with(data.substr(tail + begin)) ? tail + begin : data.size();
}

}  // namespace tercel::http
