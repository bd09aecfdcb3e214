// Preloaded into a server, makes calls on its connections fail now and then, in every way that their
// manual pages allow.
//
// By itself only in ways that no client may notice: interrupted by a signal, not now, fewer bytes
// than asked for, connections that are gone before they are accepted. With SHAKY_ONE_IN=N one call
// in N of each kind fails, and also with what ends a connection: out of memory, reset by the peer.
//
// With edge-triggered epoll "not now" and "fewer bytes" mean that the buffer is empty or full, and
// that an event comes when it no longer is. So that a made-up one is no lie, the descriptor is armed
// again, which brings that event (epoll(7)).
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#define FILES_MAX 4096

static atomic_uint calls;
static unsigned one_in;  // 0: the rates of each call, and nothing that a client would notice.

// What is known of a descriptor: a connection of the server's, and how it is watched.
static struct {
  atomic_int accepted;
  int epoll;
  struct epoll_event event;
} files[FILES_MAX];

__attribute__((constructor)) static void read_environment(void) {
  const char* text = getenv("SHAKY_ONE_IN");
  one_in = text ? (unsigned)atoi(text) : 0;
}

#define REAL(name) \
  static __typeof__(&name) real; \
  if (!real) real = (__typeof__(&name))dlsym(RTLD_NEXT, #name)

// Nothing in most calls, else a number to choose from what may go wrong; the order is the same in
// every run. `rate`: one call in so many, where the environment says nothing.
static unsigned unlucky(unsigned rate) {
  unsigned x = atomic_fetch_add(&calls, 1) * 2654435761u;
  x ^= x >> 15;
  const unsigned n = one_in ? one_in : rate;
  return x % n == 0 ? 1 + x / n % 1000 : 0;
}

static int is_connection(int fd) {
  return fd >= 0 && fd < FILES_MAX && atomic_load(&files[fd].accepted);
}

// Makes the kernel look at the descriptor again, as if it had just become ready.
static void arm_again(int fd) {
  epoll_ctl(files[fd].epoll, EPOLL_CTL_MOD, fd, &files[fd].event);
}

enum { PASS = -2, SHORT = -3 };

// What becomes of a transfer: -1 with errno, SHORT, or PASS.
static int fate(int fd, const int* fatal, unsigned fatal_count) {
  if (!is_connection(fd)) return PASS;
  const unsigned choice = unlucky(20);
  if (!choice) return PASS;
  if (one_in && choice % 4 == 3) {
    errno = fatal[choice / 4 % fatal_count];
    return -1;
  }
  switch (choice % 3) {
    case 0:
      errno = EINTR;
      return -1;
    case 1:
      arm_again(fd);
      errno = EAGAIN;
      return -1;
    default:
      return SHORT;
  }
}

static const int kReading[] = {ENOMEM, ECONNRESET, ETIMEDOUT};
static const int kWriting[] = {ENOBUFS, ENOMEM, ECONNRESET, EPIPE};

ssize_t recv(int fd, void* to, size_t size, int flags) {
  REAL(recv);
  const int what = fate(fd, kReading, 3);
  if (what == -1) return -1;
  const ssize_t got = real(fd, to, what == SHORT ? (size + 2) / 3 : size, flags);
  if (what == SHORT) arm_again(fd);
  return got;
}

ssize_t send(int fd, const void* from, size_t size, int flags) {
  REAL(send);
  const int what = fate(fd, kWriting, 4);
  if (what == -1) return -1;
  const ssize_t sent = real(fd, from, what == SHORT ? (size + 2) / 3 : size, flags);
  if (what == SHORT) arm_again(fd);
  return sent;
}

ssize_t sendmsg(int fd, const struct msghdr* message, int flags) {
  REAL(sendmsg);
  const int what = fate(fd, kWriting, 4);
  if (what == -1) return -1;
  if (what == PASS || message->msg_iovlen == 0) return real(fd, message, flags);
  struct iovec first = message->msg_iov[0];
  first.iov_len = (first.iov_len + 2) / 3;
  struct msghdr less = *message;
  less.msg_iov = &first;
  less.msg_iovlen = 1;
  const ssize_t sent = real(fd, &less, flags);
  arm_again(fd);
  return sent;
}

ssize_t sendfile(int to, int from, off_t* offset, size_t count) {
  REAL(sendfile);
  static const int kFatal[] = {EIO, ENOMEM, EPIPE};
  const int what = fate(to, kFatal, 3);
  if (what == -1) return -1;
  const ssize_t sent = real(to, from, offset, what == SHORT ? (count + 2) / 3 : count);
  if (what == SHORT) arm_again(to);
  return sent;
}

int epoll_wait(int fd, struct epoll_event* events, int count, int timeout) {
  REAL(epoll_wait);
  if (unlucky(10)) {
    errno = EINTR;
    return -1;
  }
  return real(fd, events, count, timeout);
}

// epoll_pwait2() has no function in every C library: it is called by its number.
long syscall(long number, ...) {
  REAL(syscall);
  __builtin_va_list list;
  __builtin_va_start(list, number);
  long a[6];
  for (int i = 0; i < 6; ++i) a[i] = __builtin_va_arg(list, long);
  __builtin_va_end(list);
  if (number == SYS_epoll_pwait2 && unlucky(10)) {
    errno = EINTR;
    return -1;
  }
  return real(number, a[0], a[1], a[2], a[3], a[4], a[5]);
}

int epoll_ctl(int epoll, int operation, int fd, struct epoll_event* event) {
  REAL(epoll_ctl);
  if (one_in && operation == EPOLL_CTL_ADD && is_connection(fd)) {
    const unsigned choice = unlucky(1);
    if (choice) {
      errno = choice % 2 ? ENOMEM : ENOSPC;
      return -1;
    }
  }
  const int result = real(epoll, operation, fd, event);
  if (result == 0 && operation != EPOLL_CTL_DEL && fd < FILES_MAX) {
    files[fd].epoll = epoll;
    files[fd].event = *event;
  }
  return result;
}

int accept4(int fd, struct sockaddr* address, socklen_t* size, int flags) {
  REAL(accept4);
  static const int kErrors[] = {EINTR, ECONNABORTED, EPROTO, ENOBUFS, ENOMEM, EMFILE};
  const unsigned choice = unlucky(5);
  if (choice) {
    errno = kErrors[choice % 6];
    return -1;
  }
  const int accepted = real(fd, address, size, flags);
  if (accepted >= 0 && accepted < FILES_MAX) atomic_store(&files[accepted].accepted, 1);
  return accepted;
}

int close(int fd) {
  REAL(close);
  const int ours = is_connection(fd);
  if (ours) atomic_store(&files[fd].accepted, 0);
  const int result = real(fd);
  if (ours && unlucky(20)) {
    errno = EINTR;  // Linux has closed it all the same.
    return -1;
  }
  return result;
}
