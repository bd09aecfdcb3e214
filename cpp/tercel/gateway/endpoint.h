// A place at which an object storage is reached.
//
// A value; copies share what is learnt of it. Thread: any, once it is complete.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

#include "tercel/gateway/endpoint_health.h"
#include "tercel/net/tls_client.h"
#include "tercel/proxy/pool.h"

namespace tercel::gateway {

// How an endpoint is looked at when nobody asks for anything.
enum class Check : std::uint8_t {
  kOff,
  kConnect,  // A connection, with TLS where it has that.
  kHead      // An unsigned HEAD of "/", to which every answer is good that is not is_transient().
};

// Of a loop to an endpoint: an upload takes one as long as its client sends, which may be slow.
inline constexpr std::size_t kEndpointConnectionsMax = 1024;

struct Endpoint {
  bool secure = true;
  std::string host;  // A name or an address, without brackets.
  std::uint16_t port = 443;
  std::optional<net::TlsClientContext> tls;  // Of a secure one.
  proxy::PoolLimits limits{.connections_max = kEndpointConnectionsMax};
  // Endpoints of one key share their connections: place, TLS and limits are in it.
  std::string pool_key;
  bool sent_on = false;  // A backend said that it is here, not the operator.
  // Those of one key share their health: place and TLS.
  std::string health_key;
  SharedHealth health;
  Check check = Check::kOff;
  std::chrono::milliseconds check_interval{10'000};
};

// Host and port as the Host field has them: without a port that the scheme implies. Throws
// std::bad_alloc.
void append_authority(const Endpoint& endpoint, std::string& to);

}  // namespace tercel::gateway
