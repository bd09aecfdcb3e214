#include "tercel/net/tls_context.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <ctime>
#include <new>
#include <string_view>
#include <system_error>
#include <utility>

#include "tercel/net/openssl.h"
#include "tercel/net/pem_fault.h"
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
// Of a file that is not good, as much as is looked at to say why.
constexpr std::size_t kContentBytesMax = std::size_t{1} << 20;

struct FreeContext {
  void operator()(ssl_ctx_st* context) const noexcept { openssl().SSL_CTX_free(context); }
};
using ContextPtr = std::unique_ptr<ssl_ctx_st, FreeContext>;

struct FreeBio {
  void operator()(bio_st* bio) const noexcept { openssl().BIO_free(bio); }
};
using BioPtr = std::unique_ptr<bio_st, FreeBio>;

// Not "quoted": for a std::string that would be std::quoted where a header brings it.
std::string in_quotes(std::string_view text) {
  return '"' + std::string{text} + '"';
}

// What OpenSSL says of its last failure.
std::string reason() {
  const unsigned long error = openssl().ERR_peek_last_error();
  const char* text = error != 0 ? openssl().ERR_reason_error_string(error) : nullptr;
  openssl().ERR_clear_error();
  return text != nullptr ? text : "OpenSSL does not say why";
}

// std::strerror() is for one thread at a time.
std::string message_of(int error) {
  return std::generic_category().message(error);
}

// --- callbacks: whatever they are given is of this process

int password_of(char* into, int space, int /*writing*/, void* password) noexcept {
  const auto& text = *static_cast<const std::string*>(password);
  if (text.size() > static_cast<std::size_t>(space)) return -1;
  std::ranges::copy(text, into);
  return static_cast<int>(text.size());
}

