#include "tercel/net/tls_files.h"

#include <algorithm>
#include <cerrno>
#include <string_view>
#include <utility>

#include "tercel/net/tls_handle.h"

namespace tercel::net {
namespace {

int password_of(char* into, int space, int /*writing*/, void* password) noexcept {
  const auto& text = *static_cast<const std::string*>(password);
  if (text.size() > static_cast<std::size_t>(space)) return -1;
  std::ranges::copy(text, into);
  return static_cast<int>(text.size());
}

}  // namespace

bool TlsFiles::load_certificate(const TlsCertificate& files) {
  PemFile file{files.certificate};
  if (!is_open(file, files.certificate, "certificate")) return false;
  if (api_.SSL_CTX_use_certificate_chain_file(context_, files.certificate.c_str()) == 1) {
    return true;
  }
  const std::string why = openssl_reason();
  if (why.ends_with("too small") || why.ends_with("too weak")) {
    return refuse("the certificate file " + in_quotes(files.certificate) +
                  " holds a certificate that is too weak for OpenSSL here (" + why +
                  "): have one made with a longer key and SHA-256.");
  }
  return holds_none(file, "the certificate file " + in_quotes(files.certificate),
                    PemKind::kCertificate);
}

bool TlsFiles::load_key(const TlsCertificate& files) {
  const std::string& path = files.key.empty() ? files.certificate : files.key;
  PemFile file{path};
  if (!is_open(file, path, "key")) return false;
  auto* password = const_cast<std::string*>(&files.password);
  evp_pkey_st* const key = api_.PEM_read_bio_PrivateKey(
      file.get(), nullptr, files.password.empty() ? &no_password : &password_of, password);
  if (key == nullptr) {
    if (!holds_encrypted_key(file.content())) {
      const std::string_view who =
          files.key.empty() ? "no key file is given, and the certificate" : "the key";
      return holds_none(file, std::string{who} + " file " + in_quotes(path), PemKind::kPrivateKey);
    }
    api_.ERR_clear_error();
    return refuse("the key file " + in_quotes(path) +
                  (files.password.empty()
                       ? " is encrypted and needs a password: give it, or a key without."
                       : " cannot be read with the password given: give that of this key."));
  }
  const bool fits = api_.SSL_CTX_use_PrivateKey(context_, key) == 1 &&
                    api_.SSL_CTX_check_private_key(context_) == 1;
  api_.EVP_PKEY_free(key);
  if (fits) return true;
  api_.ERR_clear_error();
  return refuse("the key file " + in_quotes(path) + " does not belong to the certificate " +
                in_quotes(files.certificate) + ": give the key that it was made for.");
}

bool TlsFiles::load_authorities(const std::string& path) {
  PemFile file{path};
  if (!is_open(file, path, "CA")) return false;
  auto* const names = api_.SSL_CTX_load_verify_file(context_, path.c_str()) == 1
                          ? api_.SSL_load_client_CA_file(path.c_str())
                          : nullptr;
  if (names == nullptr) {
    return holds_none(file, "the CA file " + in_quotes(path), PemKind::kCertificate);
  }
  api_.SSL_CTX_set_client_CA_list(context_, names);
  return true;
}

bool TlsFiles::load_revocations(const std::string& path) {
  PemFile file{path};
  if (!is_open(file, path, "CRL")) return false;
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
    return holds_none(file, "the CRL file " + in_quotes(path), PemKind::kRevocationList);
  }
  api_.ERR_clear_error();
  api_.X509_STORE_set_flags(store, X509_V_FLAG_CRL_CHECK);
  return true;
}

bool TlsFiles::refuse(std::string problem) {
  problem_ = std::move(problem);
  return false;
}

bool TlsFiles::is_open(const PemFile& file, const std::string& path, std::string_view what) {
  if (file) return true;
  return refuse("the " + std::string{what} + " file " + in_quotes(path) +
                " cannot be read: " + file.reason() + ".");
}

bool TlsFiles::holds_none(PemFile& file, const std::string& who, PemKind wanted) {
  const std::string content = file.content();
  if (file.error() == EISDIR) return refuse(who + " is a directory: give the file in it.");
  if (file.error() != 0) return refuse(who + " cannot be read: " + file.reason() + ".");
  return refuse(who + " holds no " + std::string{name_of(wanted)} +
                " that can be used: " + pem_fault(content, wanted) + ".");
}

}  // namespace tercel::net
