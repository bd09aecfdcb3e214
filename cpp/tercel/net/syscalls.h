// Every system call the engine makes on a socket or a file, in one place, so that a test can make
// the Nth one fail with any error it documents.
//
// Each function behaves as the call of its name, except that a failure is returned as -errno: no
// global to read twice. Nothing is retried here. Thread: any. Tested by every user, through
// FailingSyscalls (tests/cpp/support), and by syscalls_test.cc.
#pragma once

#include <sys/socket.h>
#include <sys/types.h>
#include <sys/uio.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <span>

#include "tercel/base/errors.h"

struct epoll_event;
struct itimerspec;
struct rlimit;
struct stat;

namespace tercel::net {

class Syscalls {
 public:
  Syscalls() noexcept = default;
  Syscalls(const Syscalls&) = delete;
  Syscalls& operator=(const Syscalls&) = delete;

  // --- bytes
  virtual ssize_t recv(int fd, std::span<char> into) noexcept = 0;
  // With MSG_NOSIGNAL: a peer that went away is -EPIPE, not the end of the process.
  virtual ssize_t send(int fd, std::span<const char> bytes) noexcept = 0;
  // As send(), from several pieces. REQUIRES: no more than IOV_MAX pieces.
  virtual ssize_t sendmsg(int fd, std::span<const iovec> pieces) noexcept = 0;
  // The kernel has no MSG_NOSIGNAL for it: REQUIRES: the process ignores SIGPIPE, as Python does.
  virtual ssize_t sendfile(int to, int file, std::uint64_t offset, std::size_t count) noexcept = 0;
  // SPLICE_F_MOVE and SPLICE_F_NONBLOCK; one of the two is a pipe. A peer that went away as with
  // sendfile().
  virtual ssize_t splice(int from, int to, std::size_t count) noexcept = 0;
  virtual ssize_t pread(int file, std::span<char> into, std::uint64_t offset) noexcept = 0;
  virtual ssize_t write(int fd, std::span<const char> bytes) noexcept = 0;

  // --- sockets
  virtual int socket(int domain, int type) noexcept = 0;
  virtual int bind(int fd, const sockaddr* address, socklen_t bytes) noexcept = 0;
  virtual int listen(int fd, int backlog) noexcept = 0;
  virtual int connect(int fd, const sockaddr* address, socklen_t bytes) noexcept = 0;
  virtual int accept4(int fd, sockaddr* address, socklen_t* bytes, int flags) noexcept = 0;
  virtual int getsockname(int fd, sockaddr* address, socklen_t* bytes) noexcept = 0;
  virtual int getsockopt(int fd, int level, int name, void* value, socklen_t* bytes) noexcept = 0;
  virtual int setsockopt(int fd, int level, int name, const void* value,
                         socklen_t bytes) noexcept = 0;
  virtual int shutdown(int fd, int how) noexcept = 0;
  // Not to be repeated after -EINTR: Linux has released the descriptor by then.
  virtual int close(int fd) noexcept = 0;
  // fcntl(): O_NONBLOCK and FD_CLOEXEC on.
  virtual int set_nonblocking_cloexec(int fd) noexcept = 0;
  // fcntl(F_DUPFD_CLOEXEC): a new descriptor of the same file, and no standard stream.
  virtual int duplicate(int fd) noexcept = 0;

  // --- pipes, and what there may be of them
  virtual int pipe2(std::span<int, 2> ends, int flags) noexcept = 0;
  // fcntl(F_SETPIPE_SZ): the size it has then.
  virtual int set_pipe_bytes(int pipe, std::size_t bytes) noexcept = 0;
  virtual int getrlimit(int resource, rlimit& into) noexcept = 0;

  // --- events
  virtual int epoll_create1(int flags) noexcept = 0;
  virtual int epoll_ctl(int epoll, int operation, int fd, epoll_event* event) noexcept = 0;
  // A negative `timeout` is forever. Rounded up to a millisecond where the kernel (before 5.11) or
  // a sandbox has no epoll_pwait2().
  virtual int epoll_wait(int epoll, std::span<epoll_event> events,
                         std::chrono::nanoseconds timeout) noexcept = 0;
  virtual int eventfd(unsigned initial, int flags) noexcept = 0;
  virtual int timerfd_create(int clock, int flags) noexcept = 0;
  virtual int timerfd_settime(int fd, int flags, const itimerspec* value) noexcept = 0;

  // --- files
  virtual int lstat(const char* path, struct stat* into) noexcept = 0;
  virtual int fstat(int fd, struct stat* into) noexcept = 0;
  virtual int openat(int folder, const char* path, int flags) noexcept = 0;
  // `resolve`: RESOLVE_* of linux/openat2.h. -ENOSYS before Linux 5.6, and in some sandboxes.
  virtual int openat2(int folder, const char* path, int flags, std::uint64_t resolve) noexcept = 0;
  // As the call: no zero byte behind what it returns the size of.
  virtual ssize_t readlink(const char* path, std::span<char> into) noexcept = 0;
  virtual int chmod(const char* path, mode_t mode) noexcept = 0;
  virtual int unlink(const char* path) noexcept = 0;

 protected:
  // Trivial, so that the real calls have no end: objects that die at the exit of the process close
  // their descriptors through them.
  ~Syscalls() = default;
};

// The real ones.
[[nodiscard]] Syscalls& system_calls() noexcept;

// The Errc for a failed call's -errno: kAddressInUse, kAddressInvalid, kPermission, kTooManyFiles,
// kNoMemory, else kSystem.
[[nodiscard]] Errc error_of_call(ssize_t result) noexcept;

// True for errors that say the process or the machine is out of something that comes back:
// descriptors or memory.
[[nodiscard]] bool is_exhaustion(ssize_t result) noexcept;

}  // namespace tercel::net
