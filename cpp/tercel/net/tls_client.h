// What a client needs to speak TLS: whom it trusts, and the certificate that it has itself.
//
//   std::string problem;
//   std::optional<TlsClientContext> context = TlsClientContext::create({}, problem);
//   TlsSessions sessions;                             // One for each server and loop.
//   std::unique_ptr<Stream> stream = context->connect(syscalls, fd, "s3.example.com", sessions);
//
// The certificate of the server must be valid for the host, a name or an IP address, unless that is
// turned off. Sessions are taken up, which saves most of a handshake. A handle: copies share what
// is read from files. Thread: any; sessions: one. Source: RFC 8446, RFC 5246, RFC 6066 (names), RFC
// 9525 (whose certificate it is). Tested by tls_client_test.cc.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "tercel/net/stream.h"
#include "tercel/net/syscalls.h"
#include "tercel/net/tls_handle.h"

struct ssl_session_st;

namespace tercel::net {

struct TlsClientOptions {
  std::string ca;      // PEM file of those who sign certificates of servers; empty: the system's.
  bool verify = true;  // False: a server may be anybody.
  std::string certificate;             // PEM file of our own, with its chain; empty: none.
  std::string key;                     // Empty: in that file.
  std::uint16_t version_min = 0x0303;  // TLS 1.2.
};

// What servers gave to be taken up later. A ticket of TLS 1.3 is for one connection. Resource:
// outlives the streams that were connected with it.
class TlsSessions {
 public:
  static constexpr std::size_t kKept = 4;

  TlsSessions() noexcept = default;
  TlsSessions(const TlsSessions&) = delete;
  TlsSessions& operator=(const TlsSessions&) = delete;
  ~TlsSessions();

  // Takes over a session.
  void put(ssl_session_st* session) noexcept;
  // The one that came last, which is the caller's then; null: there is none.
  [[nodiscard]] ssl_session_st* take() noexcept;

 private:
  std::array<ssl_session_st*, kKept> kept_{};
  std::size_t count_ = 0;
};

class TlsClientContext {
 public:
  // Nothing, and in `problem` one sentence that names the file or the value to change.
  [[nodiscard]] static std::optional<TlsClientContext> create(const TlsClientOptions& options,
                                                              std::string& problem);

  // The client's side of a connection whose handshake is yet to come. Takes over `fd`, a connected,
  // non-blocking socket. Null when memory is exhausted: `fd` is the caller's still.
  [[nodiscard]] std::unique_ptr<Stream> connect(Syscalls& syscalls, int fd, const std::string& host,
                                                TlsSessions& sessions) const noexcept;

 private:
  TlsClientContext(TlsHandle context, bool verify) noexcept
      : context_{std::move(context)}, verify_{verify} {}

  TlsHandle context_;  // Empty once moved from.
  bool verify_;
};

}  // namespace tercel::net
