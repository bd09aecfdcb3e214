// An object storage behind the gateway, and how buckets are on it.
//
// A value. Thread: any, once it is complete.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "tercel/base/shared_const.h"
#include "tercel/gateway/anonymous.h"
#include "tercel/gateway/question.h"
#include "tercel/net/tls_client.h"

namespace tercel::gateway {

enum class Style : std::uint8_t {
  kPath,     // https://host/bucket/key
  kVirtual,  // https://bucket.host/key
  kAuto      // kVirtual where the bucket can be a label of the host, which is a name.
};

// Where the credentials come from.
enum class CredentialsFrom : std::uint8_t {
  kPolicy,     // Asked for with bucket and identity.
  kExchanged,  // Asked for with the rule: an API key that is exchanged for a token.
  kHmac,       // Here.
  kBearer
};

struct Backend {
  std::string rule;  // The name or pattern of its buckets.
  bool secure = true;
  std::string host;  // A name or an address, without brackets.
  std::uint16_t port = 443;
  std::string region = "us-east-1";
  Style style = Style::kAuto;
  std::string bucket;  // Its name there; empty: the one that clients use.
  CredentialsFrom credentials_from = CredentialsFrom::kPolicy;
  // For kHmac and kBearer. Buckets::add() gives a secret its version.
  SharedConst<Credentials> shared_credentials;
  std::optional<net::TlsClientContext> tls;  // Of a secure one.
  std::string pool_key;                      // Backends of one key share their connections.
  bool trailers = true;                      // It takes STREAMING-UNSIGNED-PAYLOAD-TRAILER.
  std::string prefix;     // Before the keys that clients use: s3/key_prefix.h. Empty: none.
  std::string redirects;  // The domain in which it may send on: redirect.h. Empty: none.
  AnonymousOperations anonymous = {};  // What needs no signature of clients.
};

}  // namespace tercel::gateway
