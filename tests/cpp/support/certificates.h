// Certificates and their keys, made by OpenSSL for a test.
#pragma once

#include <memory>
#include <string>

#include <gtest/gtest.h>
#include <openssl/evp.h>
#include <openssl/x509v3.h>

namespace tercel::test {

template <auto kFree>
struct Free {
  template <typename T>
  void operator()(T* object) const {
    kFree(object);
  }
};
using Key = std::unique_ptr<EVP_PKEY, Free<&EVP_PKEY_free>>;
using Certificate = std::unique_ptr<X509, Free<&X509_free>>;

struct Identity {
  Key key;
  Certificate certificate;
};

struct Wish {
  const char* names = "DNS:origin.example";
  const Identity* signer = nullptr;  // Null: itself, as a root does.
  long from_s = -3600;
  long until_s = 3600;
};

inline Identity make(const Wish& wish) {
  Identity made{Key{EVP_EC_gen("P-256")}, Certificate{X509_new()}};
  X509* const certificate = made.certificate.get();
  X509_set_version(certificate, X509_VERSION_3);
  static long serial = 0;
  ASN1_INTEGER_set(X509_get_serialNumber(certificate), ++serial);
  X509_gmtime_adj(X509_getm_notBefore(certificate), wish.from_s);
  X509_gmtime_adj(X509_getm_notAfter(certificate), wish.until_s);
  X509_set_pubkey(certificate, made.key.get());
  const std::string name = "test " + std::to_string(serial);
  X509_NAME_add_entry_by_txt(X509_get_subject_name(certificate), "CN", MBSTRING_ASC,
                             reinterpret_cast<const unsigned char*>(name.data()),
                             static_cast<int>(name.size()), -1, 0);
  const Identity& signer = wish.signer != nullptr ? *wish.signer : made;
  X509_set_issuer_name(certificate, X509_get_subject_name(signer.certificate.get()));
  const auto add = [&](int kind, const char* value) {
    X509_EXTENSION* const extension = X509V3_EXT_conf_nid(nullptr, nullptr, kind, value);
    X509_add_ext(certificate, extension, -1);
    X509_EXTENSION_free(extension);
  };
  add(NID_basic_constraints, wish.signer == nullptr ? "critical,CA:TRUE" : "CA:FALSE");
  add(NID_subject_alt_name, wish.names);
  EXPECT_NE(X509_sign(certificate, signer.key.get(), EVP_sha256()), 0);
  return made;
}

}  // namespace tercel::test
