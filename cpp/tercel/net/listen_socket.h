// A bound, listening socket that nobody accepts from yet: TCP, Unix, or taken over from a parent.
//
// Not for names: resolving is the caller's. Resource: moves, does not copy. Source: socket(7),
// tcp(7), unix(7). Tested by listen_socket_test.cc.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

#include "tercel/base/address.h"
#include "tercel/base/process_mark.h"
#include "tercel/base/result.h"
#include "tercel/net/syscalls.h"

namespace tercel::net {

struct ListenOptions {
  int backlog = 2048;
  bool reuse_port = false;
  bool ipv6_only = false;          // False: a socket on "::" takes IPv4 connections too.
  std::uint32_t unix_mode = 0666;  // Permission bits of a Unix socket's path.
  // Of TCP; accepted sockets have them too. Zero: as the system has it. The kernel asks a peer that
  // was silent for so long, and gives it up when three questions, a third of it apart, got no
  // answer.
  std::chrono::seconds keepalive{0};
  std::chrono::milliseconds user_timeout{0};  // Sent and not acknowledged, then given up.
  int fast_open = 0;                          // Connections in progress that brought data already.
};

// Closes the socket when destroyed, and removes the path of a Unix socket that it created itself
// and that is still the same. A child of fork() has a copy of it and leaves the path alone.
class ListenSocket {
 public:
  // Fail with kAddressInUse, kAddressInvalid, kPermission, kTooManyFiles, kNoMemory or kSystem.
  // `host` is an IP literal; port 0 picks a free one.
  [[nodiscard]] static Result<ListenSocket> tcp(Syscalls& syscalls, std::string_view host,
                                                std::uint16_t port, const ListenOptions& options);
  // A stale socket file that nobody listens on is replaced; a live one is kAddressInUse; any other
  // file is kAddressInUse and left alone. Two processes that start on one path at the same moment
  // may replace each other's file: use one supervisor per path.
  [[nodiscard]] static Result<ListenSocket> unix_path(Syscalls& syscalls, std::string_view path,
                                                      const ListenOptions& options);
  // Takes over a descriptor that is bound and listening already (systemd, a parent process). When
  // it fails the descriptor stays the caller's; kAddressInvalid: it is no listening socket. Of the
  // options, those that accepted sockets inherit are set.
  [[nodiscard]] static Result<ListenSocket> adopt(Syscalls& syscalls, int fd,
                                                  const ListenOptions& options = {});

  // Another descriptor of the same socket, for another loop that accepts from the same backlog. The
  // path of a Unix socket stays this one's to remove. Fails with kTooManyFiles or kSystem.
  [[nodiscard]] Result<ListenSocket> duplicate() const;

  ListenSocket(ListenSocket&& other) noexcept;
  ListenSocket& operator=(ListenSocket&& other) noexcept;
  ~ListenSocket() { close(); }

  // Closes it now. The address stays known.
  void close() noexcept;
  // The path of a Unix socket that was taken over is from here this one's to remove,
  void own_path() noexcept;
  // or, in the process that it was taken over from, not any more.
  void leave_path() noexcept { inode_ = 0; }

  // -1 once closed.
  [[nodiscard]] int descriptor() const noexcept { return fd_; }
  // The bound address: the real port after port 0.
  [[nodiscard]] const Address& address() const noexcept { return address_; }
  // Path of a Unix socket, else empty. That of an abstract one begins with a zero byte.
  [[nodiscard]] const std::string& path() const noexcept { return path_; }
  // What to open, for people: "http://127.0.0.1:8000" with "http" for `scheme`, or
  // "unix:/run/app.sock".
  [[nodiscard]] std::string url(std::string_view scheme) const;
  // It is a duplicate(): others accept from it too.
  [[nodiscard]] bool shared() const noexcept { return shared_; }

 private:
  ListenSocket(Syscalls& syscalls, int fd) noexcept : syscalls_{&syscalls}, fd_{fd} {}
  [[nodiscard]] int set(int level, int name, int value) noexcept;
  [[nodiscard]] int set_tcp_options(const ListenOptions& options) noexcept;
  [[nodiscard]] int bind_path() noexcept;
  [[nodiscard]] bool path_is_stale() noexcept;
  [[nodiscard]] int finish(const ListenOptions& options) noexcept;
  void remove_file() noexcept;

  Syscalls* syscalls_;
  int fd_;
  bool shared_ = false;
  Address address_{};
  std::string path_;
  // Which file at path_ is ours to remove, in this process; 0: none.
  dev_t device_ = 0;
  ino_t inode_ = 0;
  ProcessMark mark_;
};

}  // namespace tercel::net
