// What the handshake of a TLS connection agreed on, for whoever handles its requests.
//
// Source: RFC 8446; the texts are those of ASGI's TLS extension.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "tercel/base/shared_const.h"

namespace tercel {

struct TlsInfo {
  std::uint16_t version = 0;                    // As on the wire: 0x0303 is TLS 1.2, 0x0304 is 1.3.
  std::uint16_t cipher_suite = 0;               // IANA's number.
  std::string protocol;                         // By ALPN: "h2", "http/1.1", or empty.
  std::string server_name;                      // By SNI, or empty.
  SharedConst<std::string> server_certificate;  // PEM.
  // Of a client that sent one: its certificate first, then those that its chain was built of, PEM.
  std::vector<std::string> client_chain;
  std::string client_name;  // Its subject, as RFC 4514 has it.
};

// Empty on a plain connection.
using TlsInfoRef = SharedConst<TlsInfo>;

}  // namespace tercel
