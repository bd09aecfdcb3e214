#include "tercel/gateway/metrics.h"

#include <algorithm>
#include <cstddef>
#include <string_view>

#include "tercel/s3/operation.h"

namespace tercel::gateway {
namespace {

using edge::MetricsText;
using edge::MetricType;

std::uint64_t value(const Meters::Number& number) noexcept {
  return number.load(std::memory_order_relaxed);
}

constexpr std::array<std::string_view, Meters::kStatuses> kStatuses{"none", "1xx", "2xx",
                                                                    "3xx",  "4xx", "5xx"};

}  // namespace

void MetersSum::add(const Meters& meters) noexcept {
  connections_ += value(meters.connections);
  idle_connections_ += std::min(value(meters.idle_connections), value(meters.connections));
  for (std::size_t i = 0; i < counts_.size(); ++i) {
    counts_[i] += meters.counts.get(static_cast<Counts::Name>(i));
  }
  for (std::size_t i = 0; i < Meters::kOperations; ++i) {
    for (std::size_t status = 0; status < Meters::kStatuses; ++status) {
      operations_[i][status] += value(meters.operations[i][status]);
    }
  }
  meters.upstream.add_to(upstream_);
}

void MetersSum::write(MetricsText& text) const {
  text.family("tercel_s3_operations", MetricType::kCounter,
              "Requests that are over, by operation of S3 and status class.");
  for (std::size_t i = 0; i < Meters::kOperations; ++i) {
    const std::string_view name = s3::info(static_cast<s3::Operation>(i)).name;
    for (std::size_t status = 0; status < Meters::kStatuses; ++status) {
      if (operations_[i][status] == 0) continue;
      text.number({{"operation", name}, {"status", kStatuses[status]}}, operations_[i][status]);
    }
  }
  text.family("tercel_s3_events", MetricType::kCounter,
              "What Gateway.counts() has: requests that came, and what became of them.");
  for (std::size_t i = 0; i < counts_.size(); ++i) {
    text.number({{"event", Counts::text(static_cast<Counts::Name>(i))}}, counts_[i]);
  }
  text.family("tercel_s3_upstream_duration_seconds", MetricType::kHistogram,
              "Time from the first attempt at a backend to the head of its answer or its failure.",
              "seconds");
  text.histogram({}, upstream_);
  text.family("tercel_s3_upstream_connections", MetricType::kGauge,
              "Connections to backends, as of the last second.");
  text.number({{"state", "idle"}}, idle_connections_);
  text.number({{"state", "used"}}, connections_ - idle_connections_);
}

}  // namespace tercel::gateway
