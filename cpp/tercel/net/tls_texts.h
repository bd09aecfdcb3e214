// Certificates as people and applications read them.
//
// Internal to tercel/net. Throws std::bad_alloc. Source: RFC 7468 (PEM), RFC 4514 (names).
#pragma once

#include <string>

#include "tercel/base/tls_info.h"
#include "tercel/net/openssl.h"

namespace tercel::net {

[[nodiscard]] std::string pem_of(x509_st& certificate);

// As RFC 4514 has it: "CN=a.test,O=A".
[[nodiscard]] std::string name_text(const X509_name_st& name);

// REQUIRES: the handshake is over.
[[nodiscard]] TlsInfo tls_info_of(ssl_st& ssl);

}  // namespace tercel::net
