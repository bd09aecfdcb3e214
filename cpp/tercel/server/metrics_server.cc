#include "tercel/server/metrics_server.h"

#include <chrono>
#include <cstddef>
#include <cstdint>

namespace tercel::server {

Options MetricsServer::options() {
  // Whoever holds connections here holds few.
  constexpr std::size_t kConnectionsMax = 64;
  constexpr std::uint64_t kBodyBytesMax = 1024;
  // Scrapers keep connections for minutes, and one that was just made has a request on its way.
  constexpr std::chrono::milliseconds kDrainIdle{100};
  Options options;
  options.protocols = Protocols::kHttp1;
  options.connections_max = kConnectionsMax;
  options.limits.body_bytes_max = kBodyBytesMax;
  options.timeouts.drain_idle = kDrainIdle;
  return options;
}

}  // namespace tercel::server
