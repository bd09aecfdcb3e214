#include "python/server_options.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <climits>
#include <cstring>
#include <limits>
#include <optional>
#include <string>
#include <string_view>

#include <nanobind/nanobind.h>

#include "tercel/config/mount.h"
#include "tercel/edge/proxy_headers.h"
#include "tercel/http/chars.h"
#include "tercel/net/syscalls.h"
#include "tercel/server/memory_budget.h"

namespace tercel::python {
namespace {

// Whether `field`, "name: value", has this name, which is in lower case.
bool names(std::string_view field, std::string_view name) noexcept {
  return http::equals_ignoring_case(field.substr(0, field.find(':')), name);
}

std::uint32_t to_u32(std::uint64_t value) noexcept {
  return static_cast<std::uint32_t>(
      std::min<std::uint64_t>(value, std::numeric_limits<std::uint32_t>::max()));
}

// Wherever the application goes meanwhile.
std::string to_absolute(std::string path) {
  std::array<char, PATH_MAX> here;
  if (path.starts_with('/') || ::getcwd(here.data(), here.size()) == nullptr) return path;
  return std::string{here.data()} + '/' + path;
}

server::Pace to_pace(config::Duration grace, config::Bytes per_second) noexcept {
  return {.grace = grace, .bytes_per_second = to_u32(per_second.count)};
}

http::Limits to_limits(const config::Settings& settings) noexcept {
  http::Limits limits;
  limits.target_bytes_max = settings.limit_request_target.count;
  limits.head_bytes_max = settings.limit_request_head.count;
  limits.fields_max = settings.limit_request_fields;
  limits.body_bytes_max = settings.limit_request_body.count;
  limits.trailer_bytes_max = settings.limit_request_trailers.count;
  limits.requests_max = to_u32(settings.limit_requests_per_connection);
  return limits;
}

server::Timeouts to_timeouts(const config::Settings& settings) noexcept {
  server::Timeouts timeouts;
  timeouts.handshake = settings.timeout_ssl_handshake;
  timeouts.head = to_pace(settings.timeout_request_head, settings.min_rate_request_head);
  timeouts.body = to_pace(settings.timeout_request_body, settings.min_rate_request_body);
  timeouts.write = to_pace(settings.timeout_write, settings.min_rate_write);
  timeouts.keep_alive = settings.timeout_keep_alive;
  timeouts.request = settings.timeout_request;
  timeouts.connection_age = settings.limit_connection_age;
  timeouts.queue = settings.timeout_queue;
  timeouts.half_close = settings.timeout_half_close;
  return timeouts;
}

// The texts of both settings were checked.
std::optional<edge::ProxyRules> to_proxies(const config::Settings& settings) {
  if (!settings.proxy_headers) return std::nullopt;
  edge::ProxyRules rules;
  for (const std::string& peers : settings.forwarded_allow_ips) (void)rules.trusted.add(peers);
  std::string problem;
  const auto fields = edge::ForwardedFields::parse(settings.forwarded_headers, problem);
  if (!fields) return std::nullopt;
  rules.fields = *fields;
  return rules;
}

net::ClientCertificates to_client_certificates(config::CertReqs wanted) noexcept {
  switch (wanted) {
    case config::CertReqs::kNone:
      break;
    case config::CertReqs::kOptional:
      return net::ClientCertificates::kOptional;
    case config::CertReqs::kRequired:
      return net::ClientCertificates::kRequired;
  }
  return net::ClientCertificates::kNone;
}

server::Protocols to_protocols(config::HttpVersions versions) noexcept {
  return static_cast<server::Protocols>(versions);
}

}  // namespace

net::TlsOptions to_tls_options(const config::Settings& settings,
                               const net::TlsTicketSecret& secret) {
  net::TlsOptions options;
  for (std::size_t i = 0; i < settings.ssl_certfile.size(); ++i) {
    const bool apart = i < settings.ssl_keyfile.size();
    options.certificates.push_back({.certificate = settings.ssl_certfile[i],
                                    .key = apart ? settings.ssl_keyfile[i] : std::string{},
                                    .password = settings.ssl_keyfile_password});
  }
  options.version_min = settings.ssl_min_version == config::TlsVersion::k13 ? 0x0304 : 0x0303;
  options.ciphers = settings.ssl_ciphers;
  options.cipher_suites = settings.ssl_ciphersuites;
  options.groups = settings.ssl_groups;
  options.client_certificates = to_client_certificates(settings.ssl_cert_reqs);
  options.client_ca = settings.ssl_ca_certs;
  options.client_crl = settings.ssl_crlfile;
  options.kernel_tls = settings.ssl_ktls;
  options.ticket_secret = secret;
  options.protocols = server::alpn_protocols(to_protocols(settings.http));
  return options;
}

server::Options to_options(const config::Settings& settings) {
  server::Options options;
  options.limits = to_limits(settings);
  options.protocols = to_protocols(settings.http);
  options.h2.streams_max = to_u32(settings.http2_max_concurrent_streams);
  options.h2.window_bytes = to_u32(settings.http2_initial_stream_window_size.count);
  options.timeouts = to_timeouts(settings);
  options.connections_max = settings.limit_connections != 0
                                ? settings.limit_connections
                                : server::connections_for(server::available_memory());
  options.connections_per_client_max = settings.limit_connections_per_ip;
  options.requests_max = settings.limit_concurrency;
  options.queued_max = settings.limit_queue;
  if (!settings.server_header) options.server_field.clear();
  options.date_field = settings.date_header;
  options.proxies = to_proxies(settings);
  for (const std::string& field : settings.header) {
    // One of these replaces that of the server.
    if (names(field, "server")) options.server_field.clear();
    if (names(field, "date")) options.date_field = false;
    options.fixed_fields += field + "\r\n";
  }
  return options;
}

edge::WebSocketOptions to_websocket(const config::Settings& settings) noexcept {
  return {.message_bytes_max = settings.ws_max_size.count,
          .queue_messages_max = settings.ws_max_queue,
          .deflate = {.enabled = settings.ws_per_message_deflate,
                      .level = static_cast<int>(settings.ws_deflate_level),
                      .window_bits = static_cast<int>(settings.ws_deflate_window_bits),
                      .takeover = settings.ws_deflate_takeover,
                      .bytes_min = settings.ws_deflate_threshold.count},
          .handshake_timeout = settings.ws_handshake_timeout,
          .ping_interval = settings.ws_ping_interval,
          .ping_timeout = settings.ws_ping_timeout,
          .message_timeout = settings.ws_message_timeout,
          .message_rate = to_u32(settings.ws_message_min_rate.count),
          .close_timeout = settings.ws_close_timeout};
}

std::vector<edge::FileMount> to_mounts(const config::Settings& settings) {
  std::vector<edge::FileMount> mounts;
  for (const std::string& text : settings.static_folders) {
    auto mount = config::parse_mount(text);  // The table let nothing else pass.
    std::string folder = to_absolute(std::move(mount->folder));
    net::Syscalls& calls = net::system_calls();
    const int found = calls.openat(AT_FDCWD, folder.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (found < 0) {
      const std::string problem = "Cannot serve the folder of --static " + text + ": " + folder +
                                  ": " + std::strerror(-found) + ".";
      throw nanobind::value_error(problem.c_str());
    }
    calls.close(found);
    // Else the application would not be asked at all.
    const auto missing = mount->prefix.empty() ? edge::Missing::kPassedOn : edge::Missing::kRefused;
    mounts.push_back(
        {.prefix = std::move(mount->prefix), .folder = std::move(folder), .missing = missing});
  }
  return mounts;
}

edge::CorsOptions to_cors(const config::Settings& settings) {
  const auto age = std::chrono::duration_cast<std::chrono::seconds>(settings.cors_max_age);
  return {.origins = settings.cors_origin,
          .methods = settings.cors_method,
          .headers = settings.cors_header,
          .expose = settings.cors_expose_header,
          .max_age_seconds = to_u32(static_cast<std::uint64_t>(age.count())),
          .credentials = settings.cors_credentials,
          .private_network = settings.cors_private_network};
}

edge::RateLimitOptions to_rate_limit(const config::Settings& settings) noexcept {
  return {.requests = to_u32(settings.limit_rate),
          .burst = to_u32(settings.limit_rate_burst),
          .clients_max = settings.limit_rate_clients};
}

}  // namespace tercel::python
