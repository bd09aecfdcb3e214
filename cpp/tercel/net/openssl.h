// The functions of OpenSSL 3 that tercel calls, found in the library when TLS is first used.
//
// Internal to tercel/net, and the one file that includes OpenSSL's headers. A process that serves
// plain HTTP maps nothing of it; one whose interpreter has loaded libssl already shares that copy.
// Names are OpenSSL's own, so that its manual is this file's.
#pragma once

#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

namespace tercel::net {

// clang-format off
#define TERCEL_LIBSSL(X)                                                                          \
  X(TLS_server_method) X(SSL_CTX_new) X(SSL_CTX_free) X(SSL_CTX_up_ref) X(SSL_CTX_ctrl)           \
  X(SSL_CTX_callback_ctrl) X(SSL_CTX_set_options) X(SSL_CTX_set_cipher_list)                      \
  X(SSL_CTX_set_ciphersuites) X(SSL_CTX_use_certificate_chain_file) X(SSL_CTX_use_PrivateKey)     \
  X(SSL_CTX_check_private_key) X(SSL_CTX_get0_certificate) X(SSL_CTX_set_verify)                  \
  X(SSL_CTX_load_verify_file) X(SSL_CTX_set_client_CA_list) X(SSL_load_client_CA_file)            \
  X(SSL_CTX_get_cert_store) X(SSL_CTX_set_alpn_select_cb) X(SSL_CTX_set_session_id_context)       \
  X(SSL_CTX_set_num_tickets) X(SSL_CTX_set_tlsext_ticket_key_evp_cb) X(SSL_CTX_set_ex_data)       \
  X(SSL_CTX_get_ex_data) X(SSL_CTX_set_info_callback) X(SSL_CTX_set_default_passwd_cb)             \
  X(SSL_new) X(SSL_free) X(SSL_set_fd) X(SSL_set_accept_state) X(SSL_do_handshake)                \
  X(SSL_get_error) X(SSL_read) X(SSL_write) X(SSL_sendfile) X(SSL_shutdown) X(SSL_get_wbio)       \
  X(SSL_get_SSL_CTX) X(SSL_set_SSL_CTX) X(SSL_get_servername) X(SSL_version)                      \
  X(SSL_get_current_cipher) X(SSL_CIPHER_get_protocol_id) X(SSL_get0_alpn_selected)               \
  X(SSL_get0_peer_certificate) X(SSL_get_peer_cert_chain) X(SSL_get_verify_result)                \
  X(SSL_is_init_finished) X(SSL_set_ex_data) X(SSL_get_ex_data) X(TLS_client_method)              \
  X(SSL_CTX_sess_set_new_cb) X(SSL_CTX_set_default_verify_paths) X(SSL_CTX_use_PrivateKey_file)   \
  X(SSL_ctrl) X(SSL_get0_param) X(SSL_set1_host) X(SSL_set_session) X(SSL_set_connect_state)      \
  X(SSL_SESSION_free) X(SSL_SESSION_get_protocol_version)                   \
  X(SSL_CTX_set_alpn_protos) X(SSL_set_shutdown)

#define TERCEL_LIBCRYPTO(X)                                                                       \
  X(ERR_clear_error) X(ERR_peek_error) X(ERR_peek_last_error) X(ERR_reason_error_string)          \
  X(CRYPTO_get_ex_new_index) X(BIO_new) X(BIO_s_mem) X(BIO_new_file) X(BIO_free) X(BIO_ctrl)      \
  X(BIO_set_callback_ex) X(BIO_set_callback_arg) X(BIO_get_callback_arg) X(BIO_read)              \
  X(PEM_read_bio_PrivateKey) X(PEM_write_bio_X509) X(PEM_read_bio_X509_CRL)                       \
  X(EVP_PKEY_free) X(X509_check_host) X(X509_get_subject_name) X(X509_NAME_print_ex)              \
  X(X509_get0_notBefore) X(X509_get0_notAfter) X(X509_get0_pubkey) X(X509_cmp_time)               \
  X(ASN1_TIME_to_tm) X(X509_NAME_cmp) X(X509_CRL_get_issuer) X(X509_CRL_verify)                   \
  X(X509_CRL_get0_lastUpdate) X(X509_CRL_get0_nextUpdate) X(X509_STORE_get0_objects)              \
  X(X509_OBJECT_get0_X509) X(X509_OBJECT_get0_X509_CRL)                                           \
  X(X509_STORE_add_crl) X(X509_STORE_set_flags) X(X509_CRL_free)                                  \
  X(X509_verify_cert_error_string) X(OPENSSL_sk_num) X(OPENSSL_sk_value)                          \
  X(EVP_EncryptInit_ex) X(EVP_DecryptInit_ex) X(EVP_aes_256_cbc) X(EVP_MAC_CTX_set_params)        \
  X(EVP_sha256) X(EVP_Q_mac) X(OSSL_PARAM_construct_octet_string)           \
  X(OSSL_PARAM_construct_utf8_string) X(OSSL_PARAM_construct_end) X(RAND_bytes)                   \
  X(X509_VERIFY_PARAM_set1_ip_asc)
// clang-format on

struct OpenSsl {
// NOLINTNEXTLINE(bugprone-macro-parentheses): the name of a member.
#define TERCEL_MEMBER(name) decltype(&::name) name;
  TERCEL_LIBSSL(TERCEL_MEMBER)
  TERCEL_LIBCRYPTO(TERCEL_MEMBER)
#undef TERCEL_MEMBER
};

// Loads the library on the first call. Null: it is not there, or too old. Thread: any.
[[nodiscard]] const OpenSsl* find_openssl() noexcept;

// REQUIRES: find_openssl() found it.
[[nodiscard]] const OpenSsl& openssl() noexcept;

}  // namespace tercel::net
