#include "support/failing_syscalls.h"

#include <algorithm>
#include <cerrno>

namespace tercel::test {
namespace {

std::size_t index_of(Call call) noexcept {
  return static_cast<std::size_t>(call);
}

}  // namespace

std::span<const int> documented_errors(Call call) noexcept {
  switch (call) {
#define TERCEL_CALL(name, ...)                      \
  case Call::name: {                                \
    static constexpr int kErrors[] = {__VA_ARGS__}; \
    return kErrors;                                 \
  }
    TERCEL_CALLS(TERCEL_CALL)
#undef TERCEL_CALL
    case Call::kCount:
      break;
  }
  return {};
}

std::string_view name_of(Call call) noexcept {
  static constexpr std::string_view kNames[] = {
#define TERCEL_CALL(name, ...) #name,
      TERCEL_CALLS(TERCEL_CALL)
#undef TERCEL_CALL
          "none"};
  return kNames[index_of(call)];
}

void FailingSyscalls::fail(Call call, int error, int nth, int times) {
  const std::lock_guard lock{mutex_};
  wishes_[index_of(call)] = {error, calls_[index_of(call)] + nth, times};
}

void FailingSyscalls::fail_any(int nth, std::size_t choice) {
  const std::lock_guard lock{mutex_};
  failing_call_ = all_calls_ + nth;
  choice_ = choice;
  failed_ = Call::kCount;
}

void FailingSyscalls::limit_bytes(std::size_t bytes) {
  const std::lock_guard lock{mutex_};
  bytes_max_ = bytes;
}

void FailingSyscalls::limit_spliced_bytes(std::size_t bytes) {
  const std::lock_guard lock{mutex_};
  spliced_bytes_max_ = bytes;
}

int FailingSyscalls::calls(Call call) const {
  const std::lock_guard lock{mutex_};
  return calls_[index_of(call)];
}

Call FailingSyscalls::failed() const {
  const std::lock_guard lock{mutex_};
  return failed_;
}

int FailingSyscalls::before(Call call) noexcept {
  const std::lock_guard lock{mutex_};
  const int count = ++calls_[index_of(call)];
  // Not a wake-up: an eventfd that does not block takes every write, short of 2^64 of them.
  if (call != Call::kWrite && ++all_calls_ == failing_call_) {
    failed_ = call;
    const auto errors = documented_errors(call);
    return -errors[choice_ % errors.size()];
  }
  const Wish& wish = wishes_[index_of(call)];
  return count >= wish.first && count - wish.first < wish.times ? -wish.error : 0;
}

std::size_t FailingSyscalls::shortened(std::size_t bytes) const noexcept {
  const std::lock_guard lock{mutex_};
  return std::min(bytes, bytes_max_);
}

ssize_t FailingSyscalls::recv(int fd, std::span<char> into) noexcept {
  if (const int error = before(Call::kRecv)) return error;
  return real_.recv(fd, into.first(shortened(into.size())));
}

ssize_t FailingSyscalls::send(int fd, std::span<const char> bytes) noexcept {
  if (const int error = before(Call::kSend)) return error;
  return real_.send(fd, bytes.first(shortened(bytes.size())));
}

ssize_t FailingSyscalls::sendmsg(int fd, std::span<const iovec> pieces) noexcept {
  if (const int error = before(Call::kSendmsg)) return error;
  std::size_t room = shortened(SIZE_MAX);
  if (room == SIZE_MAX) return real_.sendmsg(fd, pieces);
  std::array<iovec, 16> cut;
  std::size_t count = 0;
  for (const iovec& piece : pieces.first(std::min(pieces.size(), cut.size()))) {
    cut[count++] = {piece.iov_base, std::min(piece.iov_len, room)};
    room -= cut[count - 1].iov_len;
  }
  return real_.sendmsg(fd, std::span{cut}.first(count));
}

ssize_t FailingSyscalls::sendfile(int to, int file, std::uint64_t offset,
                                  std::size_t count) noexcept {
  if (const int error = before(Call::kSendfile)) return error;
  return real_.sendfile(to, file, offset, shortened(count));
}

ssize_t FailingSyscalls::splice(int from, int to, std::size_t count) noexcept {
  if (const int error = before(Call::kSplice)) return error;
  std::size_t most = shortened(count);
  {
    const std::lock_guard lock{mutex_};
    most = std::min(most, spliced_bytes_max_);
  }
  return real_.splice(from, to, most);
}

ssize_t FailingSyscalls::pread(int file, std::span<char> into, std::uint64_t offset) noexcept {
  if (const int error = before(Call::kPread)) return error;
  return real_.pread(file, into.first(shortened(into.size())), offset);
}

ssize_t FailingSyscalls::write(int fd, std::span<const char> bytes) noexcept {
  if (const int error = before(Call::kWrite)) return error;
  return real_.write(fd, bytes);
}

int FailingSyscalls::close(int fd) noexcept {
  const int error = before(Call::kClose);
  const int result = real_.close(fd);
  return error != 0 ? error : result;
}

#define TERCEL_FORWARD(call, function, parameters, ...)     \
  int FailingSyscalls::function parameters noexcept {       \
    if (const int error = before(Call::call)) return error; \
    return real_.function(__VA_ARGS__);                     \
  }
TERCEL_FORWARD(kSocket, socket, (int domain, int type), domain, type)
TERCEL_FORWARD(kBind, bind, (int fd, const sockaddr* address, socklen_t bytes), fd, address, bytes)
TERCEL_FORWARD(kListen, listen, (int fd, int backlog), fd, backlog)
TERCEL_FORWARD(kConnect, connect, (int fd, const sockaddr* address, socklen_t bytes), fd, address,
               bytes)
TERCEL_FORWARD(kAccept4, accept4, (int fd, sockaddr* address, socklen_t* bytes, int flags), fd,
               address, bytes, flags)
TERCEL_FORWARD(kGetsockname, getsockname, (int fd, sockaddr* address, socklen_t* bytes), fd,
               address, bytes)
TERCEL_FORWARD(kGetsockopt, getsockopt,
               (int fd, int level, int name, void* value, socklen_t* bytes), fd, level, name, value,
               bytes)
TERCEL_FORWARD(kSetsockopt, setsockopt,
               (int fd, int level, int name, const void* value, socklen_t bytes), fd, level, name,
               value, bytes)
TERCEL_FORWARD(kShutdown, shutdown, (int fd, int how), fd, how)
TERCEL_FORWARD(kSetNonblockingCloexec, set_nonblocking_cloexec, (int fd), fd)
TERCEL_FORWARD(kDuplicate, duplicate, (int fd), fd)
TERCEL_FORWARD(kPipe2, pipe2, (std::span<int, 2> ends, int flags), ends, flags)
TERCEL_FORWARD(kSetPipeBytes, set_pipe_bytes, (int pipe, std::size_t bytes), pipe, bytes)
TERCEL_FORWARD(kGetrlimit, getrlimit, (int resource, rlimit& into), resource, into)
TERCEL_FORWARD(kEpollCreate1, epoll_create1, (int flags), flags)
TERCEL_FORWARD(kEpollCtl, epoll_ctl, (int epoll, int operation, int fd, epoll_event* event), epoll,
               operation, fd, event)
TERCEL_FORWARD(kEpollWait, epoll_wait,
               (int epoll, std::span<epoll_event> events, std::chrono::nanoseconds timeout), epoll,
               events, timeout)
TERCEL_FORWARD(kEventfd, eventfd, (unsigned initial, int flags), initial, flags)
TERCEL_FORWARD(kTimerfdCreate, timerfd_create, (int clock, int flags), clock, flags)
TERCEL_FORWARD(kTimerfdSettime, timerfd_settime, (int fd, int flags, const itimerspec* value), fd,
               flags, value)
TERCEL_FORWARD(kLstat, lstat, (const char* path, struct stat* into), path, into)
TERCEL_FORWARD(kFstat, fstat, (int fd, struct stat* into), fd, into)
TERCEL_FORWARD(kOpenat, openat, (int folder, const char* path, int flags), folder, path, flags)
TERCEL_FORWARD(kOpenat2, openat2, (int folder, const char* path, int flags, std::uint64_t resolve),
               folder, path, flags, resolve)
ssize_t FailingSyscalls::readlink(const char* path, std::span<char> into) noexcept {
  if (const int error = before(Call::kReadlink)) return error;
  return real_.readlink(path, into);
}
TERCEL_FORWARD(kChmod, chmod, (const char* path, mode_t mode), path, mode)
TERCEL_FORWARD(kUnlink, unlink, (const char* path), path)
#undef TERCEL_FORWARD

}  // namespace tercel::test
