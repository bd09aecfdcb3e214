#include "tercel/server/output_queue.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

namespace tercel::server {
namespace {

// Pieces per system call. Linux takes 1024; few are ever there.
constexpr std::size_t kPiecesMax = 64;
// A copy asks for at least this much, so that the next copies find room behind it.
constexpr std::size_t kCopyBlockBytes = 256;
constexpr std::size_t kFileBytesMax = std::size_t{1} << 20;  // Per call: bounds a turn of the loop.

}  // namespace

Segment* OutputQueue::append() noexcept {
  Segment* segment = segments_.make();
  if (segment == nullptr) return nullptr;
  (tail_ != nullptr ? tail_->next : head_) = segment;
  tail_ = segment;
  ++pieces_;
  return segment;
}

bool OutputQueue::push(Block block, std::size_t bytes) noexcept {
  Segment* segment = append();
  if (segment == nullptr) return false;
  segment->data = block.data();
  segment->left = bytes;
  segment->block = std::move(block);
  bytes_ += bytes;
  return true;
}

bool OutputQueue::push(const http::Payload& payload, BlockPool& blocks) noexcept {
  if (payload.release == nullptr) return copy(payload.bytes, blocks);
  if (payload.bytes.size() <= kCopyBytesMax) {
    const bool copied = copy(payload.bytes, blocks);
    payload.release(payload.owner);
    return copied;
  }
  Segment* segment = append();
  if (segment == nullptr) {
    payload.release(payload.owner);
    return false;
  }
  segment->data = payload.bytes.data();
  segment->left = payload.bytes.size();
  segment->owner = payload.owner;
  segment->release = payload.release;
  bytes_ += payload.bytes.size();
  return true;
}

bool OutputQueue::push(const http::FileRange& range) noexcept {
  Segment* segment = append();
  if (segment == nullptr) {
    if (range.release != nullptr) range.release(range.owner);
    return false;
  }
  segment->file = range.file;
  segment->file_offset = range.offset;
  segment->left = range.count;
  segment->owner = range.owner;
  segment->release = range.release;
  bytes_ += range.count;
  ++files_;
  return true;
}

bool OutputQueue::push(Pipe pipe, std::size_t bytes) noexcept {
  Segment* segment = append();
  if (segment == nullptr) return false;
  segment->pipe = std::move(pipe);
  segment->left = bytes;
  bytes_ += bytes;
  ++files_;
  return true;
}

bool OutputQueue::copy(std::string_view bytes, BlockPool& blocks) noexcept {
  if (tail_ != nullptr && tail_->block) {
    // The free room of a block lies behind the bytes that are still to be sent.
    char* end = const_cast<char*>(tail_->data) + tail_->left;
    const char* limit = tail_->block.data() + tail_->block.capacity();
    if (bytes.size() <= static_cast<std::size_t>(limit - end)) {
      std::memcpy(end, bytes.data(), bytes.size());
      tail_->left += bytes.size();
      bytes_ += bytes.size();
      return true;
    }
  }
  Block block = blocks.take(std::max(bytes.size(), kCopyBlockBytes));
  if (!block) return false;
  std::memcpy(block.data(), bytes.data(), bytes.size());
  return push(std::move(block), bytes.size());
}

net::IoState OutputQueue::flush(net::Stream& stream, std::string_view& behind) noexcept {
  while (head_ != nullptr || !behind.empty()) {
    if (head_ != nullptr && head_->left == 0) {
      pop();
      continue;
    }
    const net::IoResult result = send_some(stream, behind);
    if (result.state == net::IoState::kEnd) return net::IoState::kFailed;
    if (result.state != net::IoState::kDone) return result.state;
    sent_bytes_ += result.bytes;
    const std::uint64_t queued = std::min<std::uint64_t>(result.bytes, bytes_);
    drop(queued);
    behind.remove_prefix(static_cast<std::size_t>(result.bytes - queued));
  }
  return net::IoState::kDone;
}

net::IoResult OutputQueue::send_some(net::Stream& stream, std::string_view behind) noexcept {
  if (head_ != nullptr && head_->pipe) {
    return stream.write_from(head_->pipe, static_cast<std::size_t>(head_->left));
  }
  if (head_ != nullptr && head_->file >= 0) {
    const auto count =
        static_cast<std::size_t>(std::min<std::uint64_t>(head_->left, kFileBytesMax));
    return stream.write_file(head_->file, head_->file_offset, count);
  }
  std::array<iovec, kPiecesMax> pieces;
  std::size_t count = 0;
  const Segment* segment = head_;
  for (; segment != nullptr && !segment->in_kernel() && count < kPiecesMax;
       segment = segment->next) {
    if (segment->left == 0) continue;
    pieces[count++] = {.iov_base = const_cast<char*>(segment->data),
                       .iov_len = static_cast<std::size_t>(segment->left)};
  }
  if (segment == nullptr && count < kPiecesMax && !behind.empty()) {
    pieces[count++] = {.iov_base = const_cast<char*>(behind.data()), .iov_len = behind.size()};
  }
  return stream.write({pieces.data(), count});
}

void OutputQueue::drop(std::uint64_t bytes) noexcept {
  bytes_ -= bytes;
  while (bytes > 0) {
    const std::uint64_t part = std::min(bytes, head_->left);
    if (head_->file >= 0) {
      head_->file_offset += part;
    } else if (!head_->pipe) {
      head_->data += part;
    }
    head_->left -= part;
    bytes -= part;
    if (head_->left == 0) pop();
  }
}

void OutputQueue::pop() noexcept {
  Segment* done = head_;
  head_ = done->next;
  if (head_ == nullptr) tail_ = nullptr;
  --pieces_;
  if (done->in_kernel()) --files_;
  segments_.destroy(done);
}

void OutputQueue::clear() noexcept {
  while (head_ != nullptr) pop();
  bytes_ = 0;
}

}  // namespace tercel::server
