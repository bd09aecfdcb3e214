#include "tercel/http/websocket_frame.h"

#include <algorithm>

namespace tercel::http {
namespace {

constexpr unsigned kFinal = 0x80;
constexpr unsigned kReserved1 = 0x40;
constexpr unsigned kReserved23 = 0x30;
constexpr unsigned kOpcode = 0x0F;
constexpr unsigned kMasked = 0x80;
constexpr unsigned kLength = 0x7F;
// Values of the length that say how many bytes of it follow.
constexpr unsigned kLength16 = 126;
constexpr unsigned kLength64 = 127;

constexpr unsigned byte_of(char c) noexcept {
  return static_cast<unsigned char>(c);
}

constexpr bool is_known(unsigned opcode) noexcept {
  return opcode <= 0x2 || (opcode >= 0x8 && opcode <= 0xA);
}

}  // namespace

bool FrameParser::gather(std::string_view& bytes, std::size_t wanted) noexcept {
  if (have_ >= wanted) return true;
  const std::size_t part = std::min(wanted - have_, bytes.size());
  std::copy_n(bytes.data(), part, header_.data() + have_);
  have_ = static_cast<std::uint8_t>(have_ + part);
  bytes.remove_prefix(part);
  return have_ == wanted;
}

bool FrameParser::valid_start() const noexcept {
  const unsigned first = byte_of(header_[0]);
  const unsigned second = byte_of(header_[1]);
  const unsigned opcode = first & kOpcode;
  if ((first & kReserved23) != 0 || !is_known(opcode)) return false;
  if (((second & kMasked) != 0) != (receiver_ == Role::kServer)) return false;
  if (!is_control(static_cast<Opcode>(opcode))) return true;
  return (first & kFinal) != 0 && (first & kReserved1) == 0 &&
         (second & kLength) <= kControlBytesMax;
}

std::size_t FrameParser::length_bytes() const noexcept {
  switch (byte_of(header_[1]) & kLength) {
    case kLength16:
      return 2;
    case kLength64:
      return 8;
    default:
      return 0;
  }
}

std::uint64_t FrameParser::length() const noexcept {
  const std::size_t bytes = length_bytes();
  if (bytes == 0) return byte_of(header_[1]) & kLength;
  std::uint64_t length = 0;
  for (std::size_t i = 0; i < bytes; ++i) length = length << 8 | byte_of(header_[2 + i]);
  return length;
}

// The shortest form is the only one, and the highest bit is no length's.
bool FrameParser::valid_length() const noexcept {
  switch (length_bytes()) {
    case 2:
      return length() >= kLength16;
    case 8:
      return length() > UINT16_MAX && length() <= INT64_MAX;
    default:
      return true;
  }
}

FrameStatus FrameParser::parse(std::string_view& bytes, FrameHeader& header) noexcept {
  if (!gather(bytes, 2)) return FrameStatus::kNeedMore;
  if (!valid_start()) return FrameStatus::kBad;
  if (!gather(bytes, 2 + length_bytes())) return FrameStatus::kNeedMore;
  if (!valid_length()) return FrameStatus::kBad;
  const std::size_t mask_at = 2 + length_bytes();
  if (receiver_ == Role::kServer) {
    if (!gather(bytes, mask_at + header.mask.size())) return FrameStatus::kNeedMore;
    std::copy_n(header_.data() + mask_at, header.mask.size(), header.mask.data());
  }
  const unsigned first = byte_of(header_[0]);
  header.length = length();
  header.opcode = static_cast<Opcode>(first & kOpcode);
  header.final = (first & kFinal) != 0;
  header.compressed = (first & kReserved1) != 0;
  have_ = 0;
  return FrameStatus::kDone;
}

char* write_frame_header(char* out, const FrameHeader& header, Role sender) noexcept {
  const unsigned masked = sender == Role::kClient ? kMasked : 0U;
  const auto put = [&out](std::uint64_t byte) { *out++ = static_cast<char>(byte); };
  put((header.final ? kFinal : 0U) | (header.compressed ? kReserved1 : 0U) |
      static_cast<unsigned>(header.opcode));
  std::size_t extended = 0;
  if (header.length < kLength16) {
    put(masked | header.length);
  } else {
    extended = header.length <= UINT16_MAX ? 2 : 8;
    put(masked | (extended == 2 ? kLength16 : kLength64));
  }
  for (std::size_t i = extended; i > 0; --i) put(header.length >> (8 * (i - 1)));
  return masked != 0 ? std::copy_n(header.mask.data(), header.mask.size(), out) : out;
}

}  // namespace tercel::http
