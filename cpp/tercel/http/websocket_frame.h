// The header of a WebSocket frame: read, judged and written.
//
//   FrameParser parser{Role::kServer};
//   switch (parser.parse(bytes, header)) ...   // Takes what it read off `bytes`.
//
// Values. Judges what a frame says of itself: reserved bits and opcodes, masking, the form of its
// length, control frames. What a frame may follow is websocket_receiver.h's. Knows no payload.
// Source: RFC 6455 section 5.2. Tested by websocket_frame_test.cc.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace tercel::http {

// Whose end of the connection this is. A client masks what it sends, a server does not.
enum class Role : std::uint8_t { kServer, kClient };

enum class Opcode : std::uint8_t {
  kContinuation = 0x0,
  kText = 0x1,
  kBinary = 0x2,
  kClose = 0x8,
  kPing = 0x9,
  kPong = 0xA
};

constexpr bool is_control(Opcode opcode) noexcept {
  return (static_cast<unsigned>(opcode) & 8U) != 0;
}

inline constexpr std::size_t kFrameHeaderBytesMax = 14;
// Payload of a control frame.
inline constexpr std::size_t kControlBytesMax = 125;

using MaskKey = std::array<char, 4>;

struct FrameHeader {
  std::uint64_t length = 0;  // Of the payload.
  MaskKey mask{};            // Of a client's frame.
  Opcode opcode = Opcode::kBinary;
  bool final = true;
  bool compressed = false;  // RSV1: the first frame of a message that permessage-deflate packed.
};

enum class FrameStatus : std::uint8_t { kDone, kNeedMore, kBad };

class FrameParser {
 public:
  // `receiver`: the frames are those of the other role.
  explicit FrameParser(Role receiver) noexcept : receiver_{receiver} {}

  // Goes on with the header that it is in. kBad as soon as a byte is wrong; then it must not be
  // asked again.
  [[nodiscard]] FrameStatus parse(std::string_view& bytes, FrameHeader& header) noexcept;
  // In the middle of a header.
  [[nodiscard]] bool started() const noexcept { return have_ > 0; }

 private:
  // Reads up to `wanted` bytes of the header. False: not here yet.
  [[nodiscard]] bool gather(std::string_view& bytes, std::size_t wanted) noexcept;
  [[nodiscard]] bool valid_start() const noexcept;
  [[nodiscard]] std::uint64_t length() const noexcept;
  [[nodiscard]] bool valid_length() const noexcept;
  [[nodiscard]] std::size_t length_bytes() const noexcept;

  std::array<char, kFrameHeaderBytesMax> header_;
  std::uint8_t have_ = 0;
  Role receiver_;
};

// Writes the header of a frame that `sender` sends, and returns its end. REQUIRES: room for
// kFrameHeaderBytesMax.
[[nodiscard]] char* write_frame_header(char* out, const FrameHeader& header, Role sender) noexcept;

}  // namespace tercel::http
