#include "tercel/net/syscalls.h"

#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <climits>
#include <ctime>
#include <linux/openat2.h>
#include <type_traits>

namespace tercel::net {
namespace {

using std::chrono::nanoseconds;

// errno becomes the result.
template <typename T>
T checked(T result) noexcept {
  return result < 0 ? static_cast<T>(-errno) : result;
}

// What sendfile() takes at most in one call; more is an error on some architectures.
constexpr std::size_t kSendfileBytesMax = 0x7ffff000;

int milliseconds_rounded_up(nanoseconds timeout) noexcept {
  if (timeout < nanoseconds{0}) return -1;
  const auto count = std::chrono::ceil<std::chrono::milliseconds>(timeout).count();
  return static_cast<int>(std::min<std::int64_t>(count, INT_MAX));
}

class SystemCalls final : public Syscalls {
 public:
  ssize_t recv(int fd, std::span<char> into) noexcept override {
    return checked(::recv(fd, into.data(), into.size(), 0));
  }
  ssize_t send(int fd, std::span<const char> bytes) noexcept override {
    return checked(::send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL));
  }
  ssize_t sendmsg(int fd, std::span<const iovec> pieces) noexcept override {
    msghdr message{};
    message.msg_iov = const_cast<iovec*>(pieces.data());  // The kernel only reads it.
    message.msg_iovlen = pieces.size();
    return checked(::sendmsg(fd, &message, MSG_NOSIGNAL));
  }
  ssize_t sendfile(int to, int file, std::uint64_t offset, std::size_t count) noexcept override {
    auto position = static_cast<off_t>(offset);
    return checked(::sendfile(to, file, &position, std::min(count, kSendfileBytesMax)));
  }
  ssize_t splice(int from, int to, std::size_t count) noexcept override {
    constexpr unsigned kFlags = SPLICE_F_MOVE | SPLICE_F_NONBLOCK;
    return checked(::splice(from, nullptr, to, nullptr, count, kFlags));
  }
  ssize_t pread(int file, std::span<char> into, std::uint64_t offset) noexcept override {
    return checked(::pread(file, into.data(), into.size(), static_cast<off_t>(offset)));
  }
  ssize_t write(int fd, std::span<const char> bytes) noexcept override {
    return checked(::write(fd, bytes.data(), bytes.size()));
  }

  int socket(int domain, int type) noexcept override { return checked(::socket(domain, type, 0)); }
  int bind(int fd, const sockaddr* address, socklen_t bytes) noexcept override {
    return checked(::bind(fd, address, bytes));
  }
  int listen(int fd, int backlog) noexcept override { return checked(::listen(fd, backlog)); }
  int connect(int fd, const sockaddr* address, socklen_t bytes) noexcept override {
    return checked(::connect(fd, address, bytes));
  }
  int accept4(int fd, sockaddr* address, socklen_t* bytes, int flags) noexcept override {
    return checked(::accept4(fd, address, bytes, flags));
  }
  int getsockname(int fd, sockaddr* address, socklen_t* bytes) noexcept override {
    return checked(::getsockname(fd, address, bytes));
  }
  int getsockopt(int fd, int level, int name, void* value, socklen_t* bytes) noexcept override {
    return checked(::getsockopt(fd, level, name, value, bytes));
  }
  int setsockopt(int fd, int level, int name, const void* value,
                 socklen_t bytes) noexcept override {
    return checked(::setsockopt(fd, level, name, value, bytes));
  }
  int shutdown(int fd, int how) noexcept override { return checked(::shutdown(fd, how)); }
  int close(int fd) noexcept override { return checked(::close(fd)); }
  int set_nonblocking_cloexec(int fd) noexcept override {
    const int flags = ::fcntl(fd, F_GETFL);
    if (flags < 0) return -errno;
    if (::fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0) return -errno;
    return checked(::fcntl(fd, F_SETFD, FD_CLOEXEC));
  }
  int duplicate(int fd) noexcept override {
    return checked(::fcntl(fd, F_DUPFD_CLOEXEC, STDERR_FILENO + 1));
  }

