#include "tercel/net/tls_texts.h"

#include <memory>

#include "tercel/net/tls_identity.h"

namespace tercel::net {
namespace {

struct FreeBio {
  void operator()(bio_st* bio) const noexcept { openssl().BIO_free(bio); }
};

// What `print` writes into a BIO, as a text.
template <typename Print>
std::string printed(Print print) {
  const OpenSsl& api = openssl();
  const std::unique_ptr<bio_st, FreeBio> memory{api.BIO_new(api.BIO_s_mem())};
  if (memory == nullptr || !print(memory.get())) return {};
  char* text = nullptr;
  const long bytes = api.BIO_ctrl(memory.get(), BIO_CTRL_INFO, 0, &text);
  return bytes > 0 ? std::string(text, static_cast<std::size_t>(bytes)) : std::string{};
}

}  // namespace

std::string name_text(const X509_name_st& name) {
  return printed([&](bio_st* bio) {
    return openssl().X509_NAME_print_ex(bio, &name, 0, XN_FLAG_RFC2253 & ~ASN1_STRFLGS_ESC_MSB) >=
           0;
  });
}

std::string pem_of(x509_st& certificate) {
  return printed([&](bio_st* bio) { return openssl().PEM_write_bio_X509(bio, &certificate) == 1; });
}

TlsInfo tls_info_of(ssl_st& ssl) {
  const OpenSsl& api = openssl();
  TlsInfo info;
  info.version = static_cast<std::uint16_t>(api.SSL_version(&ssl));
  if (const SSL_CIPHER* cipher = api.SSL_get_current_cipher(&ssl)) {
    info.cipher_suite = api.SSL_CIPHER_get_protocol_id(cipher);
  }
  const unsigned char* protocol = nullptr;
  unsigned int bytes = 0;
  api.SSL_get0_alpn_selected(&ssl, &protocol, &bytes);
  if (bytes > 0) info.protocol.assign(reinterpret_cast<const char*>(protocol), bytes);
  const char* name = api.SSL_get_servername(&ssl, TLSEXT_NAMETYPE_host_name);
  if (name != nullptr) info.server_name = name;
  info.server_certificate = identity_of(api.SSL_get_SSL_CTX(&ssl)).certificate;
  if (x509_st* const client = api.SSL_get0_peer_certificate(&ssl)) {
    info.client_name = name_text(*api.X509_get_subject_name(client));
    info.client_chain.push_back(pem_of(*client));
    // Of a server's peer, without its own certificate.
    auto* const chain = reinterpret_cast<OPENSSL_STACK*>(api.SSL_get_peer_cert_chain(&ssl));
    for (int i = 0; i < (chain != nullptr ? api.OPENSSL_sk_num(chain) : 0); ++i) {
      info.client_chain.push_back(pem_of(*static_cast<x509_st*>(api.OPENSSL_sk_value(chain, i))));
    }
  }
  return info;
}

}  // namespace tercel::net
