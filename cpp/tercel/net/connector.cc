#include "tercel/net/connector.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/un.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <new>
#include <utility>

#include "tercel/net/socket_address.h"
#include "tercel/net/socket_stream.h"
#include "tercel/net/syscalls.h"

namespace tercel::net {

void Connector::start(std::span<const Address> addresses, const Security& security,
                      std::chrono::nanoseconds due) noexcept {
  count_ = std::min(addresses.size(), kAddressesMax);
  std::ranges::copy(addresses.first(count_), addresses_.begin());
  path_.clear();
  security_ = security;
  begin(due);
}

void Connector::start_unix(const std::string& path, std::chrono::nanoseconds due) noexcept {
  count_ = 1;
  path_ = path;
  security_ = {};
  begin(due);
}

void Connector::begin(std::chrono::nanoseconds due) noexcept {
  next_ = 0;
  due_ = due;
  error_ = Errc::kUpstreamUnreachable;
  loop_.defer(*this);
}

void Connector::run_deferred() noexcept {
  try_next();
}

void Connector::try_next() noexcept {
  while (next_ < count_) {
    Attempt& attempt = attempts_[next_];
    const Address& address = addresses_[next_++];
    bool begun = false;
    if (path_.empty()) {
      const SocketAddress target = to_socket_address(address);
      begun = open(attempt, target.get()->sa_family, target.get(), target.bytes);
    } else {
      sockaddr_un target{};
      target.sun_family = AF_UNIX;
      if (path_.size() < sizeof target.sun_path) {
        std::memcpy(target.sun_path, path_.data(), path_.size());
        begun = open(attempt, AF_UNIX, reinterpret_cast<const sockaddr*>(&target), sizeof target);
      }
    }
    if (!begun) continue;
    next_due_ = loop_.now() + kStagger;
    return arm();
  }
  if (std::ranges::none_of(attempts_, &Attempt::open)) return fail_with(error_);
  arm();
}

void Connector::arm() noexcept {
  const bool more = next_ < count_;
  loop_.timers().arm(*this, more ? std::min(due_, next_due_) : due_);
}

bool Connector::open(Attempt& attempt, int domain, const sockaddr* address,
                     socklen_t bytes) noexcept {
  Syscalls& calls = loop_.syscalls();
  const int fd = calls.socket(domain, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC);
  if (fd < 0) {
    if (is_exhaustion(fd)) error_ = error_of_call(fd);
    return false;
  }
  attempt.owner = this;
  attempt.fd = fd;
  if (domain != AF_UNIX) {
    const int on = 1;
    calls.setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  }
  const int result = calls.connect(fd, address, bytes);
  if (result < 0 && result != -EINPROGRESS && result != -EINTR) {
    close(attempt);
    return false;
  }
  // One that is connected already is writable at once.
  const auto watch = loop_.watch(fd, kWritable, Trigger::kEdge, attempt);
  if (!watch) {
    error_ = watch.error();
    close(attempt);
    return false;
  }
  attempt.watch = *watch;
  return true;
}

void Connector::on_attempt(Attempt& attempt) noexcept {
  if (attempt.stream != nullptr) return shake_hands(attempt);
  int error = 0;
  socklen_t bytes = sizeof error;
  const int result = loop_.syscalls().getsockopt(attempt.fd, SOL_SOCKET, SO_ERROR, &error, &bytes);
  if (result < 0 || error != 0) {
    close(attempt);
    return try_next();
  }
  secure(attempt);
}

void Connector::unwatch(Attempt& attempt) noexcept {
  if (attempt.watch == WatchId::kNone) return;
  const int fd = attempt.stream != nullptr ? attempt.stream->descriptor() : attempt.fd;
  loop_.unwatch(std::exchange(attempt.watch, WatchId::kNone), fd);
}

void Connector::close(Attempt& attempt) noexcept {
  unwatch(attempt);
  attempt.stream.reset();
  if (attempt.fd >= 0) loop_.syscalls().close(std::exchange(attempt.fd, -1));
}

void Connector::secure(Attempt& attempt) noexcept {
  unwatch(attempt);
  Syscalls& calls = loop_.syscalls();
  if (security_.context == nullptr) {
    attempt.stream.reset(new (std::nothrow) SocketStream(calls, attempt.fd));
  } else {
    attempt.stream =
        security_.context->connect(calls, attempt.fd, *security_.host, *security_.sessions);
  }
  if (attempt.stream == nullptr) return fail_with(Errc::kNoMemory);
  const int fd = std::exchange(attempt.fd, -1);  // The stream's.
  if (security_.context == nullptr) return succeed(attempt);
  const auto watch = loop_.watch(fd, kReadable | kWritable | kPeerClosed, Trigger::kEdge, attempt);
  if (!watch) return fail_with(watch.error());
  attempt.watch = *watch;
  next_due_ = loop_.now() + kHandshakeStagger;
  arm();
  shake_hands(attempt);
}

void Connector::shake_hands(Attempt& attempt) noexcept {
  switch (attempt.stream->handshake()) {
    case IoState::kAgain:
      return;
    case IoState::kDone:
      return succeed(attempt);
    case IoState::kFailed:
      error_ = Errc::kUpstreamUntrusted;  // Tells more than that others do not answer.
      break;
    case IoState::kEnd:
    case IoState::kRefused:
      break;
  }
  close(attempt);
  try_next();
}

void Connector::on_timer() noexcept {
  if (loop_.now() >= due_) return fail_with(Errc::kUpstreamTimeout);
  try_next();
}

void Connector::succeed(Attempt& attempt) noexcept {
  unwatch(attempt);
  std::unique_ptr<Stream> stream = std::move(attempt.stream);
  stop();
  client_.on_connected(std::move(stream));
}

void Connector::fail_with(Errc error) noexcept {
  stop();
  client_.on_failed(error);
}

void Connector::stop() noexcept {
  cancel_deferred();
  loop_.timers().cancel(*this);
  for (Attempt& attempt : attempts_) close(attempt);
}

}  // namespace tercel::net
