// The body of one HTTP/2 response, between its writer and the windows of its reader.
//
//   output.push(payload, blocks);
//   output.cut(16384, sender);  // A frame's worth goes to the wire.
//
// Owned bytes are cut without a copy: the wire gets slices, and what owns them is released when the
// last slice is sent and nothing is left, in whatever order the wire drops them.
// H2Sender puts frames and slices together for the wire. Resources. Thread: one.
// Source: docs/decisions/0004-http2.md. Tested by h2_output_test.cc.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "tercel/base/block_pool.h"
#include "tercel/base/slab.h"
#include "tercel/http/handler.h"
#include "tercel/http/wire.h"

namespace tercel::http {

// One payload or file range. Lives until the wire has dropped its last slice.
struct H2Part {
  explicit H2Part(Slab<H2Part>& slab) noexcept : home{slab} {}
  H2Part(const H2Part&) = delete;
  H2Part& operator=(const H2Part&) = delete;
  ~H2Part() {
    if (release != nullptr) release(owner);
  }

  Slab<H2Part>& home;
  H2Part* next = nullptr;
  Block block;                 // Of bytes that were copied.
  const char* data = nullptr;  // The next byte to cut; null for a file.
  std::uint64_t left = 0;
  std::uint64_t offset = 0;
  int file = -1;
  std::uint32_t slices = 0;  // With the wire.
  bool cut_up = false;       // No more slices follow.
  void* owner = nullptr;
  Payload::Release release = nullptr;
};

// Output of one step, on its way to the wire.
class H2Sender {
 public:
  explicit H2Sender(Wire& wire) noexcept : wire_{wire} {}
  H2Sender(const H2Sender&) = delete;
  H2Sender& operator=(const H2Sender&) = delete;

  void copy(std::string_view bytes) noexcept;
  // Not copied: behind what was copied so far.
  void pass(const Payload& payload) noexcept;
  void pass(const FileRange& range) noexcept;
  // Gives the wire what was copied.
  void flush() noexcept;
  // Memory was exhausted: bytes are missing.
  [[nodiscard]] bool broken() const noexcept { return broken_; }

 private:
  static constexpr std::size_t kBlockBytes = 4096;

  Wire& wire_;
  Block block_;
  std::size_t bytes_ = 0;
  bool broken_ = false;
};

class H2Output {
 public:
  // A slice up to this size is copied: cheaper than a piece of its own.
  static constexpr std::size_t kCopyBytesMax = 2048;

  explicit H2Output(Slab<H2Part>& parts) noexcept : parts_{parts} {}
  H2Output(const H2Output&) = delete;
  H2Output& operator=(const H2Output&) = delete;
  ~H2Output() { clear(); }

  // Each takes its argument over. False: memory is exhausted; it is released.
  [[nodiscard]] bool push(const Payload& payload, BlockPool& blocks) noexcept;
  [[nodiscard]] bool push(const FileRange& range) noexcept;
  // REQUIRES: bytes <= this->bytes().
  void cut(std::size_t bytes, H2Sender& sender) noexcept;
  // Drops what was not cut.
  void clear() noexcept;

  [[nodiscard]] std::uint64_t bytes() const noexcept { return bytes_; }

 private:
  [[nodiscard]] H2Part* append() noexcept;
  [[nodiscard]] bool copy(std::string_view bytes, BlockPool& blocks) noexcept;
  void pop() noexcept;

  Slab<H2Part>& parts_;
  H2Part* head_ = nullptr;
  H2Part* tail_ = nullptr;
  std::uint64_t bytes_ = 0;
};

}  // namespace tercel::http
