// TLS over a connected socket, either side. Made by TlsContext::accept() and by
// TlsClientContext::connect().
//
// Neither of OpenSSL's wishes, to read before it writes or the other way round, is visible above:
// the owner retries on any event what it still wants to do. Source: RFC 8446 section 6.1: an end
// without close_notify is a failure, so that what was cut off cannot look complete. Tested by
// tests/python/test_tls.py.
#pragma once

#include <cstdint>
#include <string>

#include "tercel/net/plain_request.h"
#include "tercel/net/socket_mark.h"
#include "tercel/net/stream.h"
#include "tercel/net/syscalls.h"

struct bio_st;
struct ssl_st;

namespace tercel::net {

class TlsStream final : public Stream {
 public:
  // What a peer may do of handshakes after the handshake, in a row, without kLateStepsBytes of data
  // between. A request for new keys is five steps of OpenSSL's, so these are about 32: each costs
  // us more than it.
  static constexpr std::uint32_t kLateStepsMax = 160;
  static constexpr std::uint32_t kLateStepsBytes = 64 * 1024;

  // A server looks whether a peer that speaks no TLS speaks HTTP, and describes the connection.
  enum class Side : bool { kServer, kClient };

  // Takes over both.
  TlsStream(ssl_st* ssl, Syscalls& syscalls, int fd, Side side = Side::kServer) noexcept;
  ~TlsStream() override;

  [[nodiscard]] IoState handshake() noexcept override;
  [[nodiscard]] int release_plain() noexcept override;
  [[nodiscard]] TlsInfoRef tls() const noexcept override { return info_; }
  [[nodiscard]] IoResult read(std::span<char> into) noexcept override;
  [[nodiscard]] bool read_waits_for_write() const noexcept override { return read_wants_write_; }
  [[nodiscard]] IoResult write(std::span<const iovec> pieces) noexcept override;
  [[nodiscard]] IoResult write_file(int file, std::uint64_t offset,
                                    std::size_t count) noexcept override;
  void shutdown_write() noexcept override;
  void reset_on_close() noexcept override;
  [[nodiscard]] int descriptor() const noexcept override { return fd_; }

  // The handshake went a step on, though it may be over.
  void on_handshake_step() noexcept { ++late_steps_; }
  // OpenSSL took these off the socket, for the handshake. False: it need not tell of more.
  [[nodiscard]] bool on_first_bytes(std::span<const char> bytes) noexcept;

 private:
  // Whether the socket can be used: nothing went wrong, and the number is not another's by now.
  [[nodiscard]] bool usable() noexcept;
  // What comes behind the bytes that OpenSSL refused, until it is clear whether they are HTTP.
  [[nodiscard]] IoState read_plain_request() noexcept;
  // What a call said that returned `result`, no bytes.
  [[nodiscard]] IoState state_of(int result) noexcept;
  [[nodiscard]] IoResult encrypt(std::span<const char> bytes) noexcept;
  [[nodiscard]] bool describe() noexcept;

  ssl_st* ssl_;
  Syscalls& syscalls_;
  TlsInfoRef info_;
  int fd_;
  SocketMark mark_;
  std::uint32_t late_steps_ = 0;
  std::uint32_t bytes_since_steps_ = 0;
  const Side side_;
  bool established_ = false;
  bool failed_ = false;
  PlainRequest plain_;
  bool refused_ = false;     // The first bytes are none of TLS.
  bool plain_http_ = false;  // Failed, because they are those of an HTTP request.
  bool read_wants_write_ = false;
  bool kernel_sends_ = false;
};

}  // namespace tercel::net
