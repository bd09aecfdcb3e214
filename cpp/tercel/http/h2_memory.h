// Memory for nghttp2: the small pieces that streams come and go with are kept for the next ones.
//
// A request makes nghttp2 ask ten times. Streams come in bursts, more of them than the caches of
// malloc hold, and then each piece is searched for: a tenth of what a request costs.
// Resource: outlives the sessions that share it; keeps kKeptBytesMax at most. Thread: one.
// Tested by h2_memory_test.cc.
#pragma once

#include <array>
#include <cstddef>

namespace tercel::http {

class H2Memory {
 public:
  static constexpr std::size_t kKeptBytesMax = std::size_t{1} << 20;
  // Pieces that are larger are the allocator's.
  static constexpr std::size_t kPieceBytesMax = 1024;

  H2Memory() noexcept = default;
  H2Memory(const H2Memory&) = delete;
  H2Memory& operator=(const H2Memory&) = delete;
  ~H2Memory();

  // As malloc(3). Null: memory is exhausted.
  [[nodiscard]] void* take(std::size_t bytes) noexcept;
  // `memory` came from take() or resize(), for so many bytes.
  void give_back(void* memory, std::size_t bytes) noexcept;
  // As realloc(3); null: `memory` stays as it is.
  [[nodiscard]] void* resize(void* memory, std::size_t bytes, std::size_t wanted) noexcept;

  [[nodiscard]] std::size_t kept_bytes() const noexcept { return kept_bytes_; }

 private:
  // Sizes are rounded up to a multiple of it.
  static constexpr std::size_t kStepBytes = 64;
  struct Piece {
    Piece* next;
  };
  [[nodiscard]] static std::size_t rounded(std::size_t bytes) noexcept;

  std::array<Piece*, kPieceBytesMax / kStepBytes> kept_{};  // By size, from the smallest.
  std::size_t kept_bytes_ = 0;
};

}  // namespace tercel::http
