#include "link.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <cerrno>

namespace tercel::load {

void Link::connect(const Address& server, const Address& source) noexcept {
  net::Syscalls& syscalls = loop_.syscalls();
  const net::SocketAddress to = net::to_socket_address(server);
  const int fd = syscalls.socket(to.storage.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC);
  if (fd < 0) return on_refused(-fd);
  stream_.emplace(syscalls, fd);
  connecting_ = true;
  const int on = 1;
  syscalls.setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  if (source.kind != AddressKind::kNone) {
    const net::SocketAddress from = net::to_socket_address(source);
    // The port is chosen when the other end is known: so it may be one that is used towards others.
    syscalls.setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof on);
    if (const int bound = syscalls.bind(fd, from.get(), from.bytes); bound < 0) {
      return refuse(-bound);
    }
  }
  const int result = syscalls.connect(fd, to.get(), to.bytes);
  if (result < 0 && result != -EINPROGRESS) return refuse(-result);
  auto watch = loop_.watch(fd, net::kReadable | net::kWritable | net::kPeerClosed,
                           net::Trigger::kEdge, *this);
  if (!watch) return refuse(loop_.last_errno());
  watch_ = *watch;
}

void Link::close() noexcept {
  if (!stream_) return;
  stream_->reset_on_close();
  if (watch_ != net::WatchId::kNone) loop_.unwatch(watch_, stream_->descriptor());
  stream_.reset();
  watch_ = net::WatchId::kNone;
  connecting_ = false;
  unread_.clear();
  unsent_.clear();
}

void Link::refuse(int error) noexcept {
  close();
  on_refused(error);
}

void Link::finish_connecting() noexcept {
  int error = 0;
  socklen_t bytes = sizeof error;
  const int result =
      loop_.syscalls().getsockopt(stream_->descriptor(), SOL_SOCKET, SO_ERROR, &error, &bytes);
  if (result < 0) error = -result;
  if (error != 0) return refuse(error);
  connecting_ = false;
  on_connected();
}

void Link::on_ready(std::uint32_t readiness) noexcept {
  if (connecting_) finish_connecting();
  if (!connected()) return;
  if ((readiness & net::kWritable) != 0) flush();
  constexpr std::uint32_t kOver = net::kPeerClosed | net::kHangup | net::kError;
  if (!stream_ || (readiness & (net::kReadable | kOver)) == 0) return;
  const std::span<char> scratch = loop_.borrow_scratch();
  const bool open = read(scratch, (readiness & kOver) != 0);
  loop_.return_scratch();
  if (!open) on_closed();
}

bool Link::read(std::span<char> scratch, bool until_end) noexcept {
  for (;;) {
    const net::IoResult got = stream_->read(scratch);
    if (got.state == net::IoState::kAgain) return true;
    if (got.state != net::IoState::kDone) {
      end(got.state == net::IoState::kEnd);
      return false;
    }
    take(scratch.first(got.bytes));
    if (!stream_) return false;
    // An edge tells of all that comes later.
    if (got.bytes < scratch.size() && !until_end) return true;
  }
}

void Link::take(std::span<char> bytes) {
  if (unread_.empty()) {
    on_bytes(bytes);
    if (stream_ && !bytes.empty()) unread_.assign(bytes.data(), bytes.size());
    return;
  }
  unread_.append(bytes.data(), bytes.size());
  std::span<char> all{unread_};
  on_bytes(all);
  // A close has emptied it.
  if (stream_) unread_.erase(0, unread_.size() - all.size());
}

void Link::end(bool orderly) noexcept {
  on_end(orderly, unread_);
  close();
}

void Link::send(std::string_view bytes) {
  if (!unsent_.empty()) {
    unsent_.append(bytes);
    return;
  }
  // send() does not change what it is given.
  const iovec piece{const_cast<char*>(bytes.data()), bytes.size()};
  const net::IoResult sent = stream_->write({&piece, 1});
  // A broken connection is seen, and told, by the read.
  if (sent.state == net::IoState::kFailed) return;
  if (sent.bytes < bytes.size()) unsent_.append(bytes.substr(sent.bytes));
}

void Link::flush() noexcept {
  while (!unsent_.empty()) {
    const iovec piece{unsent_.data(), unsent_.size()};
    const net::IoResult sent = stream_->write({&piece, 1});
    if (sent.state != net::IoState::kDone) return;
    unsent_.erase(0, sent.bytes);
  }
}

}  // namespace tercel::load
