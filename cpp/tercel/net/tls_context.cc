#include "tercel/net/tls_context.h"

#include <cstring>
#include <ctime>
#include <new>
#include <string_view>
#include <utility>

#include "tercel/net/openssl.h"
#include "tercel/net/tls_files.h"
#include "tercel/net/tls_handle.h"
#include "tercel/net/tls_identity.h"
#include "tercel/net/tls_stream.h"
#include "tercel/net/tls_texts.h"
#include "tercel/net/tls_validity.h"

namespace tercel::net {
namespace {

// TLS 1.2 with forward secrecy and authenticated encryption, and nothing else. Source: RFC 9325
// section 4.2.
constexpr const char* kModernCiphers =
    "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384:"
    "ECDHE-RSA-AES256-GCM-SHA384:ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305";
// Of TLS 1.2 without tickets: a session that is taken up costs a quarter of a handshake, and a
// kilobyte until then.
constexpr long kSessionsMax = 1024;

// --- callbacks: whatever they are given is of this process

// Source: RFC 7301 section 3.2: a client that speaks nothing of ours is told so.
int select_protocol(ssl_st* ssl, const unsigned char** chosen, unsigned char* chosen_bytes,
                    const unsigned char* offered, unsigned int offered_bytes, void*) noexcept {
  const std::string& ours = identity_of(openssl().SSL_get_SSL_CTX(ssl)).protocols;
  const std::string_view theirs{reinterpret_cast<const char*>(offered), offered_bytes};
  for (std::size_t mine = 0; mine < ours.size();
       mine += 1 + static_cast<unsigned char>(ours[mine])) {
    const std::string_view name =
        std::string_view{ours}.substr(mine, 1 + static_cast<unsigned char>(ours[mine]));
    for (std::size_t at = 0; at < theirs.size();) {
      const std::string_view other = theirs.substr(at, 1 + static_cast<unsigned char>(theirs[at]));
      at += other.size();
      if (other != name) continue;
      *chosen = reinterpret_cast<const unsigned char*>(other.data()) + 1;
      *chosen_bytes = static_cast<unsigned char>(other.size() - 1);
      return SSL_TLSEXT_ERR_OK;
    }
  }
  return SSL_TLSEXT_ERR_ALERT_FATAL;
}

int choose_certificate(ssl_st* ssl, int* /*alert*/, void*) noexcept {
  const OpenSsl& api = openssl();
  const char* name = api.SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);
  if (name == nullptr) return SSL_TLSEXT_ERR_NOACK;
  ssl_ctx_st* const first = api.SSL_get_SSL_CTX(ssl);
  const auto valid = [&](ssl_ctx_st* context) {
    x509_st* const certificate = api.SSL_CTX_get0_certificate(context);
    return certificate != nullptr &&
           api.X509_check_host(certificate, name, std::strlen(name), 0, nullptr) == 1;
  };
  if (valid(first)) return SSL_TLSEXT_ERR_OK;
  for (ssl_ctx_st* other : identity_of(first).others) {
    if (!valid(other)) continue;
    api.SSL_set_SSL_CTX(ssl, other);
    return SSL_TLSEXT_ERR_OK;
  }
  return SSL_TLSEXT_ERR_NOACK;
}

int prepare_ticket(ssl_st* ssl, unsigned char* key_name, unsigned char* iv,
                   evp_cipher_ctx_st* cipher, evp_mac_ctx_st* mac, int encrypt) noexcept {
  TlsIdentity& identity = identity_of(openssl().SSL_get_SSL_CTX(ssl));
  return identity.tickets.prepare(key_name, iv, cipher, mac, encrypt != 0, std::time(nullptr));
}

void note_handshake(const ssl_st* ssl, int where, int) noexcept {
  if ((where & SSL_CB_LOOP) == 0) return;
  auto* stream = static_cast<TlsStream*>(openssl().SSL_get_ex_data(ssl, 0));
  if (stream != nullptr) stream->on_handshake_step();
}

// --- one context, from its parts

class Builder {
 public:
  Builder(const TlsOptions& options, std::string& problem) noexcept
      : options_{options}, problem_{problem} {}

  // Empty, with a problem.
  [[nodiscard]] TlsHandle build(const TlsCertificate& files) {
    TlsHandle context{api_.SSL_CTX_new(api_.TLS_server_method())};
    if (!context) {
      problem_ = "OpenSSL cannot make a context: " + openssl_reason() + ".";
      return {};
    }
    context_ = context.get();
    TlsFiles from{context_, problem_};
    set_basics();
    const bool built = set_algorithms() && from.load_certificate(files) && from.load_key(files) &&
                       demand_certificates(from) && identify();
    return built ? std::move(context) : TlsHandle{};
  }

 private:
  bool is_refused(std::string problem) {
    problem_ = std::move(problem);
    return false;
  }

  void set_basics() {
    std::uint64_t wishes = SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_PRIORITIZE_CHACHA;
    if (options_.kernel_tls) wishes |= SSL_OP_ENABLE_KTLS;
    if (options_.ticket_secret == TlsTicketSecret{}) wishes |= SSL_OP_NO_TICKET;
    set_up(context_, wishes);
    control(SSL_CTRL_SET_SESS_CACHE_SIZE, kSessionsMax);
    // One ticket will do: a client that opens several connections at once pays for the others.
    api_.SSL_CTX_set_num_tickets(context_, 1);
    constexpr std::string_view kWho = "tercel";
    api_.SSL_CTX_set_session_id_context(
        context_, reinterpret_cast<const unsigned char*>(kWho.data()), kWho.size());
    api_.SSL_CTX_set_info_callback(context_, &note_handshake);
    api_.SSL_CTX_set_tlsext_ticket_key_evp_cb(context_, &prepare_ticket);
    api_.SSL_CTX_set_alpn_select_cb(context_, &select_protocol, nullptr);
    api_.SSL_CTX_callback_ctrl(context_, SSL_CTRL_SET_TLSEXT_SERVERNAME_CB,
                               reinterpret_cast<void (*)()>(&choose_certificate));
  }

