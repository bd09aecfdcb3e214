// The metrics of a gateway, of this process or of all that share their counters.
//
// Resource: lives as long as its gateway's fronts. Thread: the application's. Tested by
// test_s3_metrics.py.
#pragma once

#include <cstddef>

#include "python/asgi/door.h"
#include "tercel/edge/metrics_text.h"
#include "tercel/gateway/gateway.h"

namespace tercel::python::s3 {

class GatewayMetrics final : public edge::MetricsSource {
 public:
  // `commons` is null where there is one process. Both outlive it.
  GatewayMetrics(const gateway::Gateway& gateway, asgi::Commons* commons) noexcept
      : gateway_{gateway}, commons_{commons} {}
  GatewayMetrics(const GatewayMetrics&) = delete;
  GatewayMetrics& operator=(const GatewayMetrics&) = delete;

  // Where the next loop measures; null: in memory of its own.
  [[nodiscard]] void* next_room() noexcept;

  void write(edge::MetricsText& text) const override;

 private:
  const gateway::Gateway& gateway_;
  asgi::Commons* const commons_;
  std::size_t loops_ = 0;
};

}  // namespace tercel::python::s3
