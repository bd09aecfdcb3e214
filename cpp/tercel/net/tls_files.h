// Reads the files of a server's TLS into a context: certificates, keys, and of those who sign the
// certificates of clients.
//
//   TlsFiles files{context, problem};
//   if (!files.load_certificate(certificate) || !files.load_key(certificate)) return problem;
//
// Each function returns false with one sentence in `problem`, which names the file and what to
// change. Internal to tercel/net. Throws std::bad_alloc. Tested by tests/python/test_tls.py.
#pragma once

#include <string>
#include <string_view>

#include "tercel/net/openssl.h"
#include "tercel/net/pem_fault.h"
#include "tercel/net/pem_file.h"
#include "tercel/net/tls_context.h"

namespace tercel::net {

class TlsFiles {
 public:
  // Both outlive it.
  TlsFiles(ssl_ctx_st* context, std::string& problem) noexcept
      : context_{context}, problem_{problem} {}

  [[nodiscard]] bool load_certificate(const TlsCertificate& files);
  // REQUIRES: load_certificate() of the same ones.
  [[nodiscard]] bool load_key(const TlsCertificate& files);
  // Those who sign certificates of clients, who are told their names.
  [[nodiscard]] bool load_authorities(const std::string& path);
  [[nodiscard]] bool load_revocations(const std::string& path);

 private:
  [[nodiscard]] bool refuse(std::string problem);
  // `what` it is, before "file".
  [[nodiscard]] bool is_open(const PemFile& file, const std::string& path, std::string_view what);
  // `who`: "the key file ...".
  [[nodiscard]] bool holds_none(PemFile& file, const std::string& who, PemKind wanted);

  const OpenSsl& api_ = openssl();
  ssl_ctx_st* const context_;
  std::string& problem_;
};

}  // namespace tercel::net
