#include "tercel/net/pem_fault.h"

#include <algorithm>
#include <vector>

namespace tercel::net {
namespace {

constexpr std::string_view kBegin = "-----BEGIN ";
constexpr std::string_view kEnd = "-----END ";
constexpr std::string_view kOpenSsh = "OPENSSH PRIVATE KEY";

struct PemBlock {
  std::string_view label;
  bool ended = false;
  bool encrypted = false;
};

std::string_view label_of(std::string_view line, std::string_view mark) noexcept {
  line.remove_prefix(mark.size());
  return line.substr(0, line.find("--"));
}

std::vector<PemBlock> blocks_of(std::string_view content) {
  std::vector<PemBlock> blocks;
  while (!content.empty()) {
    const std::size_t end = content.find('\n');
    const std::string_view line = content.substr(0, end);
    content.remove_prefix(end == std::string_view::npos ? content.size() : end + 1);
    if (line.starts_with(kBegin)) {
      const std::string_view label = label_of(line, kBegin);
      blocks.push_back({.label = label, .encrypted = label.starts_with("ENCRYPTED ")});
    } else if (!blocks.empty() && line.starts_with(kEnd)) {
      PemBlock& last = blocks.back();
      last.ended = line.starts_with(std::string{kEnd}.append(last.label) + "-----");
    } else if (!blocks.empty() && line.starts_with("Proc-Type: 4,ENCRYPTED")) {
      blocks.back().encrypted = true;
    }
  }
  return blocks;
}

bool is_wanted(std::string_view label, PemKind wanted) noexcept {
  switch (wanted) {
    case PemKind::kCertificate:
      return label == "CERTIFICATE" || label == "X509 CERTIFICATE" ||
             label == "TRUSTED CERTIFICATE";
    case PemKind::kPrivateKey:
      return label.ends_with("PRIVATE KEY") && label != kOpenSsh;
    case PemKind::kRevocationList:
      return label == "X509 CRL";
  }
  return false;
}

// What tells bytes from text: every encoding of ours has a small number in it somewhere.
bool is_binary(std::string_view content) noexcept {
  return std::ranges::any_of(content, [](char byte) { return byte >= '\0' && byte < '\t'; });
}

// Source: RFC 7292 section 4: a PKCS #12 file begins with its version, which is 3.
bool is_pkcs12(std::string_view der) noexcept {
  const auto length = static_cast<unsigned char>(der.size() > 1 ? der[1] : 0);
  const std::size_t head = length < 0x80 ? 2 : 2 + length % 0x80U;
  return der.size() > head && der.substr(head).starts_with("\x02\x01\x03");
}

std::string binary_fault(std::string_view content, PemKind wanted) {
  if (content.starts_with("\xff\xfe") || content.starts_with("\xfe\xff")) {
    return "it is text in UTF-16, to be saved as plain ASCII";
  }
  if (!content.starts_with('0')) return "it is neither PEM nor another format of certificates";
  if (is_pkcs12(content)) {
    return "it is in PKCS #12, to be converted with \"openssl pkcs12 -nodes\"";
  }
  switch (wanted) {
    case PemKind::kCertificate:
      return "it is in DER, to be converted with \"openssl x509 -inform DER\"";
    case PemKind::kPrivateKey:
      return "it is in DER, to be converted with \"openssl pkey -inform DER\"";
    case PemKind::kRevocationList:
      break;
  }
  return "it is in DER, to be converted with \"openssl crl -inform DER\"";
}

std::string wrong_kind(std::string_view label) {
  if (label == kOpenSsh) {
    return "it is in a format of OpenSSH, to be converted with \"ssh-keygen -p -m PEM\"";
  }
  if (label.ends_with("CERTIFICATE REQUEST")) {
    return "it is a request for a certificate, which an authority has to sign first";
  }
  return "what it holds is marked " + std::string{label} + ", so give another file";
}

}  // namespace

std::string_view name_of(PemKind kind) noexcept {
  switch (kind) {
    case PemKind::kCertificate:
      return "certificate";
    case PemKind::kPrivateKey:
      return "private key";
    case PemKind::kRevocationList:
      break;
  }
  return "revocation list";
}

std::string pem_fault(std::string_view content, PemKind wanted) {
  if (content.find_first_not_of(" \t\r\n") == std::string_view::npos) return "it is empty";
  if (is_binary(content)) return binary_fault(content, wanted);
  const std::vector<PemBlock> blocks = blocks_of(content);
  if (blocks.empty()) {
    if (content.find(kBegin) != std::string_view::npos) {
      return "something stands before -----BEGIN in its line, and has to go";
    }
    return "it has no line that starts with -----BEGIN, so give another file";
  }
  if (std::ranges::none_of(blocks, [&](auto& block) { return is_wanted(block.label, wanted); })) {
    return wrong_kind(blocks.front().label);
  }
  for (const PemBlock& block : blocks) {
    if (!block.ended) {
      return "it breaks off before a line -----END " + std::string{block.label} +
             "-----, so copy it again";
    }
  }
  return "what it holds is damaged, or unknown to OpenSSL, so make it or copy it again";
}

bool holds_encrypted_key(std::string_view content) {
  return std::ranges::any_of(blocks_of(content), [](const PemBlock& block) {
    return block.encrypted && block.ended && is_wanted(block.label, PemKind::kPrivateKey);
  });
}

}  // namespace tercel::net
