#include "tercel/net/listener.h"

#include <unistd.h>

#include <cerrno>
#include <utility>

#include "tercel/net/socket_address.h"

namespace tercel::net {
namespace {

// Errors of a connection that died in the backlog, or that a firewall forbade: accept(2) says to
// treat them like "try again". None says anything about the listening socket.
bool concerns_one_connection(int result) noexcept {
  switch (-result) {
    case ECONNABORTED:
    case EPROTO:
    case EINTR:
    case EPERM:
    case ENETDOWN:
    case ENOPROTOOPT:
    case EHOSTDOWN:
    case ENONET:
    case EHOSTUNREACH:
    case EOPNOTSUPP:
    case ENETUNREACH:
    case ETIMEDOUT:
      return true;
    default:
      return false;
  }
}

}  // namespace

Listener::Listener(Loop& loop, ListenSocket socket, Sink& sink) noexcept
    : loop_{loop}, socket_{std::move(socket)}, sink_{sink} {}

Listener::~Listener() {
  unwatch();
}

Result<void> Listener::start() noexcept {
  if (state_ != State::kIdle) return {};
  if (!paused_) {
    if (auto result = watch(); !result) return result;
  }
  state_ = State::kStarted;
  return {};
}

void Listener::pause() noexcept {
  paused_ = true;
  loop_.timers().cancel(*this);
  unwatch();
}

void Listener::resume() noexcept {
  paused_ = false;
  if (state_ != State::kStarted || watched() || armed()) return;
  if (!watch()) starve(loop_.last_errno());
}

void Listener::close() noexcept {
  const State before = std::exchange(state_, State::kClosed);
  unwatch();
  if (before == State::kStarted) {
    for (int i = 0; i < kLastAcceptsMax; ++i) {
      const AcceptResult result = accept_one();
      if (result == AcceptResult::kNone || result == AcceptResult::kStarved) break;
    }
  }
  loop_.timers().cancel(*this);
  // Not for a sink that closes it again when it is told of the last connections.
  if (before != State::kClosed) socket_.close();
}

Result<void> Listener::watch() noexcept {
  const std::uint32_t readiness = socket_.shared() ? kReadable | kExclusive : kReadable;
  const auto id = loop_.watch(socket_.descriptor(), readiness, Trigger::kLevel, *this);
  if (!id) return fail(id.error());
  id_ = *id;
  return {};
}

void Listener::unwatch() noexcept {
  if (watched()) loop_.unwatch(std::exchange(id_, WatchId::kNone), socket_.descriptor());
}

void Listener::on_ready(std::uint32_t) noexcept {
  // The sink may pause or close the listener at any time.
  const int accepts_max = socket_.shared() ? kSharedAcceptsMax : kAcceptsMax;
  for (int i = 0; i < accepts_max && watched(); ++i) {
    const AcceptResult result = accept_one();
    if (result == AcceptResult::kNone || result == AcceptResult::kStarved) break;
  }
  if (socket_.shared() && watched()) queue_up_again();
}

// Of the loops that wait, the kernel wakes the one that came first, again and again: the next
// connection is for another one.
void Listener::queue_up_again() noexcept {
  unwatch();
  if (!watch()) starve(loop_.last_errno());
}

void Listener::on_timer() noexcept {
  resume();
}

Listener::AcceptResult Listener::accept_one() noexcept {
  Syscalls& syscalls = loop_.syscalls();
  SocketAddress address;
  int fd = syscalls.accept4(socket_.descriptor(), address.get(), &address.bytes,
                            SOCK_NONBLOCK | SOCK_CLOEXEC);
  if (fd == -EAGAIN) return AcceptResult::kNone;
  if (fd < 0 && concerns_one_connection(fd)) return AcceptResult::kSkipped;
  if (fd < 0) {
    starve(-fd);
    return AcceptResult::kStarved;
  }
  // The application closed a standard stream: what is written there is not for a client.
  if (fd <= STDERR_FILENO) {
    const int moved = syscalls.duplicate(fd);
    syscalls.close(fd);
    if (moved < 0) {
      starve(-moved);
      return AcceptResult::kStarved;
    }
    fd = moved;
  }
  sink_.on_accept(fd, from_socket_address(address), *this);
  return AcceptResult::kAccepted;
}

// Waits until something may have changed: level-triggered, the socket would wake the loop at once.
void Listener::starve(int error) noexcept {
  unwatch();
  loop_.timers().arm(*this, loop_.now() + kPause);
  sink_.on_starved(error);
}

}  // namespace tercel::net
