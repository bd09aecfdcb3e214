// Shows metrics at /metrics, in the format that the client asks for: OpenMetrics, or the text of
// Prometheus.
//
//   MetricsHandler handler;
//   handler.add(source);
//   server::Server server(loop, handler, options);   // On an address of its own.
//
// Everything is added up anew for each request. Other paths are 404, other methods 405. Resource:
// one a loop. Thread: the loop's. Tested by metrics_handler_test.cc and
// tests/python/test_metrics.py.
#pragma once

#include <vector>

#include "tercel/edge/metrics_text.h"
#include "tercel/http/handler.h"

namespace tercel::edge {

class MetricsHandler final : public http::Handler {
 public:
  MetricsHandler() noexcept = default;
  MetricsHandler(const MetricsHandler&) = delete;
  MetricsHandler& operator=(const MetricsHandler&) = delete;

  // `source` outlives it. Throws std::bad_alloc.
  void add(const MetricsSource& source) { sources_.push_back(&source); }

  void handle(const http::Request& request, http::Exchange& exchange) noexcept override;

 private:
  std::vector<const MetricsSource*> sources_;
};

}  // namespace tercel::edge
