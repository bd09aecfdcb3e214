#include "tercel/server/metrics_server.h"

#include <cstddef>
#include <cstdint>

namespace tercel::server {

Options MetricsServer::options() {
  // Whoever holds connections here holds few.
  constexpr std::size_t kConnectionsMax = 64;
  constexpr std::uint64_t kBodyBytesMax = 1024;
  Options options;
  options.protocols = Protocols::kHttp1;
  options.connections_max = kConnectionsMax;
  options.limits.body_bytes_max = kBodyBytesMax;
  return options;
}

}  // namespace tercel::server