  int pipe2(std::span<int, 2> ends, int flags) noexcept override {
    return checked(::pipe2(ends.data(), flags));
  }
  int set_pipe_bytes(int pipe, std::size_t bytes) noexcept override {
    return checked(::fcntl(pipe, F_SETPIPE_SZ, static_cast<int>(bytes)));
  }
  int getrlimit(int resource, rlimit& into) noexcept override {
    return checked(::getrlimit(static_cast<__rlimit_resource>(resource), &into));
  }

  int epoll_create1(int flags) noexcept override { return checked(::epoll_create1(flags)); }
  int epoll_ctl(int epoll, int operation, int fd, epoll_event* event) noexcept override {
    return checked(::epoll_ctl(epoll, operation, fd, event));
  }
  int epoll_wait(int epoll, std::span<epoll_event> events, nanoseconds timeout) noexcept override;
  int eventfd(unsigned initial, int flags) noexcept override {
    return checked(::eventfd(initial, flags));
  }
  int timerfd_create(int clock, int flags) noexcept override {
    return checked(::timerfd_create(clock, flags));
  }
  int timerfd_settime(int fd, int flags, const itimerspec* value) noexcept override {
    return checked(::timerfd_settime(fd, flags, value, nullptr));
  }

  int lstat(const char* path, struct stat* into) noexcept override {
    return checked(::lstat(path, into));
  }
  int fstat(int fd, struct stat* into) noexcept override { return checked(::fstat(fd, into)); }
  int openat(int folder, const char* path, int flags) noexcept override {
    return checked(::openat(folder, path, flags));
  }
  int openat2(int folder, const char* path, int flags, std::uint64_t resolve) noexcept override {
    open_how how{};
    how.flags = static_cast<std::uint64_t>(flags);
    how.resolve = resolve;
    return static_cast<int>(checked(::syscall(SYS_openat2, folder, path, &how, sizeof how)));
  }
  ssize_t readlink(const char* path, std::span<char> into) noexcept override {
    return checked(::readlink(path, into.data(), into.size()));
  }
  int chmod(const char* path, mode_t mode) noexcept override {
    return checked(::chmod(path, mode));
  }
  int unlink(const char* path) noexcept override { return checked(::unlink(path)); }

 private:
  std::atomic<bool> has_epoll_pwait2_{true};  // Until the kernel denies it.
};

// epoll_pwait2() is called by its number: glibc has it since 2.35 only, and portable wheels are
// built against an older one.
int SystemCalls::epoll_wait(int epoll, std::span<epoll_event> events,
                            nanoseconds timeout) noexcept {
  const int room = static_cast<int>(events.size());
  const bool fine =
      timeout > nanoseconds{0} && timeout % std::chrono::milliseconds{1} != nanoseconds{0};
  if (fine && has_epoll_pwait2_.load(std::memory_order_relaxed)) {
    const auto seconds = std::chrono::floor<std::chrono::seconds>(timeout);
    const timespec limit{static_cast<time_t>(seconds.count()), (timeout - seconds).count()};
    const long taken =
        ::syscall(SYS_epoll_pwait2, epoll, events.data(), room, &limit, nullptr, std::size_t{0});
    if (taken >= 0 || (errno != ENOSYS && errno != EPERM)) return static_cast<int>(checked(taken));
    has_epoll_pwait2_.store(false, std::memory_order_relaxed);
  }
  return checked(::epoll_wait(epoll, events.data(), room, milliseconds_rounded_up(timeout)));
}

constinit SystemCalls real_calls;
static_assert(std::is_trivially_destructible_v<SystemCalls>);

}  // namespace

Syscalls& system_calls() noexcept {
  return real_calls;
}

Errc error_of_call(ssize_t result) noexcept {
  switch (-result) {
    case EADDRINUSE:
      return Errc::kAddressInUse;
    case EADDRNOTAVAIL:
    case EAFNOSUPPORT:
    case ENOENT:
    case ENOTDIR:
    case ENAMETOOLONG:
      return Errc::kAddressInvalid;
    case EACCES:
    case EPERM:
    case EROFS:
      return Errc::kPermission;
    case EMFILE:
    case ENFILE:
      return Errc::kTooManyFiles;
    case ENOMEM:
    case ENOBUFS:
      return Errc::kNoMemory;
    default:
      return Errc::kSystem;
  }
}

bool is_exhaustion(ssize_t result) noexcept {
  const Errc error = error_of_call(result);
  return error == Errc::kTooManyFiles || error == Errc::kNoMemory;
}

}  // namespace tercel::net
