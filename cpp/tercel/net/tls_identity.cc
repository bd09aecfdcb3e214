#include "tercel/net/tls_identity.h"

#include <cstring>
#include <string_view>

namespace tercel::net {
namespace {

constexpr std::size_t kKeyNameBytes = 16;

void destroy(void* /*parent*/, void* identity, CRYPTO_EX_DATA* /*data*/, int /*index*/,
             long /*number*/, void* /*pointer*/) noexcept {
  delete static_cast<TlsIdentity*>(identity);
}

int identity_index() noexcept {
  static const int index = openssl().CRYPTO_get_ex_new_index(CRYPTO_EX_INDEX_SSL_CTX, 0, nullptr,
                                                             nullptr, nullptr, &destroy);
  return index;
}

}  // namespace

TlsIdentity::~TlsIdentity() {
  for (ssl_ctx_st* other : others) openssl().SSL_CTX_free(other);
}

bool attach(ssl_ctx_st* context, TlsIdentity* identity) noexcept {
  return identity_index() >= 0 &&
         openssl().SSL_CTX_set_ex_data(context, identity_index(), identity) == 1;
}

TlsIdentity& identity_of(const ssl_ctx_st* context) noexcept {
  return *static_cast<TlsIdentity*>(openssl().SSL_CTX_get_ex_data(context, identity_index()));
}

bool TlsTicketKeys::derive(const char* purpose, std::int64_t epoch,
                           std::array<unsigned char, 32>& key) const noexcept {
  const std::string text = std::string{"tercel ticket "} + purpose + ' ' + std::to_string(epoch);
  std::size_t bytes = 0;
  const auto* data = reinterpret_cast<const unsigned char*>(text.data());
  const void* made =
      openssl().EVP_Q_mac(nullptr, "HMAC", nullptr, "SHA256", nullptr, secret_.data(),
                          secret_.size(), data, text.size(), key.data(), key.size(), &bytes);
  return made != nullptr && bytes == key.size();
}

bool TlsTicketKeys::find(std::int64_t epoch, Keys& keys) noexcept {
  const std::lock_guard lock{mutex_};
  Keys& known = known_[static_cast<std::size_t>(epoch % 2)];
  if (known.epoch != epoch) {
    known.epoch = -1;
    if (!derive("name", epoch, known.name) || !derive("cipher", epoch, known.cipher) ||
        !derive("mac", epoch, known.mac)) {
      return false;
    }
    known.epoch = epoch;
  }
  keys = known;
  return true;
}

int TlsTicketKeys::prepare(unsigned char* key_name, unsigned char* iv, evp_cipher_ctx_st* cipher,
                           evp_mac_ctx_st* mac, bool encrypt, std::int64_t unix_time) noexcept {
  const OpenSsl& api = openssl();
  const std::int64_t now = unix_time / kEpochSeconds;
  Keys keys;
  if (!find(now, keys)) return kFailed;
  int found = kGood;
  if (encrypt) {
    if (api.RAND_bytes(iv, EVP_MAX_IV_LENGTH) != 1) return kFailed;
    std::memcpy(key_name, keys.name.data(), kKeyNameBytes);
  } else if (std::memcmp(key_name, keys.name.data(), kKeyNameBytes) != 0) {
    if (!find(now - 1, keys)) return kFailed;
    if (std::memcmp(key_name, keys.name.data(), kKeyNameBytes) != 0) return kUnknown;
    found = kGoodButRenew;
  }
  std::array<char, 7> digest{"SHA256"};
  const std::array<OSSL_PARAM, 3> parameters{
      api.OSSL_PARAM_construct_octet_string(OSSL_MAC_PARAM_KEY, keys.mac.data(), keys.mac.size()),
      api.OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest.data(), 0),
      api.OSSL_PARAM_construct_end()};
  if (api.EVP_MAC_CTX_set_params(mac, parameters.data()) != 1) return kFailed;
  const auto init = encrypt ? api.EVP_EncryptInit_ex : api.EVP_DecryptInit_ex;
  return init(cipher, api.EVP_aes_256_cbc(), nullptr, keys.cipher.data(), iv) == 1 ? found
                                                                                   : kFailed;
}

}  // namespace tercel::net
