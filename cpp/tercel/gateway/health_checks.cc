#include "tercel/gateway/health_checks.h"

#include <algorithm>
#include <new>
#include <string>
#include <utility>

#include "tercel/gateway/endpoint_log.h"
#include "tercel/gateway/station.h"

namespace tercel::gateway {

using std::chrono::nanoseconds;

// One look at one endpoint.
class HealthChecks::Probe final : private proxy::Waiter, private proxy::CallObserver {
 public:
  Probe(HealthChecks& owner, const Endpoint& endpoint) : owner_{owner}, endpoint_{endpoint} {
    times_.response_time = endpoint.limits.connect_timeout;
    times_.body_time = times_.write_time = times_.response_time;
    append_authority(endpoint_, host_);
  }
  ~Probe() override {
    if (waits_) source_->withdraw(*this);
  }

  [[nodiscard]] const EndpointHealth& health() const noexcept { return *endpoint_.health; }

  // May end it.
  void begin(proxy::Source& source) noexcept {
    source_ = &source;
    if (endpoint_.check == Check::kConnect) {
      waits_ = true;
      return source.acquire(*this, proxy::Freshness::kNew);
    }
    const http::RequestHead head{.method = "HEAD", .target = "/", .host = host_, .fields = {}};
    // On a new connection: one that the endpoint closed while it was idle says nothing.
    if (!call_.begin(source, head, proxy::Freshness::kNew, &times_)) finish(Result::kUnknown);
  }

 private:
  enum class Result : std::uint8_t { kPassed, kFailed, kUnknown };

  void on_connection(proxy::UpstreamConnection& connection) noexcept override {
    waits_ = false;
    source_->release(connection);
    finish(Result::kPassed);
  }
  void on_no_connection(Errc error) noexcept override {
    waits_ = false;
    on_failed(error);
  }
  void on_interim(const http::ResponseHead& /*head*/) noexcept override {}
  void on_head(const http::ResponseHead& head) noexcept override {
    const bool well = !proxy::is_transient(head.status);
    static_cast<void>(call_.read_body());  // None: the connection can be used again.
    call_.close();
    if (!well) tell_status(endpoint_, head.status);
    finish(well ? Result::kPassed : Result::kFailed);
  }
  void on_body() noexcept override {}
  void on_writable() noexcept override {}
  void on_failed(Errc error) noexcept override {
    if (!is_its_own(error)) return finish(Result::kUnknown);
    tell_failure(endpoint_, error, Asked::kByCheck);
    finish(Result::kFailed);
  }

  void finish(Result result) noexcept {
    if (result == Result::kPassed) endpoint_.health->passed();
    if (result == Result::kFailed) {
      owner_.with_.counts.add(Counts::checks_failed);
      const nanoseconds now = owner_.with_.loop.now();
      // Until behind the next one, which takes its time, too.
      const nanoseconds until =
          now + endpoint_.check_interval + 2 * nanoseconds{endpoint_.limits.connect_timeout};
      if (endpoint_.health->check_failed(now, until)) owner_.with_.counts.add(Counts::rested);
    }
    owner_.end(*this);
  }

  HealthChecks& owner_;
  const Endpoint endpoint_;  // The configuration may go meanwhile.
  std::string host_;
  proxy::CallTimes times_;
  proxy::Source* source_ = nullptr;
  bool waits_ = false;
  proxy::Call call_{owner_.with_.calls, *this};
};

HealthChecks::HealthChecks(const With& with) noexcept : with_{with} {
  begin_with_new();
}

HealthChecks::~HealthChecks() = default;

void HealthChecks::begin_with_new() noexcept {
  on_timer();
  followed_ = with_.config.version();
}

void HealthChecks::on_timer() noexcept {
  const SharedConst<Config> config = with_.config.current();
  const nanoseconds now = with_.loop.now();
  nanoseconds shortest{0};
  for (const Endpoint& endpoint : config->endpoints) {
    if (endpoint.check == Check::kOff) continue;
    const nanoseconds interval = endpoint.check_interval;
    if (shortest == nanoseconds{0} || interval < shortest) shortest = interval;
    if (!looks_at(endpoint) && endpoint.health->claim_check(now, interval)) begin(endpoint);
  }
  // Loops look at different times whether something is due.
  if (shortest != nanoseconds{0}) with_.loop.timers().arm(*this, now + shortest / 4);
}

bool HealthChecks::looks_at(const Endpoint& endpoint) const noexcept {
  return std::ranges::any_of(
      running_, [&](const auto& probe) { return &probe->health() == &*endpoint.health; });
}

void HealthChecks::begin(const Endpoint& endpoint) noexcept {
  proxy::Source* const source = with_.pools.source_of(endpoint);
  if (source == nullptr) return;
  try {
    ended_.reserve(ended_.size() + running_.size() + 1);  // So that an end cannot fail.
    Probe& probe = *running_.emplace_back(std::make_unique<Probe>(*this, endpoint));
    with_.counts.add(Counts::checks);
    probe.begin(*source);
  } catch (const std::bad_alloc&) {  // The next time, then.
  }
}

void HealthChecks::end(Probe& probe) noexcept {
  const auto found = std::ranges::find(running_, &probe, &std::unique_ptr<Probe>::get);
  ended_.push_back(std::move(*found));
  running_.erase(found);
  with_.loop.defer(*this);
}

void HealthChecks::run_deferred() noexcept {
  ended_.clear();
}

}  // namespace tercel::gateway
