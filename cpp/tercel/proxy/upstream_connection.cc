#include "tercel/proxy/upstream_connection.h"

#include <algorithm>
#include <utility>

#include "tercel/base/assert.h"

namespace tercel::proxy {
using net::IoState;

UpstreamConnection::~UpstreamConnection() {
  shut();
}

void UpstreamConnection::shut() noexcept {
  spoiled_ = true;
  cancel_deferred();
  input_.discard();
  input_.release();
  if (stream_ == nullptr) return;
  if (watch_ != net::WatchId::kNone) loop_.unwatch(watch_, stream_->descriptor());
  stream_.reset();
}

Result<void> UpstreamConnection::watch() noexcept {
  const int fd = stream_->descriptor();
  if (fd < 0) return {};  // Memory, in a test.
  const Result<net::WatchId> watch = loop_.watch(
      fd, net::kReadable | net::kWritable | net::kPeerClosed, net::Trigger::kEdge, *this);
  if (!watch) return fail(watch.error());
  watch_ = *watch;
  return {};
}

bool UpstreamConnection::still_usable() noexcept {
  TERCEL_ASSERT(idle());
  if (!reusable()) return false;
  char byte = 0;
  const net::IoResult result = stream_->read({&byte, 1});
  if (result.state == IoState::kAgain) {
    readable_ = false;
    return true;
  }
  spoiled_ = true;
  return false;
}

bool UpstreamConnection::seems_usable() noexcept {
  // It was read to its end, and what came since is an event.
  const bool told_all = watch_ != net::WatchId::kNone && !readable_;
  if (told_all && !loop_.has_event(watch_, stream_->descriptor())) return reusable();
  return still_usable();
}

void UpstreamConnection::begin(User& user) noexcept {
  TERCEL_ASSERT(idle());
  user_ = &user;
  ++requests_;
  reads_left_ = kReadsPerTurn;
}

void UpstreamConnection::end() noexcept {
  TERCEL_ASSERT(!idle());
  user_ = nullptr;
  cancel_deferred();
}

void UpstreamConnection::reset() noexcept {
  spoiled_ = true;
  stream_->reset_on_close();
}

void UpstreamConnection::end_step() noexcept {
  if (--steps_ > 0) return;
  if (!input_.settle()) end_ = InputEnd::kNoMemory;
  if (input_.empty()) input_.release();
}

bool UpstreamConnection::may_read() noexcept {
  if (!readable_ || end_ != InputEnd::kOpen) return false;
  if (reads_left_ == 0) {
    loop_.defer(*this);  // The next turn goes on.
    return false;
  }
  --reads_left_;
  return true;
}

bool UpstreamConnection::fill(Pipe& pipe, std::size_t max) noexcept {
  if (!input_.empty() || !stream_->splices()) return false;
  Pipe taken = loop_.pipes().take();
  if (!taken || !may_read()) return false;
  const net::IoResult result = stream_->read_into(taken, std::min(max, net::PipePool::kPipeBytes));
  switch (result.state) {
    case IoState::kDone:
      pipe = std::move(taken);
      filled_pipes_ = true;
      return true;
    case IoState::kAgain:
      readable_ = false;
      return false;
    case IoState::kEnd:
      end_ = InputEnd::kEnded;
      return false;
    case IoState::kFailed:
      end_ = InputEnd::kBroken;
      return false;
    case IoState::kRefused:
      loop_.pipes().give_up();
      return false;
  }
  return false;
}

bool UpstreamConnection::fill(std::size_t max) noexcept {
  if (!may_read()) return false;
  std::span<char> room = input_.room(static_cast<net::InputBuffer::Borrow>(steps_ > 0));
  room = room.first(std::min(room.size(), max));
  if (room.empty()) {
    end_ = InputEnd::kNoMemory;
    return false;
  }
  const net::IoResult result = stream_->read(room);
  switch (result.state) {
    case IoState::kDone:
      input_.add(result.bytes);
      // A short read drained the socket; only an end that was announced is still to be read.
      readable_ = result.bytes == room.size() || fin_seen_;
      return true;
    case IoState::kAgain:
      readable_ = false;
      return false;
    case IoState::kEnd:
      input_.add(result.bytes);
      end_ = InputEnd::kEnded;
      return result.bytes > 0;
    case IoState::kFailed:
    case IoState::kRefused:
      end_ = InputEnd::kBroken;
      return false;
  }
  return false;
}

void UpstreamConnection::on_ready(std::uint32_t readiness) noexcept {
  constexpr std::uint32_t kEnds = net::kPeerClosed | net::kHangup | net::kError;
  fin_seen_ |= (readiness & kEnds) != 0;
  readable_ |= (readiness & (net::kReadable | kEnds)) != 0 || stream_->read_waits_for_write();
  reads_left_ = kReadsPerTurn;
  tell();
}

void UpstreamConnection::run_deferred() noexcept {
  reads_left_ = kReadsPerTurn;
  tell();
}

void UpstreamConnection::tell() noexcept {
  if (user_ != nullptr) {
    user_->on_event();
  } else if (!spoiled_ && readable_ && !still_usable()) {
    keeper_.on_unusable(*this);
  }
}

}  // namespace tercel::proxy
