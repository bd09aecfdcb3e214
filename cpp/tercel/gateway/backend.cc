#include "tercel/gateway/backend.h"

#include <utility>
#include <variant>

namespace tercel::gateway {

void give_secret_version(Backend& backend) {
  if (!backend.shared_credentials) return;
  Credentials credentials = *backend.shared_credentials;
  auto* const hmac = std::get_if<Hmac>(&credentials.value);
  if (hmac == nullptr) return;
  hmac->version = next_secret_version();
  backend.shared_credentials = SharedConst<Credentials>{std::move(credentials)};
}

std::size_t held_bytes(const Backend& backend) noexcept {
  std::size_t bytes = sizeof backend + backend.rule.size() + backend.region.size() +
                      backend.bucket.size() + backend.prefix.size() + backend.redirects.size();
  for (std::size_t i = 0; i < backend.endpoints(); ++i) {
    const Endpoint& endpoint = backend.endpoint(i);
    bytes += sizeof endpoint + endpoint.host.size() + endpoint.pool_key.size() +
             endpoint.health_key.size();
  }
  if (backend.shared_credentials) bytes += held_bytes(*backend.shared_credentials);
  return bytes;
}

}  // namespace tercel::gateway
