// A path, cut at its slashes, with what is percent-encoded decoded piece by piece.
//
// It is cut before it is decoded: "%2F" is a byte of its segment. Nothing is allocated, and no more
// of the path is looked at than the router can match. Tested by segments_test.cc.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "tercel/route/template.h"

namespace tercel::route {

// Eight bytes at a time: a hash for literals that the application chose. Texts of peers are only
// looked up, so they cannot make it slow. Cost: some nanoseconds.
[[nodiscard]] std::uint64_t hash_of(std::string_view text) noexcept;

class Segments {
 public:
  // Cuts `path` into its first segments, at most `most`. `decoded` gets what has a '%'. REQUIRES:
  // `path` begins with '/', `decoded` has at least its size, most <= kSegmentsMax + 1. Both are
  // kept, and must live as long as this.
  Segments(std::string_view path, std::span<char> decoded, std::size_t most) noexcept;

  [[nodiscard]] std::size_t size() const noexcept { return size_; }

  // REQUIRES: i < size(). Decoded.
  [[nodiscard]] std::string_view text(std::size_t i) const noexcept {
    return {pieces_[i].text, pieces_[i].bytes};
  }
  // Of that text, with the lowest bit set.
  [[nodiscard]] std::uint64_t hash(std::size_t i) noexcept {
    if (pieces_[i].hash == 0) pieces_[i].hash = hash_of(text(i)) | 1;
    return pieces_[i].hash;
  }

  // Where segment i begins in the path.
  [[nodiscard]] std::size_t offset(std::size_t i) const noexcept { return pieces_[i].offset; }
  // Segment i and all behind it, decoded. Writes over the texts of the latter.
  [[nodiscard]] std::string_view rest(std::size_t i) noexcept;

 private:
  struct Piece {
    const char* text;
    std::uint64_t hash;  // 0: nobody asked yet.
    std::uint32_t bytes;
    std::uint32_t offset;
  };

  void add(std::size_t begin, std::size_t end) noexcept {
    pieces_[size_++] = {path_.data() + begin, 0, static_cast<std::uint32_t>(end - begin),
                        static_cast<std::uint32_t>(begin)};
  }
  [[nodiscard]] std::string_view decode(std::string_view text, std::size_t offset) noexcept;

  std::string_view path_;
  std::span<char> decoded_;
  std::size_t size_ = 0;
  // Filled up to size_, and not before: 1.5 KiB. One more than a template can have, for the
  // question whether there are more.
  std::array<Piece, kSegmentsMax + 1> pieces_;
};

}  // namespace tercel::route
