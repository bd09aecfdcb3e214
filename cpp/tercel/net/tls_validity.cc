#include "tercel/net/tls_validity.h"

#include <array>
#include <ctime>
#include <string_view>

#include "tercel/net/tls_texts.h"

namespace tercel::net {
namespace {

enum class Validity : std::uint8_t { kNow, kPast, kNotYet };

// From `begin` to `end`, which may be absent.
Validity validity_of(const ASN1_TIME* begin, const ASN1_TIME* end) noexcept {
  // Zero: the time cannot be read. Then it is for the verification of OpenSSL to say so.
  if (begin != nullptr && openssl().X509_cmp_time(begin, nullptr) > 0) return Validity::kNotYet;
  if (end != nullptr && openssl().X509_cmp_time(end, nullptr) < 0) return Validity::kPast;
  return Validity::kNow;
}

std::string time_text(const ASN1_TIME* time) {
  std::tm parts{};
  std::array<char, 64> text;
  if (openssl().ASN1_TIME_to_tm(time, &parts) != 1) return "a time that cannot be read";
  return {text.data(), std::strftime(text.data(), text.size(), "%Y-%m-%d %H:%M:%S UTC", &parts)};
}

// One sentence of a fault that several entries of a file may have: the first of them is shown.
class Fault {
 public:
  void add(const std::string& sentence) {
    if (count_++ == 0) first_ = sentence;
  }
  void tell(const std::string& file, std::string_view advice,
            std::vector<std::string>& warnings) const {
    if (count_ == 0) return;
    const std::string others = count_ > 1 ? " (and " + std::to_string(count_ - 1) + " more)" : "";
    warnings.push_back(file + " holds " + first_ + others + ": " + std::string{advice} + ".");
  }

 private:
  std::size_t count_ = 0;
  std::string first_;
};

std::string file_of(std::string_view kind, const std::string& path) {
  return "The " + std::string{kind} + " file \"" + path + '"';
}

// Certificates, of which `who` says what they are.
class CertificateFaults {
 public:
  void look_at(const x509_st& certificate, const std::string& who) {
    const ASN1_TIME* begin = openssl().X509_get0_notBefore(&certificate);
    const ASN1_TIME* end = openssl().X509_get0_notAfter(&certificate);
    const Validity validity = validity_of(begin, end);
    if (validity == Validity::kPast) expired_.add(who + " that expired at " + time_text(end));
    if (validity == Validity::kNotYet) {
      early_.add(who + " that is not valid before " + time_text(begin));
    }
  }
  void tell(const std::string& file, std::string_view if_expired, std::string_view if_early,
            std::vector<std::string>& warnings) const {
    expired_.tell(file, if_expired, warnings);
    early_.tell(file, if_early, warnings);
  }

 private:
  Fault expired_;
  Fault early_;
};

// Both stacks are OpenSSL's, which has no functions for each type of entry in its library.
template <typename Entry, typename Visit>
void for_each(const void* stack, Visit visit) {
  const auto* entries = static_cast<const OPENSSL_STACK*>(stack);
  for (int i = 0; entries != nullptr && i < openssl().OPENSSL_sk_num(entries); ++i) {
    visit(*static_cast<Entry*>(openssl().OPENSSL_sk_value(entries, i)));
  }
}

// Whether an authority of the store signed the list: one of the same name may have another key.
bool is_of_authority(const void* objects, X509_crl_st& list) {
  const OpenSsl& api = openssl();
  const X509_name_st* issuer = api.X509_CRL_get_issuer(&list);
  bool found = false;
  for_each<X509_OBJECT>(objects, [&](const X509_OBJECT& object) {
    const x509_st* authority = api.X509_OBJECT_get0_X509(&object);
    if (authority == nullptr || found) return;
    found = api.X509_NAME_cmp(api.X509_get_subject_name(authority), issuer) == 0 &&
            api.X509_CRL_verify(&list, api.X509_get0_pubkey(authority)) == 1;
  });
  api.ERR_clear_error();
  return found;
}

void warn_of_lists(const void* objects, const TlsOptions& options,
                   std::vector<std::string>& warnings) {
  const OpenSsl& api = openssl();
  Fault stale;
  Fault early;
  Fault foreign;
  for_each<X509_OBJECT>(objects, [&](X509_OBJECT& object) {
    X509_crl_st* const list = api.X509_OBJECT_get0_X509_CRL(&object);
    if (list == nullptr) return;
    const std::string who = "a list of " + name_text(*api.X509_CRL_get_issuer(list));
    if (!is_of_authority(objects, *list)) {
      foreign.add(who + ", which none of the CA file \"" + options.client_ca + "\" signed");
      return;
    }
    const ASN1_TIME* begin = api.X509_CRL_get0_lastUpdate(list);
    const ASN1_TIME* end = api.X509_CRL_get0_nextUpdate(list);
    const Validity validity = validity_of(begin, end);
    if (validity == Validity::kPast) stale.add(who + " that expired at " + time_text(end));
    if (validity == Validity::kNotYet) {
      early.add(who + " that is not valid before " + time_text(begin));
    }
  });
  const std::string file = file_of("CRL", options.client_crl);
  stale.tell(file, "all clients of that authority are refused, so get its new list", warnings);
  early.tell(file,
             "all clients of that authority are refused until then, so get the list that is valid "
             "now, or set the clock of this machine right",
             warnings);
  foreign.tell(file, "it revokes nothing of theirs, so give the lists of those authorities",
               warnings);
}

}  // namespace

void warn_of_certificates(ssl_ctx_st& context, const std::string& file,
                          std::vector<std::string>& warnings) {
  CertificateFaults own;
  CertificateFaults chain;
  own.look_at(*openssl().SSL_CTX_get0_certificate(&context), "a certificate");
  STACK_OF(X509)* certificates = nullptr;
  openssl().SSL_CTX_ctrl(&context, SSL_CTRL_GET_CHAIN_CERTS, 0, &certificates);
  for_each<x509_st>(certificates, [&](const x509_st& certificate) {
    chain.look_at(certificate, "in its chain a certificate of " +
                                   name_text(*openssl().X509_get_subject_name(&certificate)));
  });
  constexpr std::string_view kWait =
      "clients refuse it until then, so give one that is valid now, or set the clock of this "
      "machine right";
  const std::string who = file_of("certificate", file);
  own.tell(who, "clients refuse it, so have it renewed", kWait, warnings);
  chain.tell(who, "clients may refuse it, so give the chain that came with the last renewal", kWait,
             warnings);
}

void warn_of_authorities(const ssl_ctx_st& context, const TlsOptions& options,
                         std::vector<std::string>& warnings) {
  if (options.client_certificates == ClientCertificates::kNone) return;
  const OpenSsl& api = openssl();
  const void* objects = api.X509_STORE_get0_objects(api.SSL_CTX_get_cert_store(&context));
  CertificateFaults authorities;
  for_each<X509_OBJECT>(objects, [&](const X509_OBJECT& object) {
    const x509_st* authority = api.X509_OBJECT_get0_X509(&object);
    if (authority == nullptr) return;
    authorities.look_at(*authority,
                        "a certificate of " + name_text(*api.X509_get_subject_name(authority)));
  });
  authorities.tell(file_of("CA", options.client_ca),
                   "all clients of that authority are refused, so replace it or take it out",
                   "all clients of that authority are refused until then, so give one that is "
                   "valid now, or set the clock of this machine right",
                   warnings);
  warn_of_lists(objects, options, warnings);
}

}  // namespace tercel::net
