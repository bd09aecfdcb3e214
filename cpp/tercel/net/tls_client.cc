#include "tercel/net/tls_client.h"

#include <algorithm>
#include <cerrno>
#include <fstream>
#include <new>
#include <system_error>
#include <utility>

#include "tercel/base/address.h"
#include "tercel/net/openssl.h"
#include "tercel/net/pem_fault.h"
#include "tercel/net/tls_stream.h"

namespace tercel::net {
namespace {

std::string reason() {
  const unsigned long error = openssl().ERR_peek_last_error();
  const char* text = error != 0 ? openssl().ERR_reason_error_string(error) : nullptr;
  openssl().ERR_clear_error();
  return text != nullptr ? text : "OpenSSL does not say why";
}

int keep_session(ssl_st* ssl, ssl_session_st* session) noexcept {
  auto* const sessions = static_cast<TlsSessions*>(openssl().SSL_get_ex_data(ssl, 0));
  if (sessions == nullptr) return 0;
  sessions->put(session);
  return 1;
}

// Without this OpenSSL would ask on the terminal.
int no_password(char*, int, int, void*) noexcept {
  return -1;
}

struct FreeContext {
  void operator()(ssl_ctx_st* context) const noexcept { openssl().SSL_CTX_free(context); }
};
using ContextPtr = std::unique_ptr<ssl_ctx_st, FreeContext>;

// What a file has, as far as that is worth a look; empty, and errno set: it cannot be read.
std::string content_of(const std::string& path) {
  constexpr std::size_t kBytesMax = 1 << 20;
  errno = 0;
  std::ifstream file{path, std::ios::binary};
  std::string content;
  std::array<char, 4096> part;
  while (content.size() < kBytesMax && file.read(part.data(), part.size()).gcount() > 0) {
    content.append(part.data(), static_cast<std::size_t>(file.gcount()));
  }
  if (!content.empty()) errno = 0;
  return content;
}

// Why a file was refused, as the rest of a sentence.
std::string file_fault(const std::string& path, PemKind wanted) {
  const unsigned long error = openssl().ERR_peek_last_error();
  const bool other_key =
      ERR_GET_LIB(error) == ERR_LIB_X509 && (ERR_GET_REASON(error) == X509_R_KEY_VALUES_MISMATCH ||
                                             ERR_GET_REASON(error) == X509_R_KEY_TYPE_MISMATCH);
  openssl().ERR_clear_error();
  const std::string content = content_of(path);
  if (errno != 0) return std::generic_category().message(errno) + ".";
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
  api.SSL_CTX_set_options(context, SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION);
  control(SSL_CTRL_MODE, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                             SSL_MODE_RELEASE_BUFFERS);
  control(SSL_CTRL_SET_READ_AHEAD, 1);  // Else each record takes two calls of the system.
  control(SSL_CTRL_SET_SESS_CACHE_MODE,
          SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL | SSL_SESS_CACHE_NO_AUTO_CLEAR);
  api.SSL_CTX_sess_set_new_cb(context, &keep_session);
  api.SSL_CTX_set_default_passwd_cb(context, &no_password);
  // Source: RFC 7301 section 3.1. Zero is success here. A server that has HTTP/2 too is told.
  static constexpr std::array<unsigned char, 9> kHttp1{8, 'h', 't', 't', 'p', '/', '1', '.', '1'};
  if (api.SSL_CTX_set_alpn_protos(context, kHttp1.data(), kHttp1.size()) != 0) {
    return "OpenSSL cannot make a context: " + reason() + ".";
  }
  if (control(SSL_CTRL_SET_MIN_PROTO_VERSION, options.version_min) != 1) {
    return "OpenSSL here does not offer the TLS version that is asked for.";
  }
  if (options.verify) {
    api.SSL_CTX_set_verify(context, SSL_VERIFY_PEER, nullptr);
    if (options.ca.empty()) {
      api.SSL_CTX_set_default_verify_paths(context);
    } else if (api.SSL_CTX_load_verify_file(context, options.ca.c_str()) != 1) {
      return "no certificate can be read from \"" + options.ca +
             "\": " + file_fault(options.ca, PemKind::kCertificate);
    }
  }
  if (options.certificate.empty()) return {};
  const std::string& key = options.key.empty() ? options.certificate : options.key;
  if (api.SSL_CTX_use_certificate_chain_file(context, options.certificate.c_str()) != 1) {
    return "no certificate can be read from \"" + options.certificate +
           "\": " + file_fault(options.certificate, PemKind::kCertificate);
  }
  if (api.SSL_CTX_use_PrivateKey_file(context, key.c_str(), SSL_FILETYPE_PEM) != 1) {
    return "no key of that certificate can be read from \"" + key +
           "\": " + file_fault(key, PemKind::kPrivateKey);
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
  ContextPtr context{openssl().SSL_CTX_new(openssl().TLS_client_method())};
  problem = context != nullptr ? prepare(context.get(), options)
                               : "OpenSSL cannot make a context: " + reason() + ".";
  if (!problem.empty()) return std::nullopt;
  return TlsClientContext{context.release(), options.verify};
}

TlsClientContext::TlsClientContext(const TlsClientContext& other) noexcept
    : context_{other.context_}, verify_{other.verify_} {
  if (context_ != nullptr) openssl().SSL_CTX_up_ref(context_);
}

TlsClientContext::TlsClientContext(TlsClientContext&& other) noexcept
    : context_{std::exchange(other.context_, nullptr)}, verify_{other.verify_} {}

TlsClientContext& TlsClientContext::operator=(TlsClientContext other) noexcept {
  std::swap(context_, other.context_);
  std::swap(verify_, other.verify_);
  return *this;
}

TlsClientContext::~TlsClientContext() {
  if (context_ != nullptr) openssl().SSL_CTX_free(context_);
}

std::unique_ptr<Stream> TlsClientContext::connect(Syscalls& syscalls, int fd,
                                                  const std::string& host,
                                                  TlsSessions& sessions) const noexcept {
  const OpenSsl& api = openssl();
  const bool is_address = parse_ip(host, 0).has_value();
  ssl_st* const ssl = api.SSL_new(context_);
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
