// What a connection reads: into its buffer, or into pipes.
#include <algorithm>
#include <utility>

#include "tercel/server/connection.h"
#include "tercel/server/server.h"

namespace tercel::server {

http::Input Connection::input() noexcept {
  if (buffers_ == nullptr || buffers_->input.empty()) (void)fill();
  return unread_input();
}

http::Input Connection::more_input() noexcept {
  (void)fill();
  return unread_input();
}

http::Input Connection::unread_input() const noexcept {
  return {.bytes = buffers_ != nullptr ? buffers_->input.unread() : std::span<char>{},
          .state = input_ended_ && !hung_up_ ? http::InputState::kEnded : http::InputState::kOpen};
}

void Connection::consume(std::size_t bytes) noexcept {
  if (bytes > 0) buffers_->input.consume(bytes);
}

bool Connection::reads_head() const noexcept {
  return limits_.phase() == http::Phase::kIdle || limits_.phase() == http::Phase::kHead;
}

bool Connection::may_read() noexcept {
  if (!readable_ || input_ended_ || broken_ || dead_) return false;
  if (reads_left_ == 0) {
    server_.loop_.defer(*this);  // The next turn goes on.
    return false;
  }
  --reads_left_;
  return true;
}

std::size_t Connection::input_into(Pipe& pipe, std::size_t max) noexcept {
  if (buffers_ != nullptr && !buffers_->input.empty()) return 0;
  if (dead_ || !stream_->splices()) return 0;
  net::PipePool& pipes = server_.loop_.pipes();
  Pipe taken = pipes.take();
  if (!taken || !may_read()) return 0;
  const net::IoResult result = stream_->read_into(taken, std::min(max, net::PipePool::kPipeBytes));
  switch (result.state) {
    case net::IoState::kDone:
      pipe = std::move(taken);
      filled_pipes_ = true;
      limits_.received(result.bytes, times(), now());
      return result.bytes;
    case net::IoState::kAgain:
      readable_ = false;
      return 0;
    case net::IoState::kEnd:
      readable_ = false;
      input_ended_ = true;
      return 0;
    case net::IoState::kFailed:
      broke(Errc::kReset);
      return 0;
    case net::IoState::kRefused:
      pipes.give_up();
      return 0;
  }
  return 0;
}

bool Connection::fill() noexcept {
  if (!may_read()) return false;
  Buffers* mine = buffers();
  const auto borrow = static_cast<net::InputBuffer::Borrow>(steps_ > 0);
  std::span<char> space = mine != nullptr ? mine->input.room(borrow) : std::span<char>{};
  if (filled_pipes_ && reads_head()) {
    space = space.first(std::min(space.size(), http::kHeadReadBytes));
  }
  if (mine == nullptr || space.empty()) {
    broke(Errc::kNoMemory);
    return false;
  }
  const net::IoResult result = stream_->read(space);
  switch (result.state) {
    case net::IoState::kDone:
      mine->input.add(result.bytes);
      limits_.received(result.bytes, times(), now());
      // A short read drained the socket; only an end that was announced is still to be read.
      readable_ = result.bytes == space.size() || fin_seen_;
      return true;
    case net::IoState::kAgain:
      readable_ = false;
      return false;
    case net::IoState::kEnd:
      mine->input.add(result.bytes);
      limits_.received(result.bytes, times(), now());
      readable_ = false;
      input_ended_ = true;
      return result.bytes > 0;
    case net::IoState::kFailed:
    case net::IoState::kRefused:
      broke(Errc::kReset);
      return false;
  }
  return false;
}

void Connection::settle_input() noexcept {
  if (buffers_ != nullptr && !buffers_->input.settle()) broke(Errc::kNoMemory);
}

void Connection::discard_input() noexcept {
  do {
    if (buffers_ != nullptr) buffers_->input.discard();
  } while (fill());
}

}  // namespace tercel::server
