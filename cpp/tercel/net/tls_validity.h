// What is loaded and does not hold now: certificates that expired or are not valid yet, and
// revocation lists that are out of date or of nobody whom the server trusts.
//
// Warnings, not errors: the operator may know, and a server that does not start helps nobody. They
// come from the context, not from the files, which may be pipes. Internal to tercel/net. Throws
// std::bad_alloc. Source: RFC 5280 sections 4.1.2.5 (validity) and 5.1.2 (lists). Tested by
// tests/python/test_tls_validity.py.
#pragma once

#include <string>
#include <vector>

#include "tercel/net/openssl.h"
#include "tercel/net/tls_context.h"

namespace tercel::net {

// Appends a sentence for each fault of the certificates that `context` shows, which are in `file`.
void warn_of_certificates(ssl_ctx_st& context, const std::string& file,
                          std::vector<std::string>& warnings);

// The same for what clients are judged by: the authorities and the revocation lists of `options`.
void warn_of_authorities(const ssl_ctx_st& context, const TlsOptions& options,
                         std::vector<std::string>& warnings);

}  // namespace tercel::net
