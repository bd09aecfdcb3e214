// The system calls, with failures put in: the Nth call of a kind, or of all kinds, fails with an
// errno of the test's choice, and transfers can be cut down to single bytes.
//
//   FailingSyscalls syscalls;
//   syscalls.fail(Call::kAccept4, EMFILE);
//
// Everything else goes to the real system. A failing close() still closes, as Linux does.
// Thread: any.
#pragma once

#include <array>
#include <climits>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <span>
#include <string_view>

#include "tercel/net/syscalls.h"

namespace tercel::test {

// Name, and the errors its manual page documents that a correct program can meet, most likely
// first.
#define TERCEL_CALLS(X)                                                                    \
  X(kRecv, EAGAIN, ECONNRESET, EINTR, ENOMEM, ETIMEDOUT)                                   \
  X(kSend, EAGAIN, EPIPE, ECONNRESET, EINTR, ENOBUFS, ENOMEM)                              \
  X(kSendmsg, EAGAIN, EPIPE, ECONNRESET, EINTR, ENOBUFS, ENOMEM)                           \
  X(kSendfile, EAGAIN, EPIPE, ECONNRESET, EINTR, EIO, EINVAL)                              \
  X(kSplice, EAGAIN, EPIPE, ECONNRESET, EINTR, EINVAL, ENOMEM)                             \
  X(kPipe2, EMFILE, ENFILE)                                                                \
  X(kSetPipeBytes, EPERM, ENOMEM, EBUSY)                                                   \
  X(kGetrlimit, EPERM)                                                                     \
  X(kPread, EIO, EINTR)                                                                    \
  X(kWrite, EAGAIN, EINTR)                                                                 \
  X(kSocket, EMFILE, ENFILE, ENOBUFS, EACCES, EAFNOSUPPORT)                                \
  X(kBind, EADDRINUSE, EADDRNOTAVAIL, EACCES, ENOMEM)                                      \
  X(kListen, EADDRINUSE)                                                                   \
  X(kConnect, ECONNREFUSED, EAGAIN, EACCES, ENOENT)                                        \
  X(kAccept4, EAGAIN, EMFILE, ENFILE, ENOBUFS, ENOMEM, ECONNABORTED, EPROTO, EPERM, EINTR) \
  X(kGetsockname, ENOBUFS)                                                                 \
  X(kGetsockopt, ENOBUFS)                                                                  \
  X(kSetsockopt, ENOMEM)                                                                   \
  X(kShutdown, ENOTCONN)                                                                   \
  X(kClose, EINTR, EIO)                                                                    \
  X(kSetNonblockingCloexec, EPERM)                                                         \
  X(kDuplicate, EMFILE)                                                                    \
  X(kEpollCreate1, EMFILE, ENFILE, ENOMEM)                                                 \
  X(kEpollCtl, ENOMEM, ENOSPC)                                                             \
  X(kEpollWait, EINTR)                                                                     \
  X(kEventfd, EMFILE, ENFILE, ENOMEM)                                                      \
  X(kTimerfdCreate, EMFILE, ENFILE, ENOMEM)                                                \
  X(kTimerfdSettime, EINVAL)                                                               \
  X(kLstat, ENOENT, EACCES, ENOMEM)                                                        \
  X(kFstat, ENOMEM)                                                                        \
  X(kOpenat, EMFILE, ENFILE, ENOENT, EACCES, ELOOP, ENOMEM, EINTR)                         \
  X(kOpenat2, EMFILE, ENFILE, ENOENT, EACCES, ELOOP, EXDEV, EAGAIN, ENOSYS, ENOMEM)        \
  X(kReadlink, ENOENT, EACCES, ENOMEM)                                                     \
  X(kChmod, ENOENT, EACCES, EROFS)                                                         \
  X(kUnlink, ENOENT, EACCES, EROFS)

enum class Call : std::uint8_t {
#define TERCEL_CALL(name, ...) name,
  TERCEL_CALLS(TERCEL_CALL)
#undef TERCEL_CALL
      kCount
};

[[nodiscard]] std::span<const int> documented_errors(Call call) noexcept;
[[nodiscard]] std::string_view name_of(Call call) noexcept;

class FailingSyscalls final : public net::Syscalls {
 public:
  // Lets the `nth` call of this kind from now on (1: the next one), and the `times` - 1 after it,
  // fail with `error`. Replaces an earlier wish for the same kind.
  void fail(Call call, int error, int nth = 1, int times = 1);
  // Lets the `nth` call of all kinds but kWrite from now on fail, with the `choice`-th of its
  // documented errors (modulo their number). failed() says which it was.
  void fail_any(int nth, std::size_t choice = 0);
  // What recv, send, sendmsg, sendfile, splice and pread transfer at most; what splice does.
  void limit_bytes(std::size_t bytes);
  void limit_spliced_bytes(std::size_t bytes);

