#include "tercel/net/tls_handle.h"

#include "tercel/net/openssl.h"

namespace tercel::net {

TlsHandle::TlsHandle(const TlsHandle& other) noexcept : context_{other.context_} {
  if (context_ != nullptr) openssl().SSL_CTX_up_ref(context_);
}

TlsHandle::~TlsHandle() {
  if (context_ != nullptr) openssl().SSL_CTX_free(context_);
}

void set_up(ssl_ctx_st* context, std::uint64_t wishes) noexcept {
  const OpenSsl& api = openssl();
  api.SSL_CTX_set_options(context, wishes | SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION);
  api.SSL_CTX_ctrl(context, SSL_CTRL_MODE,
                   SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                       SSL_MODE_RELEASE_BUFFERS,
                   nullptr);
  // Else each record takes two calls of the system.
  api.SSL_CTX_ctrl(context, SSL_CTRL_SET_READ_AHEAD, 1, nullptr);
  api.SSL_CTX_set_default_passwd_cb(context, &no_password);
}

std::string openssl_reason() {
  const unsigned long error = openssl().ERR_peek_last_error();
  const char* text = error != 0 ? openssl().ERR_reason_error_string(error) : nullptr;
  openssl().ERR_clear_error();
  return text != nullptr ? text : "OpenSSL does not say why";
}

std::string in_quotes(std::string_view text) {
  return '"' + std::string{text} + '"';
}

int no_password(char*, int, int, void*) noexcept {
  return -1;
}

}  // namespace tercel::net
