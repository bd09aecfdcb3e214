// Where the metrics of a server are shown: a server of their own, beside it on a loop.
//
//   service.measure();
//   MetricsServer metrics{loop, service, nullptr};     // Or, of all processes, a Statistics.
//   metrics.server().listen(std::move(socket));
//   metrics.server().start();
//
// What is asked here is no request of the other server. Whoever shows the sum of all processes
// drains it when another one shows that, too; alone it shows what ends, to the end. Resource: ends
// before what it shows and before its loop. Thread: the loop's. Tested by run_test.cc and
// tests/python/test_metrics.py.
#pragma once

#include "tercel/edge/metrics_handler.h"
#include "tercel/edge/metrics_text.h"
#include "tercel/net/loop.h"
#include "tercel/server/options.h"
#include "tercel/server/server.h"
#include "tercel/server/server_metrics.h"

namespace tercel::server {

class MetricsServer {
 public:
  // Shows what `counting`, either a Service or a Statistics, counts, and `more` unless it is null.
  // All outlive it.
  template <typename Counting>
  MetricsServer(net::Loop& loop, const Counting& counting, const edge::MetricsSource* more)
      : metrics_{counting}, server_{loop, handler_, options()} {
    handler_.add(metrics_);
    if (more != nullptr) handler_.add(*more);
  }
  MetricsServer(const MetricsServer&) = delete;
  MetricsServer& operator=(const MetricsServer&) = delete;

  [[nodiscard]] Server& server() noexcept { return server_; }

 private:
  [[nodiscard]] static Options options();

  ServerMetrics metrics_;
  edge::MetricsHandler handler_;
  Server server_;
};

}  // namespace tercel::server
