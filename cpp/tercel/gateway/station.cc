#include "tercel/gateway/station.h"

#include <algorithm>
#include <new>

#include "tercel/gateway/visit.h"

namespace tercel::gateway {
namespace {

constexpr std::size_t kSigningKeysMax = 4096;

}  // namespace

proxy::Source* Pools::source_of(const Endpoint& endpoint) noexcept {
  if (const auto found = pools_.find(endpoint.pool_key); found != pools_.end()) {
    return found->second.pool.get();
  }
  // One that is in use is lent from, or has somebody who waits.
  std::erase_if(pools_, [](const auto& one) { return one.second.pool->unused(); });
  const auto is_sent_on = [](const auto& one) { return one.second.sent_on; };
  const auto sent_on = static_cast<std::size_t>(std::ranges::count_if(pools_, is_sent_on));
  if (endpoint.sent_on && sent_on >= kSentOnMax) return nullptr;
  try {
    auto pool = std::make_unique<proxy::Pool>(
        loop_, resolver_,
        proxy::Origin{.host = endpoint.host, .port = endpoint.port, .tls = endpoint.tls},
        endpoint.limits);
    Entry entry{std::move(pool), endpoint.sent_on};
    return pools_.emplace(endpoint.pool_key, std::move(entry)).first->second.pool.get();
  } catch (const std::bad_alloc&) {
    return nullptr;
  }
}

void Pools::on_timer() noexcept {
  std::size_t connections = 0;
  std::size_t idle = 0;
  for (const auto& [key, entry] : pools_) {
    connections += entry.pool->connections();
    idle += entry.pool->idle();
  }
  shown_in_->connections.store(connections, std::memory_order_relaxed);
  shown_in_->idle_connections.store(idle, std::memory_order_relaxed);
  if (connections != 0) show_in(*shown_in_);
}

Station::Station(net::Loop& loop_of_all, Gateway& gateway_of_all, Meters& its_meters,
                 std::unique_ptr<Desk> its_desk, const proxy::CallOptions& calls, Now wall_clock)
    : loop{loop_of_all},
      gateway{gateway_of_all},
      config{gateway.config},
      meters{its_meters},
      counts{its_meters.counts},
      now{wall_clock},
      desk{std::move(its_desk)},
      front_keys{kSigningKeysMax},
      back_keys{kSigningKeysMax},
      no_key{"", "19700101", "us-east-1"},
      anonymous{FrontKey{.verdict = Verdict::kYes}},
      resolver{loop},
      pools{loop, resolver},
      relays{loop, calls},
      checks{{loop, pools, relays.calls, config, counts}},
      visits{std::make_unique<Slab<Visit>>()} {
  relays.gone_when_closed = true;
}

Station::~Station() {
  relays.end_all();  // Their visits end with them.
}

void Station::record_to(std::unique_ptr<edge::LineBuffer> lines) {
  audit_lines_ = std::move(lines);
  audit = &audit_log_.emplace(loop, *audit_lines_, edge::LogClocks{stopwatch, wall_});
}

std::span<char> Station::scratch(std::size_t bytes) noexcept {
  try {
    if (scratch_.size() < bytes) scratch_.resize(bytes);
    return scratch_;
  } catch (const std::bad_alloc&) {
    return {};
  }
}

Station::RequestId Station::next_request_id() noexcept {
  constexpr char kDigits[] = "0123456789ABCDEF";
  std::uint64_t number = ids_(++id_);
  RequestId id;
  for (char& digit : id) {
    digit = kDigits[number >> 60];
    number <<= 4;
  }
  return id;
}

}  // namespace tercel::gateway
