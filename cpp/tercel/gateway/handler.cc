#include "tercel/gateway/handler.h"

#include <new>
#include <utility>

#include "tercel/gateway/visit.h"

namespace tercel::gateway {

std::chrono::seconds wall_clock() noexcept {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return std::chrono::duration_cast<std::chrono::seconds>(now);
}

Handler::Handler(net::Loop& loop, Gateway& gateway, Meters& meters, std::unique_ptr<Desk> desk,
                 const proxy::CallOptions& calls, Station::Now now)
    : station_{loop, gateway, meters, std::move(desk), calls, now} {}

Handler::~Handler() = default;

Result<std::unique_ptr<Handler>> Handler::create(net::Loop& loop, Gateway& gateway, Policy& policy,
                                                 const proxy::CallOptions& calls, Station::Now now,
                                                 void* room) {
  Meters& meters = gateway.meters.open(room);
  auto desk = Desk::create(loop, policy, gateway.changes, meters.counts, gateway.cache_entries_max);
  if (!desk) return fail(desk.error());
  return std::unique_ptr<Handler>{new Handler(loop, gateway, meters, *std::move(desk), calls, now)};
}

void Handler::handle(const http::Request& request, http::Exchange& exchange) noexcept {
  Visit* const visit = station_.visits->make(station_, exchange);
  if (visit == nullptr) return refuse(request, exchange);
  visit->begin(request);
}

// For want of memory: it is counted, and told, as far as there is memory for its line.
void Handler::refuse(const http::Request& request, http::Exchange& exchange) noexcept {
  const std::uint16_t status = info(Errc::kNoMemory).http_status;
  station_.counts.add(Counts::requests);
  station_.meters.count(s3::Operation::kUnknown, status);
  if (AuditLog* const audit = station_.audit; audit != nullptr) {
    const Station::RequestId id = station_.next_request_id();
    audit->close(audit->open(request, station_.arrival, Read::kNot),
                 {.traffic = {.status = status}, .request_id = {id.data(), id.size()}});
  }
  exchange.abort(Errc::kNoMemory);
}

}  // namespace tercel::gateway
