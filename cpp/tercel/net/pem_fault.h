// Why a file is not the PEM that was asked for, in words that say what to change: what OpenSSL says
// of it ("unsupported", "PEM lib") helps nobody.
//
// Internal to tercel/net. Looks at text alone, and is asked only when OpenSSL has refused the file.
// Throws std::bad_alloc. Source: RFC 7468. Tested by pem_fault_test.cc and
// tests/python/test_tls.py.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace tercel::net {

enum class PemKind : std::uint8_t { kCertificate, kPrivateKey, kRevocationList };

// As it comes behind "no": "private key".
[[nodiscard]] std::string_view name_of(PemKind kind) noexcept;

// The rest of a sentence: "it is empty".
[[nodiscard]] std::string pem_fault(std::string_view content, PemKind wanted);

// A private key that is encrypted and whole, so that only the password can be wrong.
[[nodiscard]] bool holds_encrypted_key(std::string_view content);

}  // namespace tercel::net
