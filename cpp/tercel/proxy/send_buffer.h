// Bytes on their way to an origin that its socket did not take at once.
//
//   output.add(head);                         // Copied behind what waits already.
//   state = output.send(stream, {bytes...});  // Straight from where they are, when nothing waits.
//   output.add(std::move(pipe));              // What is in it, behind what waits already.
//   state = output.flush(stream);             // After an event.
//
// One pooled block, which is there only while bytes wait, and behind it at most one pipe, behind
// which nothing is added. Who fills it stops at a high-water mark, so that it stays small.
// Resource: belongs to one request. Thread: the loop's. Tested by send_buffer_test.cc.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <utility>

#include "tercel/base/block_pool.h"
#include "tercel/base/pipe.h"
#include "tercel/net/stream.h"

namespace tercel::proxy {

// What has become of the bytes.
enum class Sent : std::uint8_t {
  kAll,
  kPart,     // The stream takes no more now; the rest waits.
  kBroken,   // The stream takes no more.
  kNoMemory  // It does not take all now, and there is no memory for the rest: some of it is lost.
};

class SendBuffer {
 public:
  // Pieces of one send(), at most: a chunk is three.
  static constexpr std::size_t kPiecesMax = 4;

  explicit SendBuffer(BlockPool& blocks) noexcept : blocks_{blocks} {}
  SendBuffer(const SendBuffer&) = delete;
  SendBuffer& operator=(const SendBuffer&) = delete;

  [[nodiscard]] std::size_t bytes() const noexcept { return end_ - begin_ + pipe_.bytes(); }
  [[nodiscard]] bool ends_in_pipe() const noexcept { return pipe_.bytes() > 0; }

  // Copies `bytes` behind what waits. False: memory is exhausted.
  [[nodiscard]] bool add(std::string_view bytes) noexcept;
  // REQUIRES here and below: !ends_in_pipe().
  void add(Pipe pipe) noexcept { pipe_ = std::move(pipe); }
  // Room for `bytes` more behind what waits, to be written in place; null: memory is exhausted.
  [[nodiscard]] char* room(std::size_t bytes) noexcept;
  // The first `bytes` of what room() returned last are to be sent.
  void added(std::size_t bytes) noexcept { end_ += bytes; }

  // Sends what waits and the pieces behind it, together; copies what is not taken.
  [[nodiscard]] Sent send(net::Stream& stream, std::span<const std::string_view> pieces) noexcept;
  // Sends what waits. Never kNoMemory.
  [[nodiscard]] Sent flush(net::Stream& stream) noexcept;
  void clear() noexcept;

 private:
  [[nodiscard]] std::size_t in_block() const noexcept { return end_ - begin_; }
  void drop(std::size_t bytes) noexcept;
  void drop_block() noexcept;

  BlockPool& blocks_;
  Block block_;
  Pipe pipe_;
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
};

}  // namespace tercel::proxy
