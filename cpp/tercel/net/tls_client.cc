#include "tercel/net/tls_client.h"

#include <algorithm>
#include <new>
#include <utility>

#include "tercel/base/address.h"
#include "tercel/net/openssl.h"
#include "tercel/net/pem_fault.h"
#include "tercel/net/pem_file.h"
#include "tercel/net/tls_stream.h"

namespace tercel::net {
namespace {

int keep_session(ssl_st* ssl, ssl_session_st* session) noexcept {
  auto* const sessions = static_cast<TlsSessions*>(openssl().SSL_get_ex_data(ssl, 0));
  if (sessions == nullptr) return 0;
  sessions->put(session);
  return 1;
}

// Why a file was refused, as the rest of a sentence.
std::string file_fault(const std::string& path, PemKind wanted) {
  const unsigned long error = openssl().ERR_peek_last_error();
  const bool other_key =
      ERR_GET_LIB(error) == ERR_LIB_X509 && (ERR_GET_REASON(error) == X509_R_KEY_VALUES_MISMATCH ||
                                             ERR_GET_REASON(error) == X509_R_KEY_TYPE_MISMATCH);
  openssl().ERR_clear_error();
  PemFile file{path};
  const std::string content = file.content();
  if (file.error() != 0) return file.reason() + ".";
  if (other_key) return "it is that of another certificate.";
  if (wanted == PemKind::kPrivateKey && holds_encrypted_key(content)) {
    return "it is encrypted, so give a copy without a password.";
  }
  return pem_fault(content, wanted) + ".";
}

// Empty: it is done.
std::string prepare(ssl_ctx_st* context, const TlsClientOptions& options) {
  const OpenSsl& api = openssl();
  const auto control = [&](int command, long value) {
    return api.SSL_CTX_ctrl(context, command, value, nullptr);
  };
  set_up(context, 0);
  control(SSL_CTRL_SET_SESS_CACHE_MODE,
          SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL | SSL_SESS_CACHE_NO_AUTO_CLEAR);
  api.SSL_CTX_sess_set_new_cb(context, &keep_session);
  // Source: RFC 7301 section 3.1. Zero is success here. A server that has HTTP/2 too is told.
  static constexpr std::array<unsigned char, 9> kHttp1{8, 'h', 't', 't', 'p', '/', '1', '.', '1'};
  if (api.SSL_CTX_set_alpn_protos(context, kHttp1.data(), kHttp1.size()) != 0) {
    return "OpenSSL cannot make a context: " + openssl_reason() + ".";
  }
  if (control(SSL_CTRL_SET_MIN_PROTO_VERSION, options.version_min) != 1) {
    return "OpenSSL here does not offer the TLS version that is asked for.";
  }
  if (options.verify) {
    api.SSL_CTX_set_verify(context, SSL_VERIFY_PEER, nullptr);
    if (options.ca.empty()) {
      api.SSL_CTX_set_default_verify_paths(context);
    } else if (api.SSL_CTX_load_verify_file(context, options.ca.c_str()) != 1) {
      return "no certificate can be read from " + in_quotes(options.ca) + ": " +
             file_fault(options.ca, PemKind::kCertificate);
    }
  }
  if (options.certificate.empty()) return {};
  const std::string& key = options.key.empty() ? options.certificate : options.key;
  if (api.SSL_CTX_use_certificate_chain_file(context, options.certificate.c_str()) != 1) {
    return "no certificate can be read from " + in_quotes(options.certificate) + ": " +
           file_fault(options.certificate, PemKind::kCertificate);
  }
  if (api.SSL_CTX_use_PrivateKey_file(context, key.c_str(), SSL_FILETYPE_PEM) != 1) {
    return "no key of that certificate can be read from " + in_quotes(key) + ": " +
           file_fault(key, PemKind::kPrivateKey);
  }
  return {};
}

}  // namespace

TlsSessions::~TlsSessions() {
  while (ssl_session_st* const session = take()) openssl().SSL_SESSION_free(session);
}

void TlsSessions::put(ssl_session_st* session) noexcept {
  if (count_ == kKept) {
    openssl().SSL_SESSION_free(kept_.front());
    std::rotate(kept_.begin(), kept_.begin() + 1, kept_.end());
    --count_;
  }
  kept_[count_++] = session;
}

ssl_session_st* TlsSessions::take() noexcept {
  return count_ > 0 ? std::exchange(kept_[--count_], nullptr) : nullptr;
}

std::optional<TlsClientContext> TlsClientContext::create(const TlsClientOptions& options,
                                                         std::string& problem) {
  if (find_openssl() == nullptr) {
    problem = "TLS needs the library OpenSSL 3 (libssl.so.3), which cannot be loaded.";
    return std::nullopt;
  }
  TlsHandle context{openssl().SSL_CTX_new(openssl().TLS_client_method())};
  problem = context ? prepare(context.get(), options)
                    : "OpenSSL cannot make a context: " + openssl_reason() + ".";
  if (!problem.empty()) return std::nullopt;
  return TlsClientContext{std::move(context), options.verify};
}

std::unique_ptr<Stream> TlsClientContext::connect(Syscalls& syscalls, int fd,
                                                  const std::string& host,
                                                  TlsSessions& sessions) const noexcept {
  const OpenSsl& api = openssl();
  const bool is_address = parse_ip(host, 0).has_value();
  ssl_st* const ssl = api.SSL_new(context_.get());
  bool ready =
      ssl != nullptr && api.SSL_set_fd(ssl, fd) == 1 && api.SSL_set_ex_data(ssl, 0, &sessions) == 1;
  // Source: RFC 6066 section 3: an address is no name to indicate.
  if (ready && !is_address) {
    ready = api.SSL_ctrl(ssl, SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name,
                         const_cast<char*>(host.c_str())) == 1;
  }
  if (ready && verify_) {
    ready = is_address
                ? api.X509_VERIFY_PARAM_set1_ip_asc(api.SSL_get0_param(ssl), host.c_str()) == 1
                : api.SSL_set1_host(ssl, host.c_str()) == 1;
  }
  std::unique_ptr<TlsStream> stream;
  if (ready) {
    stream.reset(new (std::nothrow) TlsStream(ssl, syscalls, fd, TlsStream::Side::kClient));
  }
  if (stream == nullptr) {
    api.ERR_clear_error();
    api.SSL_free(ssl);
    return nullptr;
  }
  if (ssl_session_st* const session = sessions.take()) {
    api.SSL_set_session(ssl, session);  // One that is no good is not taken up.
    // Servers give one of TLS 1.2 once, for many connections.
    if (api.SSL_SESSION_get_protocol_version(session) < TLS1_3_VERSION) {
      sessions.put(session);
    } else {
      api.SSL_SESSION_free(session);
    }
  }
  api.SSL_set_connect_state(ssl);
  return stream;
}

}  // namespace tercel::net
