#include "tercel/proxy/send_buffer.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "tercel/base/assert.h"

namespace tercel::proxy {
using net::IoState;

namespace {

// Of a stream that did not take all.
constexpr Sent sent_when(IoState state) noexcept {
  return state == IoState::kFailed ? Sent::kBroken : Sent::kPart;
}

}  // namespace

char* SendBuffer::room(std::size_t bytes) noexcept {
  TERCEL_ASSERT(!ends_in_pipe());
  if (begin_ > 0 && block_.capacity() - end_ < bytes) {
    std::memmove(block_.data(), block_.data() + begin_, end_ - begin_);
    end_ -= begin_;
    begin_ = 0;
  }
  if (block_.capacity() - end_ < bytes) {
    // Twice as much, so that many small parts are copied only a few times.
    const std::size_t wanted = std::max(end_ + bytes, 2 * end_);
    if (!blocks_.grow(block_, end_, wanted)) return nullptr;
  }
  return block_.data() + end_;
}

bool SendBuffer::add(std::string_view bytes) noexcept {
  if (bytes.empty()) return true;
  char* const out = room(bytes.size());
  if (out == nullptr) return false;
  std::memcpy(out, bytes.data(), bytes.size());
  added(bytes.size());
  return true;
}

Sent SendBuffer::send(net::Stream& stream, std::span<const std::string_view> pieces) noexcept {
  TERCEL_ASSERT(pieces.size() <= kPiecesMax && !ends_in_pipe());
  std::array<std::string_view, kPiecesMax> left{};
  std::copy(pieces.begin(), pieces.end(), left.begin());
  for (;;) {
    std::array<iovec, kPiecesMax + 1> vectors;
    std::size_t count = 0;
    const auto add_vector = [&](const char* data, std::size_t size) {
      if (size > 0) vectors[count++] = {.iov_base = const_cast<char*>(data), .iov_len = size};
    };
    if (bytes() > 0) add_vector(block_.data() + begin_, bytes());
    for (const std::string_view piece : left) add_vector(piece.data(), piece.size());
    if (count == 0) return Sent::kAll;

    // Until it says no: a stream of TLS takes a record at a time, and no event would follow.
    const net::IoResult result = stream.write({vectors.data(), count});
    if (result.state == IoState::kFailed) return Sent::kBroken;
    if (result.state != IoState::kDone) break;
    std::size_t taken = result.bytes;
    const std::size_t waited = std::min(taken, bytes());
    if (waited > 0) drop(waited);
    taken -= waited;
    for (std::string_view& piece : left) {
      const std::size_t part = std::min(taken, piece.size());
      piece.remove_prefix(part);
      taken -= part;
    }
  }
  for (const std::string_view piece : left) {
    if (!add(piece)) return Sent::kNoMemory;
  }
  return Sent::kPart;
}

Sent SendBuffer::flush(net::Stream& stream) noexcept {
  while (in_block() > 0) {
    const iovec vector{.iov_base = block_.data() + begin_, .iov_len = in_block()};
    const net::IoResult result = stream.write({&vector, 1});
    if (result.state != IoState::kDone) return sent_when(result.state);
    drop(result.bytes);
  }
  while (pipe_.bytes() > 0) {
    const net::IoResult result = stream.write_from(pipe_, pipe_.bytes());
    if (result.state != IoState::kDone) return sent_when(result.state);
  }
  pipe_ = Pipe{};
  return Sent::kAll;
}

void SendBuffer::drop(std::size_t bytes) noexcept {
  begin_ += bytes;
  if (begin_ == end_) drop_block();
}

void SendBuffer::drop_block() noexcept {
  block_ = Block{};
  begin_ = end_ = 0;
}

void SendBuffer::clear() noexcept {
  drop_block();
  pipe_ = Pipe{};
}

}  // namespace tercel::proxy
