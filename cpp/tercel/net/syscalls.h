// Every system call the engine makes on a socket or a file, in one place, so that a test can make
// the Nth one fail with any error it documents.
//
// Each function behaves as the call of its name, except that a failure is returned as -errno: no
// global to read twice. Tested by every user, through FailingSyscalls (tests/cpp/support).
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdint>

struct epoll_event;
struct iovec;
struct sockaddr;

namespace tercel::net {

class Syscalls {
 public:
  virtual ~Syscalls() = default;
  // ... one virtual each, to be completed by syscalls.cc's author: recv, send, sendmsg/writev
  // (always MSG_NOSIGNAL), sendfile, accept4, shutdown, close, epoll_create1, epoll_ctl,
  // epoll_pwait2 or epoll_wait, eventfd, socket, bind, listen, setsockopt, fstat ...
};

// The real ones.
[[nodiscard]] Syscalls& system_calls() noexcept;

}  // namespace tercel::net
