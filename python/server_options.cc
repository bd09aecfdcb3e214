#include "python/server_options.h"

#include <algorithm>
#include <limits>
#include <optional>
#include <string>

#include "tercel/edge/proxy_headers.h"
#include "tercel/server/memory_budget.h"

namespace tercel::python {
namespace {

std::uint32_t to_u32(std::uint64_t value) noexcept {
  return static_cast<std::uint32_t>(
      std::min<std::uint64_t>(value, std::numeric_limits<std::uint32_t>::max()));
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

}  // namespace

server::Options to_options(const config::Settings& settings) {
  server::Options options;
  options.limits = to_limits(settings);
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
  for (const std::string& field : settings.header) options.fixed_fields += field + "\r\n";
  return options;
}

edge::RateLimitOptions to_rate_limit(const config::Settings& settings) noexcept {
  return {.requests_per_second = to_u32(settings.limit_rate),
          .burst = to_u32(settings.limit_rate_burst),
          .clients_max = settings.limit_rate_clients};
}

}  // namespace tercel::python
