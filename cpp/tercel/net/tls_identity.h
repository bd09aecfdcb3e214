// What hangs on one SSL_CTX of ours, and goes with it: found by the callbacks of OpenSSL.
//
// Internal to tercel/net. Thread: any; what changes is behind the mutex.
#pragma once

#include <array>
#include <cstdint>
#include <mutex>
#include <string>
#include <vector>

#include "tercel/base/shared_const.h"
#include "tercel/net/openssl.h"
#include "tercel/net/tls_context.h"

namespace tercel::net {

// The keys of session tickets, derived from the secret for half a day each, so that processes which
// share the secret agree on them without a word. Source: RFC 5077 section 4 and 5.5.
class TlsTicketKeys {
 public:
  explicit TlsTicketKeys(const TlsTicketSecret& secret) noexcept : secret_{secret} {}

  // What OpenSSL's ticket callback asks for: sets up `cipher` and `mac` for a new ticket, naming
  // the key, or for the one named. `unix_time` is in seconds. Returns what that callback has to
  // return.
  int prepare(unsigned char* key_name, unsigned char* iv, evp_cipher_ctx_st* cipher,
              evp_mac_ctx_st* mac, bool encrypt, std::int64_t unix_time) noexcept;

  static constexpr std::int64_t kEpochSeconds = std::int64_t{12} * 60 * 60;
  // What prepare() returns.
  static constexpr int kFailed = -1;
  static constexpr int kUnknown = 0;  // A whole handshake follows.
  static constexpr int kGood = 1;
  static constexpr int kGoodButRenew = 2;

 private:
  struct Keys {
    std::int64_t epoch = -1;
    std::array<unsigned char, 32> name, cipher, mac;  // Of the name the first 16 bytes count.
  };
  // The keys of an epoch: the current or the one before. False: OpenSSL failed.
  [[nodiscard]] bool find(std::int64_t epoch, Keys& keys) noexcept;
  [[nodiscard]] bool derive(const char* purpose, std::int64_t epoch,
                            std::array<unsigned char, 32>& key) const noexcept;

  TlsTicketSecret secret_;
  std::mutex mutex_;
  std::array<Keys, 2> known_;
};

struct TlsIdentity {
  explicit TlsIdentity(const TlsTicketSecret& secret) noexcept : tickets{secret} {}
  TlsIdentity(const TlsIdentity&) = delete;
  TlsIdentity& operator=(const TlsIdentity&) = delete;
  ~TlsIdentity();

  SharedConst<std::string> certificate;  // PEM.
  std::string protocols;                 // As ALPN has them on the wire.
  std::vector<ssl_ctx_st*> others;       // Of the first: the certificates for other names.
  TlsTicketKeys tickets;
};

// Hangs `identity` on `context`, which owns it from then on. False: memory is exhausted.
[[nodiscard]] bool attach(ssl_ctx_st* context, TlsIdentity* identity) noexcept;
// REQUIRES: attach()ed.
[[nodiscard]] TlsIdentity& identity_of(const ssl_ctx_st* context) noexcept;

}  // namespace tercel::net
