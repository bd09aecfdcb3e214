// An object storage behind the gateway, and how buckets are on it.
//
// A value. Thread: any, once it is complete.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "tercel/base/shared_const.h"
#include "tercel/edge/cors_policy.h"
#include "tercel/gateway/anonymous.h"
#include "tercel/gateway/credentials.h"
#include "tercel/gateway/endpoint.h"
#include "tercel/proxy/call.h"
#include "tercel/proxy/retry_rule.h"

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

// The endpoint that a backend is, is its first one.
struct Backend : Endpoint {
  static constexpr std::size_t kEndpointsMax = 16;

  [[nodiscard]] std::size_t endpoints() const noexcept { return 1 + others.size(); }
  [[nodiscard]] const Endpoint& endpoint(std::size_t index) const noexcept {
    return index == 0 ? *this : others[index - 1];
  }

  std::vector<Endpoint> others;  // Where the same objects are.
  bool takes_turns = false;      // Requests go to them in turn, and not to the first that answers.
  proxy::CallTimes times;
  proxy::RetryOptions retry;
  std::string rule;  // The name or pattern of its buckets.
  std::string region = "us-east-1";
  Style style = Style::kAuto;
  std::string bucket;  // Its name there; empty: the one that clients use.
  CredentialsFrom credentials_from = CredentialsFrom::kPolicy;
  // For kHmac and kBearer.
  SharedConst<Credentials> shared_credentials;
  bool trailers = true;   // It takes STREAMING-UNSIGNED-PAYLOAD-TRAILER.
  std::string prefix;     // Before the keys that clients use: s3/key_prefix.h. Empty: none.
  std::string redirects;  // The domain in which it may send on: redirect.h. Empty: none.
  AnonymousOperations anonymous = {};  // What needs no signature of clients.
  std::vector<edge::CorsPolicy> cors;  // Rules of its buckets, which this gateway answers by.
};

// Signing keys are kept by the version of their secret: that of another backend, or of another
// configuration, does not sign for this one. Throws std::bad_alloc.
void give_secret_version(Backend& backend);

[[nodiscard]] std::size_t held_bytes(const Backend& backend) noexcept;

}  // namespace tercel::gateway
