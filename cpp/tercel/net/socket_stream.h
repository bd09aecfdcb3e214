// A Stream that is a connected socket, TCP or Unix.
//
// Resource: owns its descriptor, until somebody else closes it and another connection has the
// number (socket_mark.h): then each call fails. Source: recv(2), send(2), sendfile(2), splice(2).
// Tested by socket_stream_test.cc.
#pragma once

#include "tercel/net/socket_mark.h"
#include "tercel/net/stream.h"
#include "tercel/net/syscalls.h"

namespace tercel::net {

class SocketStream final : public Stream {
 public:
  // Takes over `fd`, a connected, non-blocking socket.
  SocketStream(Syscalls& syscalls, int fd) noexcept : syscalls_{syscalls}, fd_{fd}, mark_{fd} {}
  ~SocketStream() override;

  [[nodiscard]] IoResult read(std::span<char> into) noexcept override;
  [[nodiscard]] IoResult write(std::span<const iovec> pieces) noexcept override;
  // REQUIRES: the process ignores SIGPIPE, as Python does; the kernel offers no other way here.
  [[nodiscard]] IoResult write_file(int file, std::uint64_t offset,
                                    std::size_t count) noexcept override;
  [[nodiscard]] bool splices() const noexcept override { return true; }
  [[nodiscard]] IoResult read_into(Pipe& pipe, std::size_t max) noexcept override;
  // REQUIRES: as write_file().
  [[nodiscard]] IoResult write_from(Pipe& pipe, std::size_t max) noexcept override;
  void shutdown_write() noexcept override;
  void reset_on_close() noexcept override;
  [[nodiscard]] int descriptor() const noexcept override { return fd_; }

 private:
  [[nodiscard]] bool owns() const noexcept { return mark_.holds(fd_); }
  [[nodiscard]] IoResult copy_file(int file, std::uint64_t offset, std::size_t count) noexcept;

  Syscalls& syscalls_;
  int fd_;
  SocketMark mark_;
};
static_assert(sizeof(SocketStream) <= 24, "exists per connection");

}  // namespace tercel::net
