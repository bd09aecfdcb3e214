// The S3 gateway on one loop: the handler that joins signatures, a policy and backends.
//
//   auto handler = Handler::create(loop, gateway, policy);
//   server::Server server(loop, **handler, options);
//
// A request whose answers are known takes no lock and asks nobody. Source: docs/guide/s3.md,
// docs/decisions/0009-s3-gateway.md. Resource: lives with its loop. Thread: the loop's. Tested by
// tests/python/test_s3_gateway.py.
#pragma once

#include <chrono>
#include <memory>
#include <utility>

#include "tercel/base/result.h"
#include "tercel/edge/line_buffer.h"
#include "tercel/gateway/gateway.h"
#include "tercel/gateway/policy.h"
#include "tercel/gateway/station.h"
#include "tercel/http/handler.h"
#include "tercel/net/loop.h"
#include "tercel/proxy/call.h"

namespace tercel::gateway {

// Of the system's clock.
[[nodiscard]] std::chrono::seconds wall_clock() noexcept;

class Handler final : public http::Handler {
 public:
  // All outlive it. It measures in `room`, see AllMeters::open(). Fails with kTooManyFiles,
  // kNoMemory or kSystem.
  [[nodiscard]] static Result<std::unique_ptr<Handler>> create(net::Loop& loop, Gateway& gateway,
                                                               Policy& policy,
                                                               const proxy::CallOptions& calls = {},
                                                               Station::Now now = &wall_clock,
                                                               void* room = nullptr);
  ~Handler() override;

  // Writes the audit log to `lines`. REQUIRES: before the first request.
  void record_to(std::unique_ptr<edge::LineBuffer> lines) { station_.record_to(std::move(lines)); }

  void handle(const http::Request& request, http::Exchange& exchange) noexcept override;

 private:
  Handler(net::Loop& loop, Gateway& gateway, Meters& meters, std::unique_ptr<Desk> desk,
          const proxy::CallOptions& calls, Station::Now now);

  void refuse(const http::Request& request, http::Exchange& exchange) noexcept;

  Station station_;
};

}  // namespace tercel::gateway
