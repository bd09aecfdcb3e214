#include "tercel/http/websocket_sender.h"

#include <algorithm>
#include <array>
#include <memory>
#include <utility>

#include "tercel/http/websocket_mask.h"

namespace tercel::http {
namespace {

// What a flush ends with, and a sender takes off. Source: RFC 7692 section 7.2.1.
constexpr std::size_t kDeflateTailBytes = 4;
// In front of a packed payload: the block, once it owns itself, and the header.
constexpr std::size_t kGapBytes = sizeof(Block) + kFrameHeaderBytesMax;

void release_block(void* owner) noexcept {
  auto* const block = static_cast<Block*>(owner);
  const Block last = std::move(*block);  // Its memory is where `block` is.
  std::destroy_at(block);
}

constexpr Opcode opcode_of(MessageKind kind) noexcept {
  return kind == MessageKind::kText ? Opcode::kText : Opcode::kBinary;
}

}  // namespace

Payload PackedFrame::to_payload() noexcept {
  const std::string_view frame = bytes();
  auto* const place = reinterpret_cast<Block*>(block.data());
  std::construct_at(place, std::move(block));
  return Payload::own(frame, place, &release_block);
}

void WebSocketSender::set_deflate(const DeflateTerms& terms,
                                  const DeflateOptions& options) noexcept {
  const DeflateSide& own = role_ == Role::kServer ? terms.server : terms.client;
  deflate_ = true;
  takeover_ = own.takeover;
  level_ = static_cast<std::uint8_t>(options.level);
  window_bits_ = static_cast<std::uint8_t>(std::max(own.window_bits, codec::kWindowBitsMin));
  bytes_min_ = options.bytes_min;
}

char* WebSocketSender::write_header(char* out, MessageKind kind, std::size_t bytes) const noexcept {
  return write_frame_header(out, {.length = bytes, .opcode = opcode_of(kind)}, role_);
}

char* WebSocketSender::write_control(char* out, Opcode opcode, std::string_view payload,
                                     MaskKey mask) const noexcept {
  const FrameHeader header{.length = payload.size(), .mask = mask, .opcode = opcode};
  char* const at = write_frame_header(out, header, role_);
  if (role_ == Role::kClient) {
    mask_copy(at, payload.data(), payload.size(), mask, 0);
  } else {
    std::copy_n(payload.data(), payload.size(), at);
  }
  return at + payload.size();
}

void WebSocketSender::complete(PackedFrame& frame, FrameHeader header) const noexcept {
  char* const payload = frame.block.data() + frame.begin;
  const std::size_t bytes = frame.end - frame.begin;
  if (role_ == Role::kClient) mask_copy(payload, payload, bytes, header.mask, 0);
  header.length = bytes;
  std::array<char, kFrameHeaderBytesMax> written;
  const char* const end = write_frame_header(written.data(), header, role_);
  const auto size = static_cast<std::size_t>(end - written.data());
  frame.begin -= size;
  std::copy_n(written.data(), size, frame.block.data() + frame.begin);
}

Result<PackedFrame> WebSocketSender::pack(BlockPool& pool, MessageKind kind,
                                          std::string_view message, MaskKey mask) noexcept {
  FrameHeader header{.length = message.size(), .mask = mask, .opcode = opcode_of(kind)};
  if (compresses(message.size())) {
    header.compressed = true;
    return pack_compressed(pool, header, message);
  }
  PackedFrame frame{.block = pool.take(kGapBytes + message.size())};
  if (!frame.block) return fail(Errc::kNoMemory);
  frame.begin = kGapBytes;
  frame.end = frame.begin + message.size();
  std::copy_n(message.data(), message.size(), frame.block.data() + frame.begin);
  complete(frame, header);
  return frame;
}

Result<PackedFrame> WebSocketSender::pack_compressed(BlockPool& pool, const FrameHeader& header,
                                                     std::string_view message) noexcept {
  if (!deflater_.is_open()) {
    if (!deflater_.open(level_, window_bits_)) return fail(Errc::kNoMemory);
  }
  const std::size_t room = deflater_.bound(message.size());
  PackedFrame frame{.block = pool.take(kGapBytes + room)};
  if (!frame.block) return fail(Errc::kNoMemory);
  frame.begin = frame.end = kGapBytes;
  // The bound is one: the room is never filled before all is read.
  const codec::Progress step = deflater_.deflate(message, {frame.block.data() + frame.begin, room});
  const bool whole = step.state == codec::StreamState::kOk && step.read == message.size() &&
                     step.written < room && step.written >= kDeflateTailBytes;
  if (!whole || !takeover_) deflater_.close();
  if (!whole) return fail(Errc::kNoMemory);
  frame.end += step.written - kDeflateTailBytes;
  complete(frame, header);
  return frame;
}

}  // namespace tercel::http
