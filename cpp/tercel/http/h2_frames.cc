#include "tercel/http/h2_frames.h"

#include <algorithm>

namespace tercel::http {
namespace {

std::uint32_t read_number(const char* at, int bytes) noexcept {
  std::uint32_t number = 0;
  for (int i = 0; i < bytes; ++i) number = number << 8 | static_cast<unsigned char>(at[i]);
  return number;
}

// REQUIRES: `input` holds a whole frame head.
H2FrameHead read_head(std::span<const char> input) noexcept {
  constexpr std::uint32_t kStreamMask = 0x7fffffff;
  return {.length = read_number(input.data(), 3),
          .type = static_cast<H2FrameType>(input[3]),
          .flags = static_cast<std::uint8_t>(input[4]),
          .stream = read_number(input.data() + 5, 4) & kStreamMask};
}

// REQUIRES: `frame` holds the whole frame.
bool depends_on_itself(std::span<const char> frame, const H2FrameHead& head) noexcept {
  std::size_t at = H2Frames::kHeadBytes;
  if (head.type == H2FrameType::kHeaders) {
    if (!head.has(kH2Priority)) return false;
    if (head.has(kH2Padded)) ++at;
  }
  constexpr std::size_t kPriorityBytes = 5;
  if (frame.size() < at + kPriorityBytes) return false;
  return (read_number(frame.data() + at, 4) & 0x7fffffff) == head.stream;
}

}  // namespace

H2Piece H2Frames::next(std::span<const char> input) noexcept {
  using Kind = H2Piece::Kind;
  if (!preface_seen_) {
    if (input.size() < kH2Preface.size()) return {.kind = Kind::kNeedMore};
    preface_seen_ = true;
    return {.kind = Kind::kPreface, .bytes = kH2Preface.size()};
  }
  if (left_ > 0) {
    const std::size_t bytes = std::min(left_, input.size());
    left_ -= bytes;
    return {.kind = bytes > 0 ? Kind::kRest : Kind::kNeedMore, .bytes = bytes};
  }
  if (input.size() < kHeadBytes) return {.kind = Kind::kNeedMore};
  const H2FrameHead head = read_head(input);
  // One that is too long is refused for its head alone.
  if (head.length > kLengthMax) return {.kind = Kind::kFrame, .bytes = kHeadBytes, .head = head};
  if (head.type == H2FrameType::kHeaders || head.type == H2FrameType::kContinuation ||
      head.type == H2FrameType::kPushPromise) {
    return next_block(input, head);
  }
  const std::size_t whole = kHeadBytes + head.length;
  if (head.type == H2FrameType::kPriority && input.size() < whole) return {.kind = Kind::kNeedMore};
  const std::size_t bytes = std::min(whole, input.size());
  left_ = whole - bytes;
  const bool self_dependent =
      head.type == H2FrameType::kPriority && depends_on_itself(input.first(whole), head);
  return {.kind = Kind::kFrame, .bytes = bytes, .head = head, .self_dependent = self_dependent};
}

H2Piece H2Frames::next_block(std::span<const char> input, const H2FrameHead& head) noexcept {
  using Kind = H2Piece::Kind;
  std::size_t bytes = kHeadBytes + head.length;
  H2FrameHead last = head;
  for (int continuations = 0; !last.has(kH2EndHeaders); ++continuations) {
    if (continuations == kContinuationsMax || bytes > block_bytes_max_) {
      return {.kind = Kind::kFlood};
    }
    if (input.size() < bytes + kHeadBytes) return {.kind = Kind::kNeedMore};
    last = read_head(input.subspan(bytes));
    // What does not belong here is refused by the engine, for what it is.
    const bool belongs = last.type == H2FrameType::kContinuation && last.stream == head.stream &&
                         last.length <= kLengthMax;
    if (!belongs) {
      bytes += kHeadBytes;
      return {.kind = Kind::kFrame, .bytes = bytes, .head = head};
    }
    bytes += kHeadBytes + last.length;
  }
  if (input.size() < bytes) return {.kind = Kind::kNeedMore};
  return {.kind = Kind::kFrame,
          .bytes = bytes,
          .head = head,
          .self_dependent = depends_on_itself(input.first(kHeadBytes + head.length), head)};
}

}  // namespace tercel::http
