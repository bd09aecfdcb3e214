// Looks at the heads of HTTP/2 frames before the engine gets them: how much of the input may be
// fed, and what it is.
//
//   H2Frames frames{limits.head_bytes_max};
//   const H2Piece piece = frames.next(input);
//   if (piece.bytes > 0) engine.feed(input.first(piece.bytes));
//
// A header block is fed in one piece, once it is complete: it is decoded in one go, into memory
// that all sessions share, and one that never ends is never decoded. Everything else is fed as it
// comes. What a frame means is the engine's to judge; here is judged what it costs. A value.
// Source: RFC 9113 sections 3.4, 4.1 and 4.3. Tested by h2_frames_test.cc.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace tercel::http {

// What every client sends first. Source: RFC 9113 section 3.4.
inline constexpr std::string_view kH2Preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

enum class H2FrameType : std::uint8_t {
  kData = 0,
  kHeaders = 1,
  kPriority = 2,
  kRstStream = 3,
  kSettings = 4,
  kPushPromise = 5,
  kPing = 6,
  kGoaway = 7,
  kWindowUpdate = 8,
  kContinuation = 9,
  kPriorityUpdate = 16  // RFC 9218.
};

inline constexpr std::uint8_t kH2EndStream = 0x1;
inline constexpr std::uint8_t kH2Ack = 0x1;
inline constexpr std::uint8_t kH2EndHeaders = 0x4;
inline constexpr std::uint8_t kH2Padded = 0x8;
inline constexpr std::uint8_t kH2Priority = 0x20;

struct H2FrameHead {
  std::uint32_t length;
  H2FrameType type;
  std::uint8_t flags;
  std::uint32_t stream;

  [[nodiscard]] bool has(std::uint8_t flag) const noexcept { return (flags & flag) != 0; }
};

// Part of the input that may be fed now.
struct H2Piece {
  enum class Kind : std::uint8_t {
    kNeedMore,  // `bytes` is 0: more has to come first.
    kPreface,
    kFrame,  // Begins with `head`; holds all of it if it is a header block or a priority.
    kRest,   // Goes on with a frame that began earlier.
    kFlood   // A header block of too many frames, or too large: the end of the connection.
  };
  Kind kind;
  std::size_t bytes = 0;
  H2FrameHead head{};
  // A stream that names itself as the one it depends on. Source: RFC 7540 section 5.3.1.
  bool self_dependent = false;
};

class H2Frames {
 public:
  static constexpr std::size_t kHeadBytes = 9;
  // SETTINGS_MAX_FRAME_SIZE: we announce no other.
  static constexpr std::uint32_t kLengthMax = 16384;
  // CONTINUATION frames in one header block. A head within its limit needs five at most, unless its
  // client cuts it up for no good reason.
  static constexpr int kContinuationsMax = 8;

  // `block_bytes_max`: of a header block as it arrives, frames included.
  explicit H2Frames(std::size_t block_bytes_max) noexcept : block_bytes_max_{block_bytes_max} {}

  // The next piece of `input`, which begins behind what earlier calls returned. A piece counts as
  // fed.
  [[nodiscard]] H2Piece next(std::span<const char> input) noexcept;

  // Nothing of a frame was fed whose rest is missing.
  [[nodiscard]] bool between_frames() const noexcept { return left_ == 0; }

 private:
  [[nodiscard]] H2Piece next_block(std::span<const char> input, const H2FrameHead& head) noexcept;

  std::size_t block_bytes_max_;
  std::size_t left_ = 0;  // Of the frame whose first part was fed.
  bool preface_seen_ = false;
};

}  // namespace tercel::http
