// What a gateway has on one loop, for all requests there.
//
// Resource: lives in its handler. Thread: the loop's.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "tercel/base/clock.h"
#include "tercel/base/keyed_hash.h"
#include "tercel/base/shared_const.h"
#include "tercel/base/slab.h"
#include "tercel/edge/line_buffer.h"
#include "tercel/edge/log_time.h"
#include "tercel/gateway/arrival.h"
#include "tercel/gateway/audit_log.h"
#include "tercel/gateway/backend.h"
#include "tercel/gateway/config.h"
#include "tercel/gateway/counts.h"
#include "tercel/gateway/departure.h"
#include "tercel/gateway/desk.h"
#include "tercel/gateway/gateway.h"
#include "tercel/gateway/health_checks.h"
#include "tercel/gateway/known_redirects.h"
#include "tercel/gateway/meters.h"
#include "tercel/gateway/question.h"
#include "tercel/net/loop.h"
#include "tercel/net/resolver.h"
#include "tercel/proxy/pool.h"
#include "tercel/proxy/relay.h"
#include "tercel/s3/error_body.h"
#include "tercel/s3/signing_key.h"

namespace tercel::gateway {

class Visit;

// The connections to each endpoint. A pool that has none any more goes when the next one comes:
// those of backends that are gone from the configuration. How many there are is the operator's
// choice, but for those of hosts that backends send on to.
class Pools final : private net::Timer {
 public:
  Pools(net::Loop& loop, net::Resolver& resolver) noexcept : loop_{loop}, resolver_{resolver} {}

  // Hosts that backends send on to, at a time.
  static constexpr std::size_t kSentOnMax = 64;

  // Null: memory is exhausted, or these are too many.
  [[nodiscard]] proxy::Source* source_of(const Endpoint& endpoint) noexcept;
  [[nodiscard]] std::size_t size() const noexcept { return pools_.size(); }
  // Shows in `meters` how many connections there are, within a second and for as long as there are
  // any.
  void show_in(Meters& meters) noexcept {
    shown_in_ = &meters;
    if (!armed()) loop_.timers().arm(*this, loop_.now() + kShowInterval);
  }

 private:
  static constexpr std::chrono::seconds kShowInterval{1};

  void on_timer() noexcept override;

  Meters* shown_in_ = nullptr;
  net::Loop& loop_;
  net::Resolver& resolver_;
  struct Entry {
    std::unique_ptr<proxy::Pool> pool;
    bool sent_on;
  };
  // The keys are the operator's, and of where backends send on to: no client adds one.
  std::unordered_map<std::string, Entry> pools_;
};

struct Station {
  // Seconds since 1970.
  using Now = std::chrono::seconds (*)() noexcept;

  Station(net::Loop& loop_of_all, Gateway& gateway_of_all, Meters& its_meters,
          std::unique_ptr<Desk> its_desk, const proxy::CallOptions& calls, Now wall_clock);
  Station(const Station&) = delete;
  Station& operator=(const Station&) = delete;
  ~Station();

  // At least that many bytes, until the next call. Empty: memory is exhausted.
  [[nodiscard]] std::span<char> scratch(std::size_t bytes) noexcept;
  // Has all requests from now on told to `lines`.
  void record_to(std::unique_ptr<edge::LineBuffer> lines);
  // A new one, as in x-amz-request-id.
  using RequestId = std::array<char, 16>;
  [[nodiscard]] RequestId next_request_id() noexcept;

  net::Loop& loop;
  Gateway& gateway;
  ConfigView config;
  Meters& meters;
  Counts& counts;  // Of them.
  const Now now;
  const std::unique_ptr<Desk> desk;
  // Of clients, and of backends.
  s3::SigningKeyCache front_keys;
  s3::SigningKeyCache back_keys;
  // Of nobody: what an unknown access key is verified with.
  const s3::SigningKey no_key;
  // For requests without a signature: an identity that is empty.
  const SharedConst<FrontKey> anonymous;
  net::Resolver resolver;
  Pools pools;
  KnownRedirects redirects;
  proxy::RelayContext relays;
  HealthChecks checks;
  std::size_t turn = 0;  // Of backends that take turns.
  // Used within one call.
  Arrival arrival;
  Departure departure;
  std::array<char, s3::kErrorBodyBytesMax> error_body;
  edge::CorsPolicy::Room cors_room;
  SteadyClock stopwatch;
  AuditLog* audit = nullptr;  // Null: there is none.
  const std::unique_ptr<Slab<Visit>> visits;

 private:
  edge::WallClock wall_;
  std::unique_ptr<edge::LineBuffer> audit_lines_;
  std::optional<AuditLog> audit_log_;
  std::vector<char> scratch_;
  const KeyedHash ids_ = KeyedHash::random();
  std::uint64_t id_ = 0;
};

}  // namespace tercel::gateway
