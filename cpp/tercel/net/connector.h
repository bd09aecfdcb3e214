// Connects to the first of several addresses that answers, with TLS if that is wished for.
//
//   class Dial final : public Connector::Client {
//     void on_connected(std::unique_ptr<Stream> stream) noexcept override { ... }
//     void on_failed(Errc error) noexcept override { ... }
//   };
//   connector.start(addresses, {.tls = &tls, .host = "s3.example.com"}, /*due=*/now + 5s);
//
// Addresses are tried one after the other, a quarter of a second apart or as soon as one refuses;
// all that were begun race, and the first that is done with its handshake is taken (happy
// eyeballs). One that connects has a second for its handshake before the next is tried beside it.
// The order is the caller's, who alternates families. Resource: one attempt at a time; may be
// destroyed at any time, which ends it. Thread: the loop's. Source: RFC 8305 section 5. Tested by
// connector_test.cc.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "tercel/base/address.h"
#include "tercel/base/errors.h"
#include "tercel/base/result.h"
#include "tercel/net/loop.h"
#include "tercel/net/stream.h"
#include "tercel/net/tls_client.h"

namespace tercel::net {

class Connector final : private Timer, private Deferred {
 public:
  static constexpr std::size_t kAddressesMax = 8;
  static constexpr std::chrono::milliseconds kStagger{250};
  static constexpr std::chrono::milliseconds kHandshakeStagger{1000};

  class Client {
   public:
    // One of the two, once. May destroy the connector.
    virtual void on_connected(std::unique_ptr<Stream> stream) noexcept = 0;
    // kUpstreamUnreachable: every address refused, or broke off the handshake. kUpstreamUntrusted:
    // TLS did not come about with one. kUpstreamTimeout; kTooManyFiles, kNoMemory.
    virtual void on_failed(Errc error) noexcept = 0;

   protected:
    ~Client() = default;
  };

  // How TLS is spoken; without a context it is not. All outlive the connector.
  struct Security {
    const TlsClientContext* context = nullptr;
    TlsSessions* sessions = nullptr;
    const std::string* host = nullptr;  // The name or address that its certificate is for.
  };

  // Both outlive it.
  Connector(Loop& loop, Client& client) noexcept : loop_{loop}, client_{client} {}
  ~Connector() override { stop(); }

  // Begins; the client is told later, never from inside of this. Of more than kAddressesMax
  // addresses the first are tried. REQUIRES: the client was told of the
  // last one.
  void start(std::span<const Address> addresses, const Security& security,
             std::chrono::nanoseconds due) noexcept;
  // To a Unix socket, without TLS.
  void start_unix(const std::string& path, std::chrono::nanoseconds due) noexcept;

 private:
  struct Attempt final : Watcher {
    void on_ready(std::uint32_t /*readiness*/) noexcept override { owner->on_attempt(*this); }
    [[nodiscard]] bool open() const noexcept { return fd >= 0 || stream != nullptr; }
    Connector* owner = nullptr;
    int fd = -1;  // Until there is a stream, which has it then.
    WatchId watch = WatchId::kNone;
    std::unique_ptr<Stream> stream;  // While it shakes hands.
  };

  void begin(std::chrono::nanoseconds due) noexcept;
  void try_next() noexcept;
  // Connects a socket. False: that address does not answer.
  [[nodiscard]] bool open(Attempt& attempt, int domain, const sockaddr* address,
                          socklen_t bytes) noexcept;
  void on_attempt(Attempt& attempt) noexcept;
  void close(Attempt& attempt) noexcept;
  void unwatch(Attempt& attempt) noexcept;
  void secure(Attempt& attempt) noexcept;
  void shake_hands(Attempt& attempt) noexcept;
  void run_deferred() noexcept override;
  void on_timer() noexcept override;
  void arm() noexcept;
  void fail_with(Errc error) noexcept;
  void succeed(Attempt& attempt) noexcept;
  void stop() noexcept;

  Loop& loop_;
  Client& client_;
  Security security_;
  std::array<Address, kAddressesMax> addresses_{};
  std::array<Attempt, kAddressesMax> attempts_{};
  std::size_t count_ = 0;
  std::size_t next_ = 0;
  std::chrono::nanoseconds due_{0};
  std::chrono::nanoseconds next_due_{0};  // Of the next address.
  std::string path_;
  Errc error_ = Errc::kUpstreamUnreachable;  // What is said when no address is left.
};

}  // namespace tercel::net
