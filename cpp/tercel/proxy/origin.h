// A server that requests are forwarded to: where it is, and how it is spoken to.
//
// A value. Thread: any.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "tercel/net/tls_client.h"

namespace tercel::proxy {

struct Origin {
  std::string host;  // A name, or an address without brackets. Also whom its certificate is for.
  std::uint16_t port = 80;
  std::string unix_path = {};  // Not empty: a Unix socket, in place of host and port.
  std::optional<net::TlsClientContext> tls = std::nullopt;  // Nothing: the connection is plain.
};

}  // namespace tercel::proxy
