// Accepts connections on one bound socket, and survives a process that is out of descriptors.
//
// On EMFILE, ENFILE, ENOBUFS or ENOMEM it stops watching for kPause, so a full process neither
// spins nor forgets the clients in the backlog. pause() and resume() do the same for a limit of
// connections. Resource: owned by whoever serves; Thread: the loop's. Tested by listener_test.cc.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "tercel/base/address.h"
#include "tercel/base/result.h"
#include "tercel/net/loop.h"
#include "tercel/net/stream.h"

namespace tercel::net {

struct ListenOptions {
  int backlog = 2048;
  bool reuse_port = false;
  bool ipv6_only = false;
  std::uint32_t unix_mode = 0666;  // Permission bits of a Unix socket's path.
};

// A bound, listening socket that nobody accepts from yet. Closes it when destroyed; removes the
// path of a Unix socket that it created itself.
class ListenSocket {
 public:
  // Fail with kAddressInUse, kAddressInvalid, kPermission, kTooManyFiles or kSystem.
  // `host` is an IP literal (resolving names is the caller's); port 0 picks a free one.
  [[nodiscard]] static Result<ListenSocket> tcp(Syscalls& syscalls, std::string_view host,
                                                std::uint16_t port, const ListenOptions& options);
  // A stale socket file that nobody listens on is replaced; a live one is kAddressInUse; any other
  // file is kAddressInUse and left alone.
  [[nodiscard]] static Result<ListenSocket> unix_path(Syscalls& syscalls, std::string_view path,
                                                      const ListenOptions& options);
  // Takes over a descriptor that is bound and listening already (systemd, a parent process).
  [[nodiscard]] static Result<ListenSocket> adopt(Syscalls& syscalls, int fd);

  ListenSocket(ListenSocket&& other) noexcept;
  ListenSocket& operator=(ListenSocket&& other) noexcept;
  ~ListenSocket();

  [[nodiscard]] int descriptor() const noexcept;
  // The bound address: the real port after port 0.
  [[nodiscard]] const Address& address() const noexcept;
  // Path of a Unix socket, else empty.
  [[nodiscard]] const std::string& path() const noexcept;
  // ... to be completed by listener.cc's author.
};

class Listener final : private Watcher, private Timer {
 public:
  static constexpr std::chrono::milliseconds kPause{100};
  // Connections accepted per event, at most.
  static constexpr int kAcceptsMax = 64;

  // Gets each new connection: TCP_NODELAY set, close-on-exec, not yet watched.
  class Sink {
   public:
    virtual void on_accept(std::unique_ptr<Stream> stream, const Address& peer,
                           const Address& local, Listener& from) noexcept = 0;
    // Accepting failed for lack of descriptors or memory; it is tried again after kPause.
    virtual void on_starved(int error) noexcept = 0;

   protected:
    ~Sink() = default;
  };

  Listener(Loop& loop, ListenSocket socket, Sink& sink) noexcept;
  ~Listener();

  [[nodiscard]] Result<void> start() noexcept;
  void pause() noexcept;
  void resume() noexcept;
  // Stops accepting and closes the socket. Connections in the kernel's backlog are accepted first.
  void close() noexcept;
  [[nodiscard]] const ListenSocket& socket() const noexcept;
  // ... to be completed by listener.cc's author.
};

}  // namespace tercel::net
