// What a connection has to send and the socket did not take yet: blocks, borrowed and owned bytes,
// parts of files, pipes, in order.
//
// Resource: belongs to one connection; its segments come from the loop's slab, so a steady state
// allocates nothing. Thread: one. Tested by output_queue_test.cc.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "tercel/base/block_pool.h"
#include "tercel/base/pipe.h"
#include "tercel/base/result.h"
#include "tercel/base/slab.h"
#include "tercel/http/handler.h"
#include "tercel/net/stream.h"

namespace tercel::server {

// One piece of output. Bytes lie in `block`, or are kept alive by `owner` until `release`; or they
// are those of a file or of a pipe.
struct Segment {
  Segment* next = nullptr;
  Block block;
  Pipe pipe;
  const char* data = nullptr;  // Next byte to send; null for those of the kernel.
  std::uint64_t left = 0;
  std::uint64_t file_offset = 0;
  int file = -1;
  void* owner = nullptr;
  http::Payload::Release release = nullptr;

  Segment() noexcept = default;
  Segment(const Segment&) = delete;
  Segment& operator=(const Segment&) = delete;
  [[nodiscard]] bool in_kernel() const noexcept { return file >= 0 || pipe; }
  ~Segment() {
    if (release != nullptr) release(owner);
  }
};

class OutputQueue {
 public:
  // Owned payloads up to this size are copied: cheaper than a piece of their own.
  static constexpr std::size_t kCopyBytesMax = 2048;

  explicit OutputQueue(Slab<Segment>& segments) noexcept : segments_{segments} {}
  OutputQueue(const OutputQueue&) = delete;
  OutputQueue& operator=(const OutputQueue&) = delete;
  ~OutputQueue() { clear(); }

  // Each returns false when memory is exhausted; then nothing was queued, and what was handed over
  // is released.
  [[nodiscard]] bool push(Block block, std::size_t bytes) noexcept;
  [[nodiscard]] bool push(const http::Payload& payload, BlockPool& blocks) noexcept;
  [[nodiscard]] bool push(const http::FileRange& range) noexcept;
  // REQUIRES: 0 < bytes <= pipe.bytes().
  [[nodiscard]] bool push(Pipe pipe, std::size_t bytes) noexcept;

  // Sends until the queue is empty (kDone), the stream takes no more (kAgain), or it breaks or a
  // file is shorter than promised (kFailed). `behind` goes behind what is queued, straight from
  // where it is: what is left of it then was not sent.
  [[nodiscard]] net::IoState flush(net::Stream& stream, std::string_view& behind) noexcept;
  [[nodiscard]] net::IoState flush(net::Stream& stream) noexcept {
    std::string_view none;
    return flush(stream, none);
  }

  [[nodiscard]] bool empty() const noexcept { return head_ == nullptr; }
  [[nodiscard]] std::uint64_t bytes() const noexcept { return bytes_; }
  // In how many pieces they are, and how many of these are parts of files or pipes.
  [[nodiscard]] std::size_t pieces() const noexcept { return pieces_; }
  [[nodiscard]] std::size_t files() const noexcept { return files_; }
  // Bytes the stream took since the queue was made: progress, for the write timeout.
  [[nodiscard]] std::uint64_t sent_bytes() const noexcept { return sent_bytes_; }
  void clear() noexcept;

 private:
  [[nodiscard]] Segment* append() noexcept;
  [[nodiscard]] bool copy(std::string_view bytes, BlockPool& blocks) noexcept;
  [[nodiscard]] net::IoResult send_some(net::Stream& stream, std::string_view behind) noexcept;
  // Forgets the first `bytes`, which were sent. REQUIRES: so many are queued.
  void drop(std::uint64_t bytes) noexcept;
  void pop() noexcept;

  Slab<Segment>& segments_;
  Segment* head_ = nullptr;
  Segment* tail_ = nullptr;
  std::uint64_t bytes_ = 0;
  std::uint64_t sent_bytes_ = 0;
  std::size_t pieces_ = 0;
  std::size_t files_ = 0;
};

}  // namespace tercel::server