  [[nodiscard]] int calls(Call call) const;
  // The call that fail_any() made fail, or kCount.
  [[nodiscard]] Call failed() const;

  ssize_t recv(int fd, std::span<char> into) noexcept override;
  ssize_t send(int fd, std::span<const char> bytes) noexcept override;
  ssize_t sendmsg(int fd, std::span<const iovec> pieces) noexcept override;
  ssize_t sendfile(int to, int file, std::uint64_t offset, std::size_t count) noexcept override;
  ssize_t splice(int from, int to, std::size_t count) noexcept override;
  ssize_t pread(int file, std::span<char> into, std::uint64_t offset) noexcept override;
  ssize_t write(int fd, std::span<const char> bytes) noexcept override;
  int socket(int domain, int type) noexcept override;
  int bind(int fd, const sockaddr* address, socklen_t bytes) noexcept override;
  int listen(int fd, int backlog) noexcept override;
  int connect(int fd, const sockaddr* address, socklen_t bytes) noexcept override;
  int accept4(int fd, sockaddr* address, socklen_t* bytes, int flags) noexcept override;
  int getsockname(int fd, sockaddr* address, socklen_t* bytes) noexcept override;
  int getsockopt(int fd, int level, int name, void* value, socklen_t* bytes) noexcept override;
  int setsockopt(int fd, int level, int name, const void* value, socklen_t bytes) noexcept override;
  int shutdown(int fd, int how) noexcept override;
  int close(int fd) noexcept override;
  int set_nonblocking_cloexec(int fd) noexcept override;
  int duplicate(int fd) noexcept override;
  int pipe2(std::span<int, 2> ends, int flags) noexcept override;
  int set_pipe_bytes(int pipe, std::size_t bytes) noexcept override;
  int getrlimit(int resource, rlimit& into) noexcept override;
  int epoll_create1(int flags) noexcept override;
  int epoll_ctl(int epoll, int operation, int fd, epoll_event* event) noexcept override;
  int epoll_wait(int epoll, std::span<epoll_event> events,
                 std::chrono::nanoseconds timeout) noexcept override;
  int eventfd(unsigned initial, int flags) noexcept override;
  int timerfd_create(int clock, int flags) noexcept override;
  int timerfd_settime(int fd, int flags, const itimerspec* value) noexcept override;
  int lstat(const char* path, struct stat* into) noexcept override;
  int fstat(int fd, struct stat* into) noexcept override;
  int openat(int folder, const char* path, int flags) noexcept override;
  int openat2(int folder, const char* path, int flags, std::uint64_t resolve) noexcept override;
  ssize_t readlink(const char* path, std::span<char> into) noexcept override;
  int chmod(const char* path, mode_t mode) noexcept override;
  int unlink(const char* path) noexcept override;

 private:
  static constexpr std::size_t kCalls = static_cast<std::size_t>(Call::kCount);
  struct Wish {
    int error = 0;
    int first = INT_MAX;  // In calls of this kind, counted from the start.
    int times = 0;
  };
  // Counts the call. Returns -errno when it must fail, else 0.
  int before(Call call) noexcept;
  [[nodiscard]] std::size_t shortened(std::size_t bytes) const noexcept;

  net::Syscalls& real_ = net::system_calls();
  mutable std::mutex mutex_;
  std::array<int, kCalls> calls_{};
  std::array<Wish, kCalls> wishes_{};
  int all_calls_ = 0;
  int failing_call_ = 0;  // In calls of all kinds; 0: none.
  std::size_t choice_ = 0;
  Call failed_ = Call::kCount;
  std::size_t bytes_max_ = SIZE_MAX;
  std::size_t spliced_bytes_max_ = SIZE_MAX;
};

}  // namespace tercel::test
