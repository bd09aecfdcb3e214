// Keeps the end of a body back until it has ended, and somebody has verified all of it.
//
//   HoldBack tail{decoded_bytes};
//   send(tail.pass(data));                               // For each piece, in order.
//   if (ended && verified) send(tail.release());
//
// An upstream that waits for the bytes that its Content-Length announces stores nothing before it
// has them all: a body that turns out to be wrong is cut off, and was never there. A body of no
// bytes has nothing to keep back: whoever forwards it waits with the head, too.
// A resource of a little more than kBytesMax, without allocations. Cost: the last kBytesMax bytes
// are copied once. Tested by hold_back_test.cc.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "tercel/base/assert.h"

namespace tercel::s3 {

class HoldBack {
 public:
  static constexpr std::size_t kBytesMax = 8192;

  // `total_bytes` of the body.
  explicit HoldBack(std::uint64_t total_bytes) noexcept
      : free_bytes_{total_bytes - std::min<std::uint64_t>(total_bytes, kBytesMax)} {}
  HoldBack(const HoldBack&) = delete;
  HoldBack& operator=(const HoldBack&) = delete;

  // The part of `bytes` that may go now; a copy of the rest is kept. REQUIRES: all pieces together
  // are not longer than the body.
  [[nodiscard]] std::string_view pass(std::string_view bytes) noexcept {
    const auto size = static_cast<std::size_t>(std::min<std::uint64_t>(bytes.size(), free_bytes_));
    free_bytes_ -= size;
    const std::string_view kept = bytes.substr(size);
    TERCEL_ASSERT(kept.size() <= kBytesMax - held_bytes_);
    held_bytes_ += kept.copy(held_.data() + held_bytes_, kBytesMax - held_bytes_);
    return bytes.substr(0, size);
  }

  // What was kept back. Valid as long as this is.
  [[nodiscard]] std::string_view release() const noexcept { return {held_.data(), held_bytes_}; }

 private:
  std::uint64_t free_bytes_;  // That may still go at once.
  std::size_t held_bytes_ = 0;
  std::array<char, kBytesMax> held_;  // The first held_bytes_ are set.
};

}  // namespace tercel::s3
