#include "tercel/net/pem_fault.h"

#include <string>
#include <string_view>

#include <gtest/gtest.h>

namespace tercel::net {
namespace {

using namespace std::string_view_literals;  // NOLINT(google-build-using-namespace): only literals.

std::string block(std::string_view label, std::string_view content = "AAAA") {
  return "-----BEGIN " + std::string{label} + "-----\n" + std::string{content} + "\n-----END " +
         std::string{label} + "-----\n";
}

struct Case {
  std::string content;
  PemKind wanted;
  std::string_view fault;
};

TEST(PemFaultTest, SaysWhatToChange) {
  constexpr auto kCertificate = PemKind::kCertificate;
  constexpr auto kKey = PemKind::kPrivateKey;
  constexpr auto kList = PemKind::kRevocationList;
  constexpr std::string_view kDamaged =
      "what it holds is damaged, or unknown to OpenSSL, so make it or copy it again";
  constexpr std::string_view kNoBegin =
      "it has no line that starts with -----BEGIN, so give another file";
  const Case cases[] = {
      {"", kKey, "it is empty"},
      {" \r\n\t", kList, "it is empty"},
      {"hello", kCertificate, kNoBegin},
      {"0 days", kCertificate, kNoBegin},
      {"\xef\xbb\xbf" + block("CERTIFICATE"), kCertificate,
       "something stands before -----BEGIN in its line, and has to go"},
      {std::string{"\xff\xfe-\0"sv}, kCertificate,
       "it is text in UTF-16, to be saved as plain ASCII"},
      {std::string{"\x7f"
                   "ELF\x02"sv},
       kKey, "it is neither PEM nor another format of certificates"},
      {"0", kKey, kNoBegin},
      {std::string{"0\x03\x02\x01\x05"sv}, kKey,
       "it is in DER, to be converted with \"openssl pkey -inform DER\""},
      {std::string{"0\x82\x01\x00\x30\x01"sv}, kCertificate,
       "it is in DER, to be converted with \"openssl x509 -inform DER\""},
      {std::string{"0\x82\x01\x00\x30\x01"sv}, kList,
       "it is in DER, to be converted with \"openssl crl -inform DER\""},
      {std::string{"0\x82\x01\x00\x02\x01\x03"sv}, kCertificate,
       "it is in PKCS #12, to be converted with \"openssl pkcs12 -nodes\""},
      {std::string{"0\xff\x01"sv}, kCertificate,
       "it is in DER, to be converted with \"openssl x509 -inform DER\""},
      {block("PRIVATE KEY"), kCertificate,
       "what it holds is marked PRIVATE KEY, so give another file"},
      {block("CERTIFICATE"), kList, "what it holds is marked CERTIFICATE, so give another file"},
      {block("PUBLIC KEY"), kKey, "what it holds is marked PUBLIC KEY, so give another file"},
      {block("NEW CERTIFICATE REQUEST"), kCertificate,
       "it is a request for a certificate, which an authority has to sign first"},
      {block("OPENSSH PRIVATE KEY"), kKey,
       "it is in a format of OpenSSH, to be converted with \"ssh-keygen -p -m PEM\""},
      {"-----BEGIN EC PRIVATE KEY-----\nAAAA\n", kKey,
       "it breaks off before a line -----END EC PRIVATE KEY-----, so copy it again"},
      {block("CERTIFICATE") + "-----BEGIN CERTIFICATE", kCertificate,
       "it breaks off before a line -----END CERTIFICATE-----, so copy it again"},
      {"-----BEGIN X509 CRL-----\nAAAA\n-----END X509 C", kList,
       "it breaks off before a line -----END X509 CRL-----, so copy it again"},
      {block("X509 CRL"), kList, kDamaged},
      {block("EC PARAMETERS") + block("EC PRIVATE KEY"), kKey, kDamaged},
      {"text before\n" + block("TRUSTED CERTIFICATE"), kCertificate, kDamaged},
  };
  for (const auto& [content, wanted, fault] : cases) {
    EXPECT_EQ(pem_fault(content, wanted), fault) << content;
  }
}

TEST(PemFaultTest, KnowsAKeyThatIsEncryptedAndWhole) {
  EXPECT_TRUE(holds_encrypted_key(block("ENCRYPTED PRIVATE KEY")));
  EXPECT_TRUE(
      holds_encrypted_key(block("RSA PRIVATE KEY", "Proc-Type: 4,ENCRYPTED\nDEK-Info: x\n\nAA")));
  EXPECT_FALSE(holds_encrypted_key(block("RSA PRIVATE KEY")));
  EXPECT_FALSE(holds_encrypted_key("-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n"));
  EXPECT_FALSE(holds_encrypted_key(""));
}

}  // namespace
}  // namespace tercel::net
