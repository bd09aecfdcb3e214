// What a server needs to speak TLS: certificates with their keys, and what it demands of clients.
//
//   std::string problem;
//   std::optional<TlsContext> context = TlsContext::create(options, problem);
//   if (!context) return refuse(problem);
//   std::unique_ptr<Stream> stream = context->accept(syscalls, fd);
//
// A handle: copies share the same certificates, and connections keep those that they began with, so
// a context is replaced while connections live. REQUIRES: the process ignores SIGPIPE, as Python
// does: OpenSSL writes to sockets that the peer has closed. Thread: any. Source: RFC 8446, RFC
// 5246, RFC 6066 (names), RFC 7301 (ALPN), RFC 5077 (tickets). Tested by tests/python/test_tls.py.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "tercel/net/stream.h"
#include "tercel/net/syscalls.h"
#include "tercel/net/tls_handle.h"

namespace tercel::net {

// Files in PEM. The certificate comes first in its file, then the chain up to the root.
struct TlsCertificate {
  std::string certificate;
  std::string key = {};  // Empty: in the file of the certificate.
  std::string password = {};
};

enum class ClientCertificates : std::uint8_t {
  kNone,      // Not asked for.
  kOptional,  // A client may have none; one that it has must be valid.
  kRequired
};

// From which the keys of session tickets are derived, anew every twelve hours: whoever shares it
// takes up the sessions of the others, and of itself before its certificates were read again. All
// zeros: there are no tickets.
using TlsTicketSecret = std::array<std::uint8_t, 32>;

struct TlsOptions {
  // Not empty. A client that asks for a name gets the first certificate that is valid for it, any
  // other the first of all.
  std::vector<TlsCertificate> certificates;
  std::uint16_t version_min = 0x0303;  // TLS 1.2; 0x0304 is 1.3.
  std::string ciphers;                 // Of TLS 1.2, in OpenSSL's notation; empty: modern ones.
  std::string cipher_suites;           // Of TLS 1.3; empty: OpenSSL's.
  std::string groups;                  // Of the key exchange; empty: OpenSSL's.
  ClientCertificates client_certificates = ClientCertificates::kNone;
  std::string client_ca;   // PEM file of those who sign them.
  std::string client_crl;  // PEM file of revocation lists; empty: none is asked.
  std::vector<std::string> protocols{"http/1.1"};  // By ALPN, the one we like most first.
  bool kernel_tls = false;  // Leave the encryption to the kernel, where both can do it.
  TlsTicketSecret ticket_secret{};
};

class TlsContext {
 public:
  // Nothing, and in `problem` one sentence that names the file or the value to change.
  [[nodiscard]] static std::optional<TlsContext> create(const TlsOptions& options,
                                                        std::string& problem);
  // A sentence for each file of `options` with something in it that does not hold now: it expired,
  // is not valid yet, or is a revocation list of nobody's. REQUIRES: create() took these.
  [[nodiscard]] std::vector<std::string> warnings(const TlsOptions& options) const;
  // A secret that nobody knows. Loads OpenSSL; zeros where there is none, create() says so.
  [[nodiscard]] static TlsTicketSecret new_ticket_secret() noexcept;

  // The server's side of a connection whose handshake is yet to come. Takes over `fd`, a connected,
  // non-blocking socket. Null when memory is exhausted: `fd` is the caller's still.
  [[nodiscard]] std::unique_ptr<Stream> accept(Syscalls& syscalls, int fd) const noexcept;

 private:
  explicit TlsContext(TlsHandle context) noexcept : context_{std::move(context)} {}

  TlsHandle context_;  // Empty once moved from.
};

}  // namespace tercel::net
