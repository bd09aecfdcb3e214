// One connection of the load client to the server, and its next one when that ends.
//
// A resource: lives as long as the run; connections come and go within it. What derives from it
// knows the protocol. Nothing is allocated for a message in a steady state: bytes are read into the
// loop's shared buffer, and only an incomplete piece is kept.
// Tested by tests/python/test_load_client.py.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "tercel/net/loop.h"
#include "tercel/net/socket_address.h"
#include "tercel/net/socket_stream.h"

namespace tercel::load {

class Link : private net::Watcher {
 public:
  Link(const Link&) = delete;
  Link& operator=(const Link&) = delete;
  virtual ~Link() { close(); }

  // Begins to connect. on_connected() or on_refused() follows, perhaps at once.
  // REQUIRES: not connected.
  void connect(const Address& server, const Address& source) noexcept;
  // Resets the connection: ten thousand in TIME_WAIT would exhaust the ports. Tells nobody.
  void close() noexcept;
  [[nodiscard]] bool closed() const noexcept { return !stream_; }
  [[nodiscard]] bool connected() const noexcept { return stream_.has_value() && !connecting_; }

 protected:
  explicit Link(net::Loop& loop) noexcept : loop_{loop} {}

  // What the socket does not take now follows when it can.
  void send(std::string_view bytes);

  virtual void on_connected() = 0;
  virtual void on_refused(int error) = 0;
  // Takes what it can off `bytes`; the rest is presented again with more behind it. May close.
  virtual void on_bytes(std::span<char>& bytes) = 0;
  // The connection ended, by a FIN or not; `left` was not taken by on_bytes(). It is closed next.
  virtual void on_end(bool orderly, std::span<const char> left) = 0;
  // It is closed: another may be made.
  virtual void on_closed() = 0;

  net::Loop& loop_;

 private:
  void on_ready(std::uint32_t readiness) noexcept override;
  void finish_connecting() noexcept;
  void refuse(int error) noexcept;
  // False: the connection ended.
  [[nodiscard]] bool read(std::span<char> scratch, bool until_end) noexcept;
  void take(std::span<char> bytes);
  void flush() noexcept;
  void end(bool orderly) noexcept;

  std::optional<net::SocketStream> stream_;
  net::WatchId watch_ = net::WatchId::kNone;
  bool connecting_ = false;
  std::string unread_;
  std::string unsent_;
};

}  // namespace tercel::load
