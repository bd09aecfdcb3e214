// The sending half of a WebSocket: messages and control frames in, frames out.
//
//   auto frame = sender.pack(pool, MessageKind::kText, bytes);
//   if (frame) wire.send(frame->bytes());
//
// Sans-I/O. A message becomes one frame. With permessage-deflate, one of at least
// DeflateOptions::bytes_min is compressed; the compressor is made for the first of them, and kept
// only where its window goes over to the next message. Resource: one a connection. Source: RFC 6455
// section 5, RFC 7692 section 7.2.1. Tested by websocket_sender_test.cc.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "tercel/base/block_pool.h"
#include "tercel/base/result.h"
#include "tercel/codec/deflate.h"
#include "tercel/http/handler.h"
#include "tercel/http/websocket_deflate.h"
#include "tercel/http/websocket_frame.h"
#include "tercel/http/websocket_queue.h"

namespace tercel::http {

// A frame in one piece.
struct PackedFrame {
  Block block;
  std::size_t begin = 0;
  std::size_t end = 0;
  [[nodiscard]] std::string_view bytes() const noexcept {
    return {block.data() + begin, end - begin};
  }
  // The frame as a payload that owns its block. The frame is empty then.
  [[nodiscard]] Payload to_payload() noexcept;
};

class WebSocketSender {
 public:
  explicit WebSocketSender(Role role) noexcept : role_{role} {}

  // To be called before the first message.
  void set_deflate(const DeflateTerms& terms, const DeflateOptions& options) noexcept;

  // Whether pack() compresses a message of this size.
  [[nodiscard]] bool compresses(std::size_t bytes) const noexcept {
    return deflate_ && bytes > 0 && bytes >= bytes_min_;
  }
  // The whole frame of a message, copied or compressed. `mask`: of a client. Fails with kNoMemory.
  [[nodiscard]] Result<PackedFrame> pack(BlockPool& pool, MessageKind kind,
                                         std::string_view message, MaskKey mask = {}) noexcept;
  // The header of a message that is sent as it is: for one that is not to be copied. Returns its
  // end. REQUIRES: room for kFrameHeaderBytesMax; a server; !compresses(bytes).
  [[nodiscard]] char* write_header(char* out, MessageKind kind, std::size_t bytes) const noexcept;
  // Writes a control frame to `out`, and returns its end. REQUIRES: room for kControlFrameBytesMax;
  // a payload of at most kControlBytesMax.
  [[nodiscard]] char* write_control(char* out, Opcode opcode, std::string_view payload,
                                    MaskKey mask = {}) const noexcept;
  static constexpr std::size_t kControlFrameBytesMax = 6 + kControlBytesMax;

  // No message follows: gives the compressor up.
  void finish() noexcept { deflater_.close(); }

 private:
  [[nodiscard]] Result<PackedFrame> pack_compressed(BlockPool& pool, const FrameHeader& header,
                                                    std::string_view message) noexcept;
  // Puts the header in front of a payload that is in place, and masks it.
  void complete(PackedFrame& frame, FrameHeader header) const noexcept;

  Role role_;
  bool deflate_ = false;
  bool takeover_ = true;
  std::uint8_t level_ = 1;
  std::uint8_t window_bits_ = 15;
  std::size_t bytes_min_ = 0;
  codec::Deflater deflater_;
};

}  // namespace tercel::http
