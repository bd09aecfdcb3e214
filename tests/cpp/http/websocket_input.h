// Frames to feed a receiver with, and what it makes of them.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <string>
#include <string_view>

#include "tercel/base/block_pool.h"
#include "tercel/http/websocket_mask.h"
#include "tercel/http/websocket_receiver.h"

namespace tercel::http {

struct FrameForm {
  Opcode opcode = Opcode::kText;
  bool final = true;
  bool compressed = false;
  MaskKey mask{'\x37', '\xfa', '\x21', '\x3d'};  // The one of the RFC's examples.
};

// A frame as a client sends it.
inline std::string client_frame(std::string_view payload, const FrameForm& form = {}) {
  std::array<char, kFrameHeaderBytesMax> header;
  const FrameHeader fields{.length = payload.size(),
                           .mask = form.mask,
                           .opcode = form.opcode,
                           .final = form.final,
                           .compressed = form.compressed};
  char* const end = write_frame_header(header.data(), fields, Role::kClient);
  std::string frame{header.data(), end};
  std::string masked{payload};
  mask_copy(masked.data(), masked.data(), masked.size(), form.mask, 0);
  return frame + masked;
}

// A message as a peer compresses it. Source: RFC 7692 section 7.2.1.
inline std::string packed(codec::Deflater& deflater, std::string_view text) {
  std::string room(deflater.bound(text.size()), '\0');
  const codec::Progress step = deflater.deflate(text, room);
  return room.substr(0, step.written - 4);
}

struct ReceiveOptions {
  Role role = Role::kServer;
  std::size_t bytes_max = 1 << 20;
  bool deflate = false;
  DeflateTerms terms{};
};

// Instead of everything else.
inline constexpr std::string_view kMemoryIsLost = "memory is lost\n";

// What a receiver said, one line an event.
//
//   text "Hello"
//   ping "x"
//   close 1000 "bye"
//   failed 1002 "malformed frame"
inline std::string receive_in_steps(std::string_view input, std::size_t step,
                                    const ReceiveOptions& options = {}) {
  BlockPool pool;
  std::string said;
  {
    MessageQueue queue;
    WebSocketReceiver receiver{options.role, pool, queue, options.bytes_max};
    if (options.deflate) receiver.set_deflate(options.terms);
    const auto quoted = [](std::string_view bytes) { return " \"" + std::string{bytes} + "\"\n"; };
    const auto code_of = [](const Closing& closing) {
      return " " + std::to_string(static_cast<unsigned>(closing.code));
    };
    bool over = false;
    while (!over && !input.empty()) {
      // In memory of exactly its size, so that AddressSanitizer sees the first byte beyond.
      const std::size_t bytes = std::min(step, input.size());
      const std::string part{input.substr(0, bytes)};
      input.remove_prefix(bytes);
      std::string_view unread = part;
      for (bool more = true; more && !over;) {
        switch (receiver.next(unread)) {
          case WebSocketReceiver::Event::kNeedMore:
            more = false;
            break;
          case WebSocketReceiver::Event::kPause:
            break;
          case WebSocketReceiver::Event::kMessage: {
            const Message message = queue.front();
            said +=
                (message.kind == MessageKind::kText ? "text" : "binary") + quoted(message.bytes);
            queue.pop();
            break;
          }
          case WebSocketReceiver::Event::kPing:
            said += "ping" + quoted(receiver.control());
            break;
          case WebSocketReceiver::Event::kPong:
            said += "pong" + quoted(receiver.control());
            break;
          case WebSocketReceiver::Event::kClose: {
            const ParsedClose close = parse_close(receiver.control());
            said += close.verdict == CloseCode::kNormal
                        ? "close" + code_of(close.closing) + quoted(close.closing.reason)
                        : "bad close" + code_of({.code = close.verdict, .reason = {}}) + "\n";
            over = true;
            break;
          }
          case WebSocketReceiver::Event::kFailed:
            said += "failed" + code_of(receiver.failure()) + quoted(receiver.failure().reason);
            over = true;
            break;
        }
      }
    }
  }
  if (pool.outstanding() != 0) said = kMemoryIsLost;
  return said;
}

}  // namespace tercel::http
