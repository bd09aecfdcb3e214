#include "tercel/proxy/upstream_connection.h"

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
    reader_.found_nothing();
    return true;
  }
  spoiled_ = true;
  return false;
}

bool UpstreamConnection::seems_usable() noexcept {
  // It was read to its end, and what came since is an event.
  const bool told_all = watch_ != net::WatchId::kNone && !reader_.readable();
  if (told_all && !loop_.has_event(watch_, stream_->descriptor())) return reusable();
  return still_usable();
}

void UpstreamConnection::begin(User& user) noexcept {
  TERCEL_ASSERT(idle());
  user_ = &user;
  ++requests_;
  reader_.begin_turn();
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
  if (!input_.settle()) reader_.end_with(InputEnd::kNoMemory);
  if (input_.empty()) input_.release();
}

bool UpstreamConnection::fill(Pipe& pipe, std::size_t max) noexcept {
  if (!input_.empty() || !stream_->splices() || !reader_.may_read(loop_, *this)) return false;
  return reader_.fill(*stream_, loop_.pipes(), pipe, max) > 0;
}

bool UpstreamConnection::fill(std::size_t max) noexcept {
  if (!reader_.may_read(loop_, *this)) return false;
  const auto borrow = static_cast<net::InputBuffer::Borrow>(steps_ > 0);
  return reader_.fill(*stream_, input_, borrow, max) > 0;
}

void UpstreamConnection::on_ready(std::uint32_t readiness) noexcept {
  reader_.on_ready(readiness, *stream_);
  tell();
}

void UpstreamConnection::run_deferred() noexcept {
  reader_.begin_turn();
  tell();
}

void UpstreamConnection::tell() noexcept {
  if (user_ != nullptr) {
    user_->on_event();
  } else if (!spoiled_ && reader_.readable() && !still_usable()) {
    keeper_.on_unusable(*this);
  }
}

}  // namespace tercel::proxy
