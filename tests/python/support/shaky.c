// Preloaded into a server, makes calls on sockets fail now and then in ways that their manual pages
// allow and that need no bad luck with memory: interrupted by a signal, and connections that are
// gone before they are accepted. Short reads and writes are not made here: with edge-triggered
// epoll they mean that the buffer is empty or full, so a made-up one would be a lie (epoll(7)).
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <stdatomic.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/uio.h>

static atomic_uint calls;

// True for about one call in `one_in`, in an order that is the same in every run.
static int unlucky(unsigned one_in) {
  unsigned x = atomic_fetch_add(&calls, 1) * 2654435761u;
  x ^= x >> 15;
  return x % one_in == 0;
}

#define REAL(name) \
  static __typeof__(&name) real; \
  if (!real) real = (__typeof__(&name))dlsym(RTLD_NEXT, #name)

#define INTERRUPTED(one_in) \
  if (unlucky(one_in)) { \
    errno = EINTR; \
    return -1; \
  }

ssize_t recv(int fd, void* to, size_t size, int flags) {
  REAL(recv);
  INTERRUPTED(20)
  return real(fd, to, size, flags);
}

ssize_t send(int fd, const void* from, size_t size, int flags) {
  REAL(send);
  INTERRUPTED(20)
  return real(fd, from, size, flags);
}

ssize_t sendmsg(int fd, const struct msghdr* message, int flags) {
  REAL(sendmsg);
  INTERRUPTED(20)
  return real(fd, message, flags);
}

ssize_t writev(int fd, const struct iovec* pieces, int count) {
  REAL(writev);
  INTERRUPTED(20)
  return real(fd, pieces, count);
}

int epoll_wait(int fd, struct epoll_event* events, int count, int timeout) {
  REAL(epoll_wait);
  INTERRUPTED(10)
  return real(fd, events, count, timeout);
}

int accept4(int fd, struct sockaddr* address, socklen_t* size, int flags) {
  REAL(accept4);
  static const int kErrors[] = {EINTR, ECONNABORTED, EPROTO, ENOBUFS, ENOMEM, EMFILE};
  if (unlucky(5)) {
    errno = kErrors[atomic_load(&calls) % 6];
    return -1;
  }
  return real(fd, address, size, flags);
}
