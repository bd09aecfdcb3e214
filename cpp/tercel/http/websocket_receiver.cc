#include "tercel/http/websocket_receiver.h"

#include <algorithm>
#include <array>
#include <utility>

#include "tercel/http/websocket_mask.h"

namespace tercel::http {
namespace {

using std::string_view_literals::operator""sv;

// What a sender takes off the end of a compressed message. Source: RFC 7692 section 7.2.2.
constexpr std::string_view kDeflateTail = "\x00\x00\xff\xff"sv;
// Payload is unmasked in pieces of this size before it is inflated.
constexpr std::size_t kPieceBytes = 1024;

}  // namespace

void WebSocketReceiver::set_deflate(const DeflateTerms& terms) noexcept {
  const DeflateSide& peer = role_ == Role::kServer ? terms.client : terms.server;
  deflate_ = true;
  takeover_ = peer.takeover;
  window_bits_ = static_cast<std::uint8_t>(std::max(peer.window_bits, codec::kWindowBitsMin));
}

void WebSocketReceiver::discard_messages() noexcept {
  discarding_ = true;
  buffer_.clear();
  inflater_.close();
}

bool WebSocketReceiver::fail_with(CloseCode code, std::string_view reason) noexcept {
  failure_ = {.code = code, .reason = reason};
  buffer_.clear();
  inflater_.close();
  return false;
}

WebSocketReceiver::Event WebSocketReceiver::next(std::string_view& bytes) noexcept {
  if (failure_.code != CloseCode::kNoCode) return Event::kFailed;
  for (;;) {
    if (!in_payload_ && !read_header(bytes)) {
      return failure_.code == CloseCode::kNoCode ? Event::kNeedMore : Event::kFailed;
    }
    const auto size =
        static_cast<std::size_t>(std::min<std::uint64_t>(frame_.length - offset_, bytes.size()));
    std::string_view part = bytes.substr(0, size);
    const bool control = is_control(frame_.opcode);
    if (control) {
      read_control(part);
      part = {};
    } else if (!read_payload(part)) {
      return Event::kFailed;
    }
    offset_ += size - part.size();
    bytes.remove_prefix(size - part.size());
    if (!part.empty()) return Event::kPause;
    if (offset_ < frame_.length) return Event::kNeedMore;
    in_payload_ = false;
    if (control) return control_event();
    if (!frame_.final) continue;
    if (!end_message()) return Event::kFailed;
    if (!discarding_) return Event::kMessage;
  }
}

bool WebSocketReceiver::read_header(std::string_view& bytes) noexcept {
  control_ = Block{};
  control_bytes_ = 0;
  const FrameStatus status = parser_.parse(bytes, frame_);
  if (status == FrameStatus::kNeedMore) return false;
  if (status == FrameStatus::kBad) return fail_with(CloseCode::kProtocolError, "malformed frame");
  if (!begin_frame()) return false;
  in_payload_ = true;
  offset_ = 0;
  return true;
}

// --- control frames

void WebSocketReceiver::read_control(std::string_view part) noexcept {
  if (part.empty()) return;
  unmask(control_.data() + control_bytes_, part);
  control_bytes_ = static_cast<std::uint8_t>(control_bytes_ + part.size());
}

WebSocketReceiver::Event WebSocketReceiver::control_event() const noexcept {
  if (frame_.opcode == Opcode::kPing) return Event::kPing;
  return frame_.opcode == Opcode::kPong ? Event::kPong : Event::kClose;
}

void WebSocketReceiver::unmask(char* to, std::string_view part) const noexcept {
  if (role_ == Role::kServer) {
    mask_copy(to, part.data(), part.size(), frame_.mask, offset_);
  } else {
    std::copy_n(part.data(), part.size(), to);
  }
}

// --- frames of messages

bool WebSocketReceiver::begin_frame() noexcept {
  if (is_control(frame_.opcode)) {
    if (frame_.length == 0) return true;
    control_ = pool_.take(kControlBytesMax);
    return control_ || fail_with(CloseCode::kInternalError, "out of memory");
  }
  if (frame_.opcode == Opcode::kContinuation) {
    if (!open_) return fail_with(CloseCode::kProtocolError, "nothing to continue");
    if (frame_.compressed) return fail_with(CloseCode::kProtocolError, "reserved bit set");
  } else if (!begin_message()) {
    return false;
  }
  if (frame_.length == 0 && !frame_.final && ++empty_frames_ > kEmptyFramesMax) {
    return fail_with(CloseCode::kPolicy, "too many empty frames");
  }
  return check_size();
}

bool WebSocketReceiver::begin_message() noexcept {
  if (open_) return fail_with(CloseCode::kProtocolError, "message within a message");
  if (frame_.compressed && !deflate_) {
    return fail_with(CloseCode::kProtocolError, "reserved bit set");
  }
  open_ = true;
  kind_ = frame_.opcode == Opcode::kText ? MessageKind::kText : MessageKind::kBinary;
  compressed_ = frame_.compressed;
  whole_ = false;
  text_ = {};
  empty_frames_ = 0;
  packed_bytes_ = 0;
  if (!compressed_ || discarding_) return true;
  inflater_.begin();
  if (inflater_.is_open() || inflater_.open(window_bits_)) return true;
  return fail_with(CloseCode::kInternalError, "out of memory");
}

bool WebSocketReceiver::check_size() noexcept {
  if (discarding_) return true;
  std::uint64_t most = bytes_max_ - buffer_.size();
  if (compressed_) {
    // What does not compress becomes a little longer. Blocks that hold nothing could go on for
    // ever.
    constexpr std::uint64_t kOverheadBytes = 1024;
    packed_bytes_ += std::min<std::uint64_t>(frame_.length, INT64_MAX / 2);
    most = packed_bytes_ <= bytes_max_ + bytes_max_ / 8 + kOverheadBytes ? frame_.length : 0;
  }
  return frame_.length <= most || fail_with(CloseCode::kTooBig, "message too big");
}

bool WebSocketReceiver::read_payload(std::string_view& part) noexcept {
  if (compressed_ && !discarding_) return inflate_portion(part);
  const std::string_view payload = std::exchange(part, {});
  message_bytes_ += payload.size();
  if (discarding_) return true;
  const bool single = frame_.final && frame_.opcode != Opcode::kContinuation;
  if (single && payload.size() == frame_.length) return read_whole(payload);
  return append(payload);
}

// The usual message: one frame, all of it here.
bool WebSocketReceiver::read_whole(std::string_view payload) noexcept {
  char* const room = queue_.reserve(pool_, payload.size());
  if (room == nullptr) return fail_with(CloseCode::kInternalError, "out of memory");
  unmask(room, payload);
  if (!check_text({room, payload.size()})) return false;
  if (!text_.complete()) return fail_with(CloseCode::kBadData, "text is not UTF-8");
  queue_.commit(kind_, payload.size());
  whole_ = true;
  return true;
}

bool WebSocketReceiver::append(std::string_view part) noexcept {
  const std::uint64_t start = offset_;
  while (!part.empty()) {
    // The last frame says how much the message needs.
    const std::size_t most = frame_.final ? static_cast<std::size_t>(frame_.length - offset_)
                                          : bytes_max_ - buffer_.size();
    const std::span<char> room = buffer_.room(pool_, part.size(), most);
    if (room.empty()) return fail_with(CloseCode::kInternalError, "out of memory");
    const std::string_view taken = part.substr(0, room.size());
    unmask(room.data(), taken);
    if (!check_text({room.data(), taken.size()})) return false;
    buffer_.add(taken.size());
    offset_ += taken.size();
    part.remove_prefix(taken.size());
  }
  offset_ = start;
  return true;
}

bool WebSocketReceiver::check_text(std::string_view part) noexcept {
  if (kind_ != MessageKind::kText || text_.feed(part)) return true;
  return fail_with(CloseCode::kBadData, "text is not UTF-8");
}

bool WebSocketReceiver::inflate_portion(std::string_view& part) noexcept {
  const std::uint64_t start = offset_;
  const std::size_t had = buffer_.size();
  std::array<char, kPieceBytes> piece;
  while (!part.empty() && buffer_.size() - had < kPortionBytes) {
    const std::string_view masked = part.substr(0, piece.size());
    unmask(piece.data(), masked);
    if (!inflate({piece.data(), masked.size()})) return false;
    message_bytes_ += masked.size();
    offset_ += masked.size();
    part.remove_prefix(masked.size());
  }
  offset_ = start;
  return true;
}

bool WebSocketReceiver::inflate(std::string_view part) noexcept {
  for (;;) {
    // One byte more than allowed shows that there is more than allowed.
    char excess = 0;
    const std::size_t most = bytes_max_ - buffer_.size();
    const std::span<char> room =
        most > 0 ? buffer_.room(pool_, 4 * part.size(), most) : std::span{&excess, 1};
    if (room.empty()) return fail_with(CloseCode::kInternalError, "out of memory");
    const codec::Progress step = inflater_.inflate(part, room);
    // What was written came before what is wrong, and is judged first, however the bytes arrived.
    if (most == 0 && step.written > 0) return fail_with(CloseCode::kTooBig, "message too big");
    if (!check_text({room.data(), step.written})) return false;
    if (step.state == codec::StreamState::kBad) {
      return fail_with(CloseCode::kBadData, "compressed data is malformed");
    }
    buffer_.add(step.written);
    part.remove_prefix(step.read);
    if (part.empty() && step.written < room.size()) return true;
  }
}

bool WebSocketReceiver::end_message() noexcept {
  open_ = false;
  if (discarding_ || whole_) return true;
  if (compressed_) {
    if (!inflate(kDeflateTail)) return false;
    if (!takeover_) inflater_.close();
  }
  if (!text_.complete()) return fail_with(CloseCode::kBadData, "text is not UTF-8");
  if (queue_.push(pool_, kind_, buffer_)) return true;
  return fail_with(CloseCode::kInternalError, "out of memory");
}

}  // namespace tercel::http