// Without this OpenSSL would ask on the terminal.
int no_password(char*, int, int, void*) noexcept {
  return -1;
}

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

  // Null with a problem.
  [[nodiscard]] ContextPtr build(const TlsCertificate& files) {
    ContextPtr context{api_.SSL_CTX_new(api_.TLS_server_method())};
    if (context == nullptr) return refuse("OpenSSL cannot make a context: " + reason() + ".");
    context_ = context.get();
    const bool built = set_basics() && set_algorithms() && load_certificate(files) &&
                       load_key(files) && demand_certificates() && identify();
    return built ? std::move(context) : nullptr;
  }

 private:
  std::nullptr_t refuse(std::string problem) {
    problem_ = std::move(problem);
    return nullptr;
  }
  bool is_refused(std::string problem) {
    problem_ = std::move(problem);
    return false;
  }

  bool set_basics() {
    std::uint64_t wishes = SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION |
                           SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_PRIORITIZE_CHACHA;
    if (options_.kernel_tls) wishes |= SSL_OP_ENABLE_KTLS;
    if (options_.ticket_secret == TlsTicketSecret{}) wishes |= SSL_OP_NO_TICKET;
    api_.SSL_CTX_set_options(context_, wishes);
    control(SSL_CTRL_MODE, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                               SSL_MODE_RELEASE_BUFFERS);
    control(SSL_CTRL_SET_READ_AHEAD, 1);  // Else each record takes two calls of the system.
    control(SSL_CTRL_SET_SESS_CACHE_SIZE, kSessionsMax);
    // One ticket will do: a client that opens several connections at once pays for the others.
    api_.SSL_CTX_set_num_tickets(context_, 1);
    constexpr std::string_view kWho = "tercel";
    api_.SSL_CTX_set_session_id_context(
        context_, reinterpret_cast<const unsigned char*>(kWho.data()), kWho.size());
    api_.SSL_CTX_set_default_passwd_cb(context_, &no_password);
    api_.SSL_CTX_set_info_callback(context_, &note_handshake);
    api_.SSL_CTX_set_tlsext_ticket_key_evp_cb(context_, &prepare_ticket);
    api_.SSL_CTX_set_alpn_select_cb(context_, &select_protocol, nullptr);
    api_.SSL_CTX_callback_ctrl(context_, SSL_CTRL_SET_TLSEXT_SERVERNAME_CB,
                               reinterpret_cast<void (*)()>(&choose_certificate));
    return true;
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

  bool load_certificate(const TlsCertificate& files) {
    const BioPtr file = open(files.certificate, "certificate");
    if (file == nullptr) return false;
    if (api_.SSL_CTX_use_certificate_chain_file(context_, files.certificate.c_str()) == 1) {
      return true;
    }
    const std::string why = reason();
    if (why.ends_with("too small") || why.ends_with("too weak")) {
      return is_refused("the certificate file " + in_quotes(files.certificate) +
                        " holds a certificate that is too weak for OpenSSL here (" + why +
                        "): have one made with a longer key and SHA-256.");
    }
    return holds_none(*file, "the certificate file " + in_quotes(files.certificate),
                      PemKind::kCertificate);
  }

  bool load_key(const TlsCertificate& files) {
    const std::string& path = files.key.empty() ? files.certificate : files.key;
    const BioPtr file = open(path, "key");
    if (file == nullptr) return false;
    auto* password = const_cast<std::string*>(&files.password);
    evp_pkey_st* const key = api_.PEM_read_bio_PrivateKey(
        file.get(), nullptr, files.password.empty() ? &no_password : &password_of, password);
    if (key == nullptr) {
      if (!holds_encrypted_key(content_of(*file))) {
        const std::string_view who =
            files.key.empty() ? "no key file is given, and the certificate" : "the key";
        return holds_none(*file, std::string{who} + " file " + in_quotes(path),
                          PemKind::kPrivateKey);
      }
      api_.ERR_clear_error();
      return is_refused("the key file " + in_quotes(path) +
                        (files.password.empty()
                             ? " is encrypted and needs a password: give it, or a key without."
                             : " cannot be read with the password given: give that of this key."));
    }
    const bool fits = api_.SSL_CTX_use_PrivateKey(context_, key) == 1 &&
                      api_.SSL_CTX_check_private_key(context_) == 1;
    api_.EVP_PKEY_free(key);
    if (fits) return true;
    api_.ERR_clear_error();
    return is_refused("the key file " + in_quotes(path) + " does not belong to the certificate " +
                      in_quotes(files.certificate) + ": give the key that it was made for.");
  }

  bool demand_certificates() {
    if (options_.client_certificates == ClientCertificates::kNone) return true;
    const std::string& path = options_.client_ca;
    const BioPtr file = open(path, "CA");
    if (file == nullptr) return false;
    auto* const names = api_.SSL_CTX_load_verify_file(context_, path.c_str()) == 1
                            ? api_.SSL_load_client_CA_file(path.c_str())
                            : nullptr;
    if (names == nullptr) {
      return holds_none(*file, "the CA file " + in_quotes(path), PemKind::kCertificate);
    }
    api_.SSL_CTX_set_client_CA_list(context_, names);
    const bool required = options_.client_certificates == ClientCertificates::kRequired;
    api_.SSL_CTX_set_verify(
        context_, SSL_VERIFY_PEER | (required ? SSL_VERIFY_FAIL_IF_NO_PEER_CERT : 0), nullptr);
    return options_.client_crl.empty() || load_revocations();
  }

  bool load_revocations() {
    const std::string& path = options_.client_crl;
    const BioPtr file = open(path, "CRL");
    if (file == nullptr) return false;
    x509_store_st* const store = api_.SSL_CTX_get_cert_store(context_);
    int lists = 0;
    while (X509_crl_st* list =
               api_.PEM_read_bio_X509_CRL(file.get(), nullptr, &no_password, nullptr)) {
      lists += api_.X509_STORE_add_crl(store, list);
      api_.X509_CRL_free(list);
    }
    // The end of the file counts as an error. Any other leaves lists out, and lets in who is on
    // them.
    const unsigned long last = api_.ERR_peek_last_error();
    const bool ended =
        ERR_GET_LIB(last) == ERR_LIB_PEM && ERR_GET_REASON(last) == PEM_R_NO_START_LINE;
    if (lists == 0 || !ended) {
      return holds_none(*file, "the CRL file " + in_quotes(path), PemKind::kRevocationList);
    }
    api_.ERR_clear_error();
    api_.X509_STORE_set_flags(store, X509_V_FLAG_CRL_CHECK);
    return true;
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

  BioPtr open(const std::string& path, std::string_view what) {
    errno = 0;
    BioPtr file{api_.BIO_new_file(path.c_str(), "r")};
    const int error = errno;
    if (file == nullptr) {
      problem_ = "the " + std::string{what} + " file " + in_quotes(path) +
                 " cannot be read: " + (error != 0 ? message_of(error) : reason()) + ".";
      api_.ERR_clear_error();
    }
    return file;
  }

  // From its beginning; nothing where a pipe has given all that it had. `errno` says what failed.
  std::string content_of(bio_st& file) {
    std::string content;
    std::array<char, 4096> part;
    static_cast<void>(api_.BIO_ctrl(&file, BIO_CTRL_RESET, 0, nullptr));
    errno = 0;
    while (content.size() < kContentBytesMax) {
      const int bytes = api_.BIO_read(&file, part.data(), static_cast<int>(part.size()));
      if (bytes <= 0) break;
      content.append(part.data(), static_cast<std::size_t>(bytes));
    }
    return content;
  }

  bool holds_none(bio_st& file, const std::string& who, PemKind wanted) {
    const std::string content = content_of(file);
    const int error = errno;
    api_.ERR_clear_error();
    if (content.empty() && error == EISDIR) {
      return is_refused(who + " is a directory: give the file in it.");
    }
    if (content.empty() && error != 0) {
      return is_refused(who + " cannot be read: " + message_of(error) + ".");
    }
    return is_refused(who + " holds no " + std::string{name_of(wanted)} +
                      " that can be used: " + pem_fault(content, wanted) + ".");
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
  ContextPtr first = builder.build(options.certificates.front());
  if (first == nullptr) return std::nullopt;
  for (std::size_t i = 1; i < options.certificates.size(); ++i) {
    ContextPtr other = builder.build(options.certificates[i]);
    if (other == nullptr) return std::nullopt;
    identity_of(first.get()).others.push_back(other.get());
    static_cast<void>(other.release());
  }
  return TlsContext{first.release()};
}

std::vector<std::string> TlsContext::warnings(const TlsOptions& options) const {
  std::vector<std::string> all;
  warn_of_certificates(*context_, options.certificates.front().certificate, all);
  const std::vector<ssl_ctx_st*>& others = identity_of(context_).others;
  for (std::size_t i = 0; i < others.size(); ++i) {
    warn_of_certificates(*others[i], options.certificates[i + 1].certificate, all);
  }
  warn_of_authorities(*context_, options, all);  // Each context has the same.
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

TlsContext::TlsContext(const TlsContext& other) noexcept : context_{other.context_} {
  if (context_ != nullptr) openssl().SSL_CTX_up_ref(context_);
}

TlsContext::TlsContext(TlsContext&& other) noexcept
    : context_{std::exchange(other.context_, nullptr)} {}

TlsContext& TlsContext::operator=(TlsContext other) noexcept {
  std::swap(context_, other.context_);
  return *this;
}

TlsContext::~TlsContext() {
  if (context_ != nullptr) openssl().SSL_CTX_free(context_);
}

std::unique_ptr<Stream> TlsContext::accept(Syscalls& syscalls, int fd) const noexcept {
  const OpenSsl& api = openssl();
  ssl_st* const ssl = api.SSL_new(context_);
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
