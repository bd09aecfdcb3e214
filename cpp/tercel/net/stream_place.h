// The stream of one connection: a socket, which stands right here, or any other, which was made
// elsewhere.
//
// Nearly every connection is a socket. One in place takes no allocation, and no memory that the
// allocator would scatter. Resource: lives in its connection. Thread: the loop's. Tested by
// socket_stream_test.cc.
#pragma once

#include <memory>
#include <utility>
#include <variant>

#include "tercel/net/socket_stream.h"
#include "tercel/net/stream.h"
#include "tercel/net/syscalls.h"

namespace tercel::net {

class StreamPlace {
 public:
  StreamPlace() noexcept = default;
  StreamPlace(const StreamPlace&) = delete;
  StreamPlace& operator=(const StreamPlace&) = delete;

  // Takes over `fd`, a connected, non-blocking socket.
  void open(Syscalls& syscalls, int fd) noexcept { stream_.emplace<SocketStream>(syscalls, fd); }
  void open(std::unique_ptr<Stream> stream) noexcept { stream_ = std::move(stream); }

  // REQUIRES: open.
  [[nodiscard]] Stream& operator*() noexcept {
    if (auto* socket = std::get_if<SocketStream>(&stream_)) return *socket;
    return **std::get_if<std::unique_ptr<Stream>>(&stream_);
  }
  [[nodiscard]] Stream* operator->() noexcept { return &**this; }
  [[nodiscard]] const Stream* operator->() const noexcept {
    return const_cast<StreamPlace*>(this)->operator->();
  }

  // Ends the stream.
  void close() noexcept { stream_.emplace<std::monostate>(); }

 private:
  std::variant<std::monostate, SocketStream, std::unique_ptr<Stream>> stream_;
};
static_assert(sizeof(StreamPlace) <= 32, "exists per connection");

}  // namespace tercel::net
