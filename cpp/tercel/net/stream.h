// A connected byte stream: a plain socket, TLS on a socket, or memory in a test.
//
// Non-blocking. No buffering of its own beyond what its protocol forces on it. Thread: one.
// A Stream does not know the loop: the owner watches descriptor() for both directions, edge
// triggered, and on any event retries whatever it still wants to do.
#pragma once

#include <sys/types.h>
#include <sys/uio.h>

#include <cstddef>
#include <cstdint>
#include <span>

#include "tercel/base/pipe.h"
#include "tercel/base/tls_info.h"

namespace tercel::net {

enum class IoState : std::uint8_t {
  kDone,    // `bytes` were transferred, at least one.
  kAgain,   // Not now: an event will say when.
  kEnd,     // Reading only: the peer finished its direction in an orderly way, after `bytes`.
  kFailed,  // The stream is broken: reset, or TLS without close_notify. Both directions are dead.
  kRefused  // read_into() only: the system does not splice. Nothing was moved, nothing is broken.
};

struct IoResult {
  std::size_t bytes;
  IoState state;
};

class Stream {
 public:
  Stream() noexcept = default;
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;
  // Closes the descriptor.
  virtual ~Stream() = default;

  // Brings the stream to where bytes of the application flow. kAgain: call again after an event.
  // kEnd, of a client only: the peer closed or reset the connection meanwhile.
  // REQUIRES: nothing was read or written yet.
  [[nodiscard]] virtual IoState handshake() noexcept { return IoState::kDone; }
  // The handshake failed because the peer speaks HTTP without TLS: gives up the descriptor, to
  // which nothing was written, so that the peer can be told in its own language. -1: it did not.
  [[nodiscard]] virtual int release_plain() noexcept { return -1; }
  // What the handshake agreed on; empty on a plain stream.
  [[nodiscard]] virtual TlsInfoRef tls() const noexcept { return {}; }

  // Reads into `into`. Fewer bytes than asked for means that there are no more now.
  // REQUIRES: !into.empty().
  [[nodiscard]] virtual IoResult read(std::span<char> into) noexcept = 0;

  // read() said kAgain because it has to write first: it is to be called again after an event that
  // says nothing of reading.
  [[nodiscard]] virtual bool read_waits_for_write() const noexcept { return false; }

  // Writes the pieces in order, as many bytes as are taken now. REQUIRES: total > 0.
  [[nodiscard]] virtual IoResult write(std::span<const iovec> pieces) noexcept = 0;

  // Sends up to `count` bytes of a regular file from `offset`, without a copy through user space
  // where the stream allows. kEnd: the file is shorter than `offset` + 1 byte.
  [[nodiscard]] virtual IoResult write_file(int file, std::uint64_t offset,
                                            std::size_t count) noexcept = 0;

  // Whether the two below work: they do on a socket without TLS.
  [[nodiscard]] virtual bool splices() const noexcept { return false; }
  // As read() and write(), without a copy: moves up to `max` bytes that the kernel has received
  // into `pipe`, and up to `max` bytes out of it. How many came says nothing of whether there are
  // more. REQUIRES: splices(); `pipe` is empty; `pipe` has `max` bytes or more.
  [[nodiscard]] virtual IoResult read_into(Pipe& pipe, std::size_t max) noexcept {
    static_cast<void>(pipe), static_cast<void>(max);
    return {0, IoState::kRefused};
  }
  [[nodiscard]] virtual IoResult write_from(Pipe& pipe, std::size_t max) noexcept {
    static_cast<void>(pipe), static_cast<void>(max);
    return {0, IoState::kFailed};
  }

  // Ends our direction (FIN; TLS: close_notify first). The peer may still send.
  virtual void shutdown_write() noexcept = 0;

  // Makes the close a reset (SO_LINGER 0): the peer sees a broken connection, not a clean end.
  virtual void reset_on_close() noexcept = 0;

  // The descriptor to watch, or -1 for memory.
  [[nodiscard]] virtual int descriptor() const noexcept = 0;
};

}  // namespace tercel::net
