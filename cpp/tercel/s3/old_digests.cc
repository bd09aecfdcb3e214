#include "tercel/s3/old_digests.h"

#define OPENSSL_SUPPRESS_DEPRECATED  // sha256.h says why.
#include <span>

#include <openssl/md5.h>
#include <openssl/sha.h>

namespace tercel::s3 {
namespace {

template <typename Context>
Context* context(std::span<std::byte> state) noexcept {
  return reinterpret_cast<Context*>(state.data());
}

}  // namespace

Sha1::Sha1() noexcept {
  static_assert(sizeof(SHA_CTX) == kStateBytes && alignof(SHA_CTX) <= 8);
  SHA1_Init(context<SHA_CTX>(state_));
}

void Sha1::update(std::string_view data) noexcept {
  SHA1_Update(context<SHA_CTX>(state_), data.data(), data.size());
}

Sha1Digest Sha1::finish() noexcept {
  Sha1Digest digest;
  SHA1_Final(digest.data(), context<SHA_CTX>(state_));
  return digest;
}

Md5::Md5() noexcept {
  static_assert(sizeof(MD5_CTX) == kStateBytes && alignof(MD5_CTX) <= 8);
  MD5_Init(context<MD5_CTX>(state_));
}

void Md5::update(std::string_view data) noexcept {
  MD5_Update(context<MD5_CTX>(state_), data.data(), data.size());
}

Md5Digest Md5::finish() noexcept {
  Md5Digest digest;
  MD5_Final(digest.data(), context<MD5_CTX>(state_));
  return digest;
}

}  // namespace tercel::s3
