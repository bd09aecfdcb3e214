// The metrics of a gateway, as MetricsText has them: the sum of the meters that it is given.
//
// Source: docs/guide/metrics.md. Tested by meters_test.cc and tests/python/test_s3_metrics.py.
#pragma once

#include <array>
#include <cstdint>

#include "tercel/base/histogram.h"
#include "tercel/edge/metrics_text.h"
#include "tercel/gateway/counts.h"
#include "tercel/gateway/meters.h"

namespace tercel::gateway {

// A value of a few KiB.
class MetersSum {
 public:
  void add(const Meters& meters) noexcept;
  // Adds its families. Operations that never came have no sample. Throws std::bad_alloc.
  void write(edge::MetricsText& text) const;

 private:
  std::uint64_t connections_ = 0;
  std::uint64_t idle_connections_ = 0;
  std::array<std::uint64_t, Counts::kNames> counts_{};
  std::array<std::array<std::uint64_t, Meters::kStatuses>, Meters::kOperations> operations_{};
  Histogram::Numbers upstream_;
};

}  // namespace tercel::gateway
