// What a server is told when it is made: limits and times, each with its unit and its answer.
//
// A value. Tested by what each limit does: server_test.cc, connection_test.cc, run_test.cc.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "tercel/edge/proxy_headers.h"
#include "tercel/http/h2_options.h"
#include "tercel/http/limits.h"
#include "tercel/http/pace.h"
#include "tercel/net/tls_context.h"

namespace tercel::server {

using Pace = http::Pace;

// Which versions of HTTP are spoken. In the order of config::HttpVersions.
enum class Protocols : std::uint8_t {
  kAuto,  // HTTP/2 with a client that begins with it, else HTTP/1.
  kHttp1,
  kHttp2
};

// What to offer for them by ALPN, the one we like most first: not HTTP/2, where kAuto finds no
// nghttp2 on this machine.
[[nodiscard]] std::vector<std::string> alpn_protocols(Protocols protocols);

// Zero means: no limit.
struct Timeouts {
  std::chrono::nanoseconds handshake{std::chrono::seconds{10}};  // of TLS: close
  Pace head{std::chrono::seconds{5}, 240};                       // 408
  Pace body{std::chrono::seconds{30}, 240};   // 408, while the handler waits for it
  Pace write{std::chrono::seconds{30}, 240};  // reset
  std::chrono::nanoseconds keep_alive{std::chrono::seconds{75}};  // close
  std::chrono::nanoseconds queue{std::chrono::seconds{30}};       // 503, for its turn to be served
  std::chrono::nanoseconds request{0};                            // 503, or reset when started
  // `Connection: close` on the response under way or the next; close when idle. Up to a tenth less,
  // for each connection another part of it.
  std::chrono::nanoseconds connection_age{0};
  // From the peer's FIN until a handler that waits is told (Notice::kInputClosed): a peer that only
  // ended its direction gets this long for its answer before it counts as gone.
  std::chrono::nanoseconds half_close{std::chrono::seconds{1}};
  std::chrono::nanoseconds linger{std::chrono::seconds{2}};      // after our FIN, for the peer's
  std::chrono::nanoseconds drain_idle{std::chrono::seconds{1}};  // idle connections at shutdown
};

struct Options {
  http::Limits limits;
  http::H2Options h2;
  Protocols protocols = Protocols::kAuto;
  Timeouts timeouts;
  std::size_t connections_max = 0;             // 0: no limit. Above it nothing is accepted.
  std::size_t connections_per_client_max = 0;  // 0: no limit. Above it accepted and closed, unread.
  std::size_t requests_max = 0;         // Concurrent requests; 0: no limit. Above it they queue up.
  std::size_t queued_max = 0;           // Requests in that queue. Above it 503.
  std::string server_field = "tercel";  // Empty: no Server field.
  std::string fixed_fields;             // More fields for every response: "name: value\r\n" each.
  bool date_field = true;
  std::optional<net::TlsContext> tls;       // Absent: connections are plain.
  std::optional<edge::ProxyRules> proxies;  // Absent: what a proxy says of the client is ignored.
};

}  // namespace tercel::server
