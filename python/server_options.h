// From the settings that people write to the options that the server takes.
#pragma once

#include <vector>

#include "tercel/config/settings.h"
#include "tercel/edge/cors_policy.h"
#include "tercel/edge/file_handler.h"
#include "tercel/edge/rate_table.h"
#include "tercel/edge/websocket.h"
#include "tercel/net/tls_context.h"
#include "tercel/server/options.h"

namespace tercel::python {

[[nodiscard]] server::Options to_options(const config::Settings& settings);

[[nodiscard]] edge::WebSocketOptions to_websocket(const config::Settings& settings) noexcept;

// Throws ValueError, whose text says what to change, for a folder that is not there.
[[nodiscard]] std::vector<edge::FileMount> to_mounts(const config::Settings& settings);
[[nodiscard]] edge::RateLimitOptions to_rate_limit(const config::Settings& settings) noexcept;

// REQUIRES: cors_origin is not empty.
[[nodiscard]] edge::CorsOptions to_cors(const config::Settings& settings);

// What the settings say of TLS. REQUIRES: ssl_certfile is not empty.
[[nodiscard]] net::TlsOptions to_tls_options(const config::Settings& settings,
                                             const net::TlsTicketSecret& secret);

}  // namespace tercel::python
