// What a connection reads: into its buffer, or into pipes.
#include <cstddef>
#include <cstdint>

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
          .state = input_ended() && !hung_up_ ? http::InputState::kEnded : http::InputState::kOpen};
}

void Connection::consume(std::size_t bytes) noexcept {
  if (bytes > 0) buffers_->input.consume(bytes);
}

bool Connection::reads_head() const noexcept {
  return limits_.phase() == http::Phase::kIdle || limits_.phase() == http::Phase::kHead;
}

bool Connection::may_read() noexcept {
  return !broken_ && !dead_ && reader_.may_read(server_.loop_, *this);
}

void Connection::look_at_end() noexcept {
  if (reader_.end() == net::InputEnd::kBroken) broke(Errc::kReset);
  if (reader_.end() == net::InputEnd::kNoMemory) broke(Errc::kNoMemory);
}

std::size_t Connection::input_into(Pipe& pipe, std::size_t max) noexcept {
  if (buffers_ != nullptr && !buffers_->input.empty()) return 0;
  if (dead_ || !stream_->splices() || !may_read()) return 0;
  const std::size_t bytes = reader_.fill(*stream_, server_.loop_.pipes(), pipe, max);
  if (bytes == 0) {
    look_at_end();
  } else {
    limits_.received(bytes, times(), now());
  }
  return bytes;
}

bool Connection::fill() noexcept {
  if (!may_read()) return false;
  Buffers* const mine = buffers();
  if (mine == nullptr) {
    broke(Errc::kNoMemory);
    return false;
  }
  const auto borrow = static_cast<net::InputBuffer::Borrow>(steps_ > 0);
  const std::size_t max = reader_.filled_pipes() && reads_head() ? http::kHeadReadBytes : SIZE_MAX;
  const std::size_t bytes = reader_.fill(*stream_, mine->input, borrow, max);
  if (bytes == 0) {
    look_at_end();
    return false;
  }
  limits_.received(bytes, times(), now());
  return true;
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
