#include "tercel/server/server_metrics.h"

#include <array>
#include <cstddef>
#include <string_view>

namespace tercel::server {
namespace {

using edge::MetricsText;
using edge::MetricType;

constexpr std::array<std::string_view, 6> kStatuses{"none", "1xx", "2xx", "3xx", "4xx", "5xx"};

void write_one(MetricsText& text, std::string_view name, MetricType type, std::string_view help,
               std::uint64_t number, std::string_view unit = {}) {
  text.family(name, type, help, unit);
  text.number({}, number);
}

void write_requests(MetricsText& text, const Statistics::Numbers& numbers) {
  text.family("tercel_http_requests", MetricType::kCounter,
              "Requests that are over, by method and class of the status; none: there was no "
              "response.");
  for (std::size_t method = 0; method < http::kMethods.size(); ++method) {
    for (std::size_t status = 0; status < kStatuses.size(); ++status) {
      const std::uint64_t number = numbers.by_method[method][status];
      if (number == 0) continue;
      text.number({{"method", http::kMethods[method]}, {"status", kStatuses[status]}}, number);
    }
  }
  text.family("tercel_http_request_duration_seconds", MetricType::kHistogram,
              "Time from the head of a request to the end of its response.", "seconds");
  text.histogram({}, numbers.durations);
  write_one(text, "tercel_http_requests_aborted", MetricType::kCounter,
            "Responses that were not sent whole, because of the server or the application.",
            numbers.aborted);
  write_one(text, "tercel_http_requests_client_gone", MetricType::kCounter,
            "Responses that were not sent whole, because the client had gone.", numbers.peer_gone);
}

}  // namespace

void ServerMetrics::write(MetricsText& text) const {
  Statistics::Numbers numbers;
  if (all_ != nullptr) {
    numbers = all_->total();
  } else {
    for (std::size_t i = 0; i < one_->loops(); ++i) numbers.add(one_->counters(i));
  }
  write_requests(text, numbers);
  write_one(text, "tercel_http_request_body_bytes", MetricType::kCounter,
            "Bytes of request bodies that were received.", numbers.request_bytes, "bytes");
  write_one(text, "tercel_http_response_body_bytes", MetricType::kCounter,
            "Bytes of response bodies that were sent.", numbers.body_bytes, "bytes");
  write_one(text, "tercel_http_requests_in_flight", MetricType::kGauge,
            "Requests whose response is not complete.", numbers.active);
  write_one(text, "tercel_http_requests_waiting", MetricType::kGauge,
            "Requests that wait for limit-concurrency.", numbers.waiting);
  write_one(text, "tercel_http_connections", MetricType::kGauge, "Connections that are open.",
            numbers.connections);
  write_one(text, "tercel_http_connections_accepted", MetricType::kCounter,
            "Connections that were accepted.", numbers.accepted);
}

}  // namespace tercel::server
