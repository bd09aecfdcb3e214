#include "tercel/gateway/attempts.h"

#include "tercel/base/errors.h"

namespace tercel::gateway {

using std::chrono::nanoseconds;

static_assert(Backend::kEndpointsMax <= 32, "each has a bit");

namespace {

// A failure of the endpoint, and not of a connection that it had closed, or of a limit of ours.
bool tells_of_endpoint(const proxy::FailedAttempt& failed) noexcept {
  if (failed.reused && proxy::nothing_was_lost(failed)) return false;
  if (failed.status != 0) return true;
  return info(failed.error).blame == Blame::kUpstream && failed.error != Errc::kUpstreamBusy;
}

// Numbers that differ are enough. Source: Knuth, "The Art of Computer Programming", 6.4.
std::uint32_t chance_of(nanoseconds now) noexcept {
  return static_cast<std::uint32_t>(now.count()) * 2'654'435'761U;
}

}  // namespace

bool same_place(const Backend& one, const Backend& other) noexcept {
  for (std::size_t i = 0; i < one.endpoints(); ++i) {
    const Endpoint& mine = one.endpoint(i);
    for (std::size_t k = 0; k < other.endpoints(); ++k) {
      const Endpoint& its = other.endpoint(k);
      if (mine.secure == its.secure && mine.host == its.host && mine.port == its.port) return true;
    }
  }
  return false;
}

std::size_t Attempts::choose(nanoseconds now, std::size_t turn) const noexcept {
  const std::size_t count = backend_->endpoints();
  const std::size_t begin = backend_->takes_turns ? turn % count : 0;
  for (std::size_t i = 0; i < count; ++i) {
    const std::size_t index = (begin + i) % count;
    if (!tried(index) && backend_->endpoint(index).health->usable(now)) return index;
  }
  // Rather one that rests than one that has just failed this request.
  std::size_t best = count;
  for (std::size_t i = 0; i < count; ++i) {
    const std::size_t index = (begin + i) % count;
    const EndpointHealth& health = *backend_->endpoint(index).health;
    if (tried(index)) continue;
    if (best == count || health.rests_since() < backend_->endpoint(best).health->rests_since()) {
      best = index;
    }
  }
  return best < count ? best : begin;
}

const Endpoint& Attempts::next(const Backend& backend, nanoseconds now, std::size_t turn) noexcept {
  const bool first = backend_ != &backend;
  if (first) {
    if (backend_ != nullptr && budget_ == nullptr) budget_ = &endpoint().health->retries;
    backend_ = &backend;
    index_ = 0;
    tried_ = 0;
  }
  // A connection that was closed while idle says nothing of its endpoint.
  if (backend.endpoints() > 1 && (first || tried(index_))) {
    if ((tried_ + 1) >> backend.endpoints() != 0) tried_ = 0;  // All of them: from the beginning.
    index_ = choose(now, turn);
  }
  return backend.endpoint(index_);
}

unsigned Attempts::others(const proxy::FailedAttempt& failed, nanoseconds now) const noexcept {
  unsigned all = 0;
  unsigned awake = 0;
  for (std::size_t i = 0; i < backend_->endpoints(); ++i) {
    if (tried(i)) continue;
    ++all;
    if (!backend_->endpoint(i).health->rests_at(now)) ++awake;
  }
  // Where nothing was sent, and it took no time, those that rest are better than nothing.
  const bool fast = failed.status == 0 && failed.progress == proxy::Progress::kUnsent &&
                    failed.error != Errc::kUpstreamTimeout;
  return awake == 0 && fast ? all : awake;
}

std::optional<nanoseconds> Attempts::after(const proxy::FailedAttempt& failed, nanoseconds now,
                                           Counts& counts) noexcept {
  EndpointHealth& health = *backend_->endpoint(index_).health;
  if (tells_of_endpoint(failed)) {
    if (health.failed(now)) counts.add(Counts::rested);
    tried_ |= 1U << index_;
  }
  const unsigned others = tried(index_) ? this->others(failed, now) : 0;
  proxy::RetryBudget& budget = budget_ != nullptr ? *budget_ : health.retries;
  const auto pause = rule_.after(failed, {backend_->retry, budget, others, chance_of(now)});
  if (pause) counts.add(others > 0 ? Counts::failed_over : Counts::retried);
  return pause;
}

}  // namespace tercel::gateway
