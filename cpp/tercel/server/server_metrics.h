// The metrics of a server: connections, and requests by method and status, how long they took, and
// the bytes of their bodies.
//
//   ServerMetrics metrics{*statistics};     // Of all processes that count there;
//   ServerMetrics metrics{service};         // or of one server.
//   metrics_handler.add(metrics);
//
// Source: docs/guide/metrics.md. Tested by server_metrics_test.cc and tests/python/test_metrics.py.
#pragma once

#include "tercel/edge/metrics_text.h"
#include "tercel/server/service.h"
#include "tercel/server/statistics.h"

namespace tercel::server {

// Resource. Thread: any that may read what it is made of.
class ServerMetrics final : public edge::MetricsSource {
 public:
  // Either outlives it.
  explicit ServerMetrics(const Statistics& all) noexcept : all_{&all} {}
  explicit ServerMetrics(const Service& one) noexcept : one_{&one} {}
  ServerMetrics(const ServerMetrics&) = delete;
  ServerMetrics& operator=(const ServerMetrics&) = delete;

  void write(edge::MetricsText& text) const override;

 private:
  const Statistics* all_ = nullptr;
  const Service* one_ = nullptr;
};

}  // namespace tercel::server