  bool set_algorithms() {
    const std::string& ciphers = options_.ciphers;
    if (control(SSL_CTRL_SET_MIN_PROTO_VERSION, options_.version_min) != 1) {
      return is_refused("OpenSSL here does not offer the TLS version that is asked for.");
    }
    if (api_.SSL_CTX_set_cipher_list(context_,
                                     ciphers.empty() ? kModernCiphers : ciphers.c_str()) != 1) {
      return is_refused("no cipher of " + in_quotes(ciphers) + " is known to OpenSSL.");
    }
    if (!options_.cipher_suites.empty() &&
        api_.SSL_CTX_set_ciphersuites(context_, options_.cipher_suites.c_str()) != 1) {
      return is_refused("the TLS 1.3 cipher suites " + in_quotes(options_.cipher_suites) +
                        " are not all known to OpenSSL.");
    }
    if (!options_.groups.empty() &&
        api_.SSL_CTX_ctrl(context_, SSL_CTRL_SET_GROUPS_LIST, 0,
                          const_cast<char*>(options_.groups.c_str())) != 1) {
      return is_refused("the groups " + in_quotes(options_.groups) +
                        " are not all known to OpenSSL.");
    }
    return true;
  }

  bool demand_certificates(TlsFiles& from) {
    if (options_.client_certificates == ClientCertificates::kNone) return true;
    if (!from.load_authorities(options_.client_ca)) return false;
    const bool required = options_.client_certificates == ClientCertificates::kRequired;
    api_.SSL_CTX_set_verify(
        context_, SSL_VERIFY_PEER | (required ? SSL_VERIFY_FAIL_IF_NO_PEER_CERT : 0), nullptr);
    return options_.client_crl.empty() || from.load_revocations(options_.client_crl);
  }

  bool identify() {
    auto identity = std::make_unique<TlsIdentity>(options_.ticket_secret);
    identity->certificate = SharedConst{pem_of(*api_.SSL_CTX_get0_certificate(context_))};
    for (const std::string& name : options_.protocols) {
      identity->protocols += static_cast<char>(name.size());
      identity->protocols += name;
    }
    if (!attach(context_, identity.get())) return is_refused("there is no memory for a context.");
    static_cast<void>(identity.release());
    return true;
  }

  long control(int command, long value) noexcept {
    return api_.SSL_CTX_ctrl(context_, command, value, nullptr);
  }

  const OpenSsl& api_ = openssl();
  const TlsOptions& options_;
  std::string& problem_;
  ssl_ctx_st* context_ = nullptr;
};

}  // namespace

std::optional<TlsContext> TlsContext::create(const TlsOptions& options, std::string& problem) {
  if (find_openssl() == nullptr) {
    problem = "TLS needs the library OpenSSL 3 (libssl.so.3), which cannot be loaded.";
    return std::nullopt;
  }
  if (options.certificates.empty()) {
    problem = "TLS needs a certificate.";
    return std::nullopt;
  }
  Builder builder{options, problem};
  TlsHandle first = builder.build(options.certificates.front());
  if (!first) return std::nullopt;
  for (std::size_t i = 1; i < options.certificates.size(); ++i) {
    TlsHandle other = builder.build(options.certificates[i]);
    if (!other) return std::nullopt;
    identity_of(first.get()).others.push_back(other.get());
    static_cast<void>(other.release());
  }
  return TlsContext{std::move(first)};
}

std::vector<std::string> TlsContext::warnings(const TlsOptions& options) const {
  std::vector<std::string> all;
  warn_of_certificates(*context_.get(), options.certificates.front().certificate, all);
  const std::vector<ssl_ctx_st*>& others = identity_of(context_.get()).others;
  for (std::size_t i = 0; i < others.size(); ++i) {
    warn_of_certificates(*others[i], options.certificates[i + 1].certificate, all);
  }
  warn_of_authorities(*context_.get(), options, all);  // Each context has the same.
  return all;
}

TlsTicketSecret TlsContext::new_ticket_secret() noexcept {
  TlsTicketSecret secret{};
  const OpenSsl* api = find_openssl();
  if (api != nullptr && api->RAND_bytes(secret.data(), static_cast<int>(secret.size())) != 1) {
    secret.fill(0);
  }
  return secret;
}

std::unique_ptr<Stream> TlsContext::accept(Syscalls& syscalls, int fd) const noexcept {
  const OpenSsl& api = openssl();
  ssl_st* const ssl = api.SSL_new(context_.get());
  if (ssl == nullptr || api.SSL_set_fd(ssl, fd) != 1) {
    api.ERR_clear_error();
    api.SSL_free(ssl);
    return nullptr;
  }
  std::unique_ptr<TlsStream> stream{new (std::nothrow) TlsStream(ssl, syscalls, fd)};
  if (stream == nullptr) {
    api.SSL_free(ssl);
    return nullptr;
  }
  api.SSL_set_ex_data(ssl, 0, stream.get());
  api.SSL_set_accept_state(ssl);
  return stream;
}

}  // namespace tercel::net
