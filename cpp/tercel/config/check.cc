#include "tercel/config/check.h"

#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

#include "tercel/config/bind.h"

namespace tercel::config {

namespace {

// Each thread keeps to its share of a limit, and a share of nothing would be no limit.
Problem check_threads(const Settings& settings) {
  const struct {
    const char* name;
    std::uint64_t most;
  } limits[] = {{"limit-connections", settings.limit_connections},
                {"limit-concurrency", settings.limit_concurrency}};
  for (const auto& limit : limits) {
    if (limit.most == 0 || settings.io_threads <= limit.most) continue;
    return "io-threads " + std::to_string(settings.io_threads) + " is more than " + limit.name +
           " " + std::to_string(limit.most) +
           ", which the threads share: lower the one or raise the other.";
  }
  return std::nullopt;
}

Problem check_tls(const Settings& settings) {
  const std::size_t certificates = settings.ssl_certfile.size();
  const std::size_t keys = settings.ssl_keyfile.size();
  const struct {
    const char* name;
    bool given;
  } useless[] = {{"ssl-keyfile", keys != 0},
                 {"ssl-cert-reqs", settings.ssl_cert_reqs != CertReqs::kNone},
                 {"ssl-keyfile-password", !settings.ssl_keyfile_password.empty()},
                 {"ssl-ca-certs", !settings.ssl_ca_certs.empty()},
                 {"ssl-crlfile", !settings.ssl_crlfile.empty()}};
  for (const auto& each : useless) {
    if (each.given && certificates == 0) {
      return std::string{each.name} + " has no effect without a certificate: set ssl-certfile.";
    }
  }
  if (keys != 0 && keys != certificates) {
    return "ssl-keyfile names " + std::to_string(keys) + " keys for the " +
           std::to_string(certificates) +
           " certificates of ssl-certfile: name one for each, or none at all.";
  }
  if (settings.ssl_cert_reqs == CertReqs::kNone) {
    if (settings.ssl_ca_certs.empty() && settings.ssl_crlfile.empty()) return std::nullopt;
    return "ssl-ca-certs and ssl-crlfile have no effect while ssl-cert-reqs is none: set it to "
           "optional or required.";
  }
  if (!settings.ssl_ca_certs.empty()) return std::nullopt;
  return "ssl-cert-reqs " +
         std::string{kCertReqsNames[static_cast<std::size_t>(settings.ssl_cert_reqs)]} +
         " needs ssl-ca-certs: the certificates of those who sign for clients.";
}

Problem check_cors(const Settings& settings) {
  if (!settings.cors_origin.empty()) return std::nullopt;
  const struct {
    const char* name;
    bool given;
  } useless[] = {{"cors-header", !settings.cors_header.empty()},
                 {"cors-expose-header", !settings.cors_expose_header.empty()},
                 {"cors-credentials", settings.cors_credentials},
                 {"cors-private-network", settings.cors_private_network}};
  for (const auto& each : useless) {
    if (!each.given) continue;
    return std::string{each.name} + " has no effect without an origin: set cors-origin.";
  }
  return std::nullopt;
}

Problem check_metrics(const Settings& settings, const std::vector<Bind>& of_application) {
  const std::optional<Bind> metrics = parse_bind(settings.metrics_bind);
  if (!metrics) return std::nullopt;  // There is none.
  const bool any_port = metrics->kind == BindKind::kTcp && metrics->port == 0;
  if (any_port || std::ranges::find(of_application, *metrics) == of_application.end()) {
    return std::nullopt;
  }
  return "metrics-bind is where the application listens, " + in_quotes(format(*metrics)) +
         ": give it another port.";
}

}  // namespace

Problem check(const Settings& settings) {
  if (auto problem = check_threads(settings)) return problem;
  if (auto problem = check_tls(settings)) return problem;
  if (auto problem = check_cors(settings)) return problem;
  const std::vector<Bind> all = binds(settings);
  for (auto bind = all.begin(); bind != all.end(); ++bind) {
    const bool any_port = bind->kind == BindKind::kTcp && bind->port == 0;
    if (!any_port && std::find(all.begin(), bind, *bind) != bind) {
      return "bind names " + in_quotes(format(*bind)) + " twice: remove one of them.";
    }
  }
  return check_metrics(settings, all);
}

}  // namespace tercel::config
