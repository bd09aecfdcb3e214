// The receiving half of a WebSocket: bytes in, messages and control frames out.
//
//   for (;;) {
//     switch (receiver.next(bytes)) {                 // Takes what it read off `bytes`.
//       case WebSocketReceiver::Event::kNeedMore: return;
//       case WebSocketReceiver::Event::kMessage: ...  // It is in the queue.
//       case WebSocketReceiver::Event::kPing: answer(receiver.control());
//       ...
//
// Sans-I/O. Puts fragments together, lets control frames through between them, unmasks,
// decompresses, and checks text as it arrives: what cannot become valid fails at its first wrong
// byte, in the middle of a frame. Between messages it holds no memory, but for the window of
// permessage-deflate where that goes over to the next message.
//
// What a peer can cost. A message is at most `message_bytes_max`, told by the header where it is
// announced and while it is inflated where it is not (1009); memory grows with what arrived. Frames
// that are empty and do not end a message are kEmptyFramesMax in a message at most (1008): bytes
// and empty frames are counted, not fragments, which a peer may make as small as it likes. What a
// few bytes are inflated to comes in portions (kPause), so that others have a turn between them.
//
// Resource: one a connection; pool and queue outlive it. Source: RFC 6455 sections 5 to 8, RFC 7692
// section 7.2.2. Tested by websocket_receiver_test.cc.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "tercel/base/block_pool.h"
#include "tercel/base/utf8.h"
#include "tercel/codec/deflate.h"
#include "tercel/http/websocket_close.h"
#include "tercel/http/websocket_deflate.h"
#include "tercel/http/websocket_frame.h"
#include "tercel/http/websocket_queue.h"

namespace tercel::http {

class WebSocketReceiver {
 public:
  enum class Event : std::uint8_t {
    kNeedMore,  // Everything is read.
    kPause,    // A portion was inflated: call again, in another turn, with what is left of `bytes`.
    kMessage,  // The queue has one more.
    kPing,     // control() is its payload.
    kPong,
    kClose,  // control() is its payload: parse_close().
    kFailed  // failure() says why. Nothing more can be read.
  };

  static constexpr std::uint32_t kEmptyFramesMax = 1000;
  // After so many bytes next() pauses; a piece of kPieceBytes may inflate to a thousand times that
  // before it is asked.
  static constexpr std::size_t kPortionBytes = 256 * std::size_t{1024};

  WebSocketReceiver(Role role, BlockPool& pool, MessageQueue& queue,
                    std::size_t message_bytes_max) noexcept
      : parser_{role}, role_{role}, pool_{pool}, queue_{queue}, bytes_max_{message_bytes_max} {}

  // What the peer compresses with. To be called before the first byte.
  void set_deflate(const DeflateTerms& terms) noexcept;

  [[nodiscard]] Event next(std::string_view& bytes) noexcept;
  // The payload of the control frame that next() told. Valid until the next call of it.
  [[nodiscard]] std::string_view control() const noexcept {
    return {control_ ? control_.data() : nullptr, control_bytes_};
  }
  // What to close with.
  [[nodiscard]] const Closing& failure() const noexcept { return failure_; }

  // From now on messages are thrown away as they arrive; control frames are told as before.
  void discard_messages() noexcept;
  // Part of a message is here, or part of the header of a frame.
  [[nodiscard]] bool in_message() const noexcept { return open_ || parser_.started(); }
  // Bytes of messages that arrived so far.
  [[nodiscard]] std::uint64_t message_bytes() const noexcept { return message_bytes_; }

 private:
  // False: the header is not complete, or it failed.
  [[nodiscard]] bool read_header(std::string_view& bytes) noexcept;
  // Each returns false when it failed.
  [[nodiscard]] bool begin_frame() noexcept;
  [[nodiscard]] bool begin_message() noexcept;
  [[nodiscard]] bool check_size() noexcept;
  // Takes what it read off `part`: all of it, unless it is to pause.
  [[nodiscard]] bool read_payload(std::string_view& part) noexcept;
  [[nodiscard]] bool read_whole(std::string_view payload) noexcept;
  [[nodiscard]] bool append(std::string_view part) noexcept;
  [[nodiscard]] bool inflate_portion(std::string_view& part) noexcept;
  [[nodiscard]] bool inflate(std::string_view part) noexcept;
  [[nodiscard]] bool check_text(std::string_view part) noexcept;
  [[nodiscard]] bool end_message() noexcept;
  [[nodiscard]] bool fail_with(CloseCode code, std::string_view reason) noexcept;

  void read_control(std::string_view part) noexcept;
  [[nodiscard]] Event control_event() const noexcept;
  void unmask(char* to, std::string_view part) const noexcept;

  FrameParser parser_;
  Role role_;
  MessageKind kind_ = MessageKind::kBinary;  // Of the open message.
  bool in_payload_ = false;                  // frame_ is read, its payload is not.
  bool open_ = false;                        // Between the first frame of a message and its last.
  bool compressed_ = false;
  bool whole_ = false;  // The message is in the queue already.
  bool discarding_ = false;
  bool deflate_ = false;
  bool takeover_ = true;
  std::uint8_t window_bits_ = 15;
  std::uint8_t control_bytes_ = 0;
  Utf8Validator text_;
  std::uint32_t empty_frames_ = 0;
  FrameHeader frame_;
  std::uint64_t offset_ = 0;         // Of the payload that was read.
  std::uint64_t packed_bytes_ = 0;   // Of the open message, before they are inflated.
  std::uint64_t message_bytes_ = 0;  // Of all messages.
  BlockPool& pool_;
  MessageQueue& queue_;
  std::size_t bytes_max_;
  MessageBuffer buffer_;  // The open message.
  Block control_;
  codec::Inflater inflater_;
  Closing failure_;
};

}  // namespace tercel::http
