// What a connection sends: queued, and from where it is.
#include <utility>

#include "tercel/server/connection.h"
#include "tercel/server/server.h"

namespace tercel::server {

void Connection::send(Block block, std::size_t bytes) noexcept {
  if (broken_ || dead_) return;
  Buffers* mine = buffers();
  after_send(mine != nullptr && mine->output.push(std::move(block), bytes));
}

void Connection::send(const http::Payload& payload) noexcept {
  Buffers* mine = broken_ || dead_ ? nullptr : buffers();
  if (mine == nullptr) {
    if (payload.release != nullptr) payload.release(payload.owner);
    return after_send(false);
  }
  http::Payload left = payload;
  if (left.release == nullptr && left.bytes.size() >= kSentAtOnceBytesMin) flush(left.bytes);
  after_send(left.bytes.empty() || mine->output.push(left, server_.loop_.blocks()));
}

void Connection::send_file(const http::FileRange& range) noexcept {
  Buffers* mine = broken_ || dead_ ? nullptr : buffers();
  if (mine == nullptr && range.release != nullptr) range.release(range.owner);
  after_send(mine != nullptr && mine->output.push(range));
}

void Connection::send_pipe(Pipe pipe, std::size_t bytes) noexcept {
  Buffers* mine = broken_ || dead_ ? nullptr : buffers();
  after_send(mine != nullptr && mine->output.push(std::move(pipe), bytes));
}

bool Connection::takes_pipes() const noexcept {
  // A client that does not read holds so many pipes, and no more.
  const bool full = buffers_ != nullptr && buffers_->output.files() >= kFilesMax;
  return !dead_ && !full && stream_->splices();
}

void Connection::after_send(bool queued) noexcept {
  if (broken_ || dead_) return;
  if (!queued) {
    broke(Errc::kNoMemory);
    return;
  }
  const bool high = unsent_above(server_.options_.limits.output_high_water_bytes);
  if (high) {
    pressed_ = true;
    relieved_ = false;
  }
  if ((steps_ > 0 || gathers_) && !high) return;
  send_now();
}

// Outside of a step, a deferred one looks after the time limit of what is left.
void Connection::send_now() noexcept {
  flush();
  if (steps_ == 0 && !dead_ && unsent_bytes() > 0) server_.loop_.defer(*this);
}

void Connection::push(http::Final final) noexcept {
  gathers_ = false;
  const bool more_input = buffers_ != nullptr && !buffers_->input.empty();
  if (final == http::Final::kNo || !more_input || steps_ == 0) send_now();
}

bool Connection::unsent_above(std::size_t bytes) const noexcept {
  const OutputQueue& output = buffers_->output;
  return output.bytes() > bytes || output.pieces() >= kPiecesMax || output.files() >= kFilesMax;
}

void Connection::flush(std::string_view& borrowed) noexcept {
  if (buffers_ == nullptr || (buffers_->output.empty() && borrowed.empty())) return;
  if (blocked_ || broken_ || dead_ || is_copy()) return;
  OutputQueue& output = buffers_->output;
  const std::uint64_t sent = output.sent_bytes();
  const net::IoState state = output.flush(*stream_, borrowed);
  if (state == net::IoState::kFailed) {
    broke(Errc::kReset);
    return;
  }
  blocked_ = state == net::IoState::kAgain;
  buffers_->write_limit.progressed(times().write, output.sent_bytes() - sent,
                                   !output.empty() || !borrowed.empty(), now());
  if (pressed_ && !unsent_above(server_.options_.limits.output_high_water_bytes / 2)) {
    pressed_ = false;
    relieved_ = true;
    server_.loop_.defer(*this);
  }
}

std::size_t Connection::unsent_bytes() const noexcept {
  return buffers_ != nullptr ? static_cast<std::size_t>(buffers_->output.bytes()) : 0;
}

}  // namespace tercel::server
