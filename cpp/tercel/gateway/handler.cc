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
  if (visit == nullptr) return exchange.abort(Errc::kNoMemory);
  visit->begin(request);
}

}  // namespace tercel::gateway
