#include "tercel/proxy/pool.h"

#include <algorithm>
#include <new>
#include <utility>

#include "tercel/base/assert.h"

namespace tercel::proxy {

using std::chrono::nanoseconds;

// --- a connection on its way

void Pool::Dial::start() noexcept {
  due_ = pool_.loop_.now() + pool_.limits_.connect_timeout;
  if (!pool_.origin_.unix_path.empty()) {
    return connector_.start_unix(pool_.origin_.unix_path, due_);
  }
  const net::Resolver::Found found = pool_.resolver_.resolve(pool_.origin_.host, *this);
  if (found.state != net::Resolver::State::kWaits) on_resolved(found);
}

void Pool::Dial::on_resolved(const net::Resolver::Found& found) noexcept {
  if (found.state != net::Resolver::State::kKnown) return on_failed(found.error);
  std::array<Address, net::Connector::kAddressesMax> addresses;
  const std::size_t count = std::min(found.addresses.size(), addresses.size());
  std::ranges::copy(found.addresses.first(count), addresses.begin());
  for (Address& address : std::span{addresses}.first(count)) address.port = pool_.origin_.port;
  net::Connector::Security security;
  if (pool_.origin_.tls) security = {&*pool_.origin_.tls, &pool_.sessions_, &pool_.origin_.host};
  connector_.start(std::span{addresses}.first(count), security, due_);
}

void Pool::Dial::on_connected(std::unique_ptr<net::Stream> stream) noexcept {
  pool_.on_dialed(*this, std::move(stream));
}

void Pool::Dial::on_failed(Errc error) noexcept {
  pool_.on_dial_failed(*this, error);
}

// --- the pool

Pool::Pool(net::Loop& loop, net::Resolver& resolver, Origin origin, const PoolLimits& limits)
    : loop_{loop}, resolver_{resolver}, origin_{std::move(origin)}, limits_{limits} {
  TERCEL_ASSERT(limits.retry_min.count() > 0);
  idle_.reserve(limits.idle_max);
  ended_.reserve(limits.connections_max);
  ended_dials_.reserve(limits.connections_max);
}

Pool::~Pool() {
  TERCEL_ASSERT(waiting_ == 0);
}

void Pool::acquire(Waiter& waiter, Freshness freshness) noexcept {
  if (freshness != Freshness::kNew) {
    if (UpstreamConnection* const connection = take_idle(freshness)) {
      ++counts_.lent;
      return waiter.on_connection(*connection);
    }
  }
  const bool wants_new = freshness == Freshness::kNew;
  if (must_pause() && dials_.empty() && (wants_new || !one_comes_back())) {
    return waiter.on_no_connection(last_error_);
  }
  if (waiting_ == limits_.waiters_max) return waiter.on_no_connection(Errc::kUpstreamBusy);
  // A connection that is begun for it has a time limit of its own.
  waiter.due_ = loop_.now() + limits_.wait_timeout;
  if (may_open() && !must_pause()) waiter.due_ += limits_.connect_timeout;
  (wants_new ? new_waiters_ : waiters_).push_back(waiter);
  ++waiting_;
  if (!may_open()) ++counts_.waited;
  open_for_waiters();
}

void Pool::withdraw(Waiter& waiter) noexcept {
  waiter.unlink();
  --waiting_;
}

void Pool::release(UpstreamConnection& connection) noexcept {
  // Whoever waits gets it at once: what is behind the last response would be the answer to a
  // request that was not sent yet. One that is kept is looked at when it is lent.
  const bool usable = waiting_ == 0 ? connection.reusable() : connection.seems_usable();
  if (!usable) {
    end(connection);
    return open_for_waiters();
  }
  keep(connection);
}

UpstreamConnection* Pool::take_idle(Freshness freshness) noexcept {
  while (!idle_.empty()) {
    UpstreamConnection& connection = *idle_.back().connection;
    idle_.pop_back();
    const bool usable =
        freshness == Freshness::kUnchecked ? connection.seems_usable() : connection.still_usable();
    if (usable) return &connection;
    end(connection);
  }
  return nullptr;
}

bool Pool::one_comes_back() const noexcept {
  return std::ranges::any_of(connections_, [](const auto& one) { return !one.second->spoiled(); });
}

bool Pool::end_oldest_idle() noexcept {
  if (idle_.empty()) return false;
  UpstreamConnection& oldest = *idle_.front().connection;
  idle_.erase(idle_.begin());
  end(oldest);
  return true;
}

// As many connections are on their way as there are who wait, and may be. Where one is idle, they
// all want a new one, for which it makes room.
void Pool::open_for_waiters() noexcept {
  // One that fails at once puts off the next.
  while (dials_.size() < waiting_ && !must_pause() && (may_open() || end_oldest_idle())) {
    Dial* begun = nullptr;
    try {
      begun = dials_.emplace_back(std::make_unique<Dial>(*this)).get();
    } catch (const std::bad_alloc&) {
      return put_off(Errc::kNoMemory);
    }
    begun->start();
  }
  if (must_pause()) refuse_in_vain();
  arm();
}

void Pool::on_dialed(Dial& dial, std::unique_ptr<net::Stream> stream) noexcept {
  end(dial);
  UpstreamConnection* connection = nullptr;
  try {
    auto made =
        std::make_unique<UpstreamConnection>(loop_, std::move(stream), static_cast<Keeper&>(*this));
    if (const auto watched = made->watch(); !watched) return put_off(watched.error());
    connection = made.get();
    connections_.emplace(connection, std::move(made));
  } catch (const std::bad_alloc&) {
    return put_off(Errc::kNoMemory);
  }
  ++counts_.opened;
  failures_ = 0;
  retry_after_ = nanoseconds{0};
  keep(*connection);
  open_for_waiters();  // Those who came in a pause have none on its way yet.
}

void Pool::on_dial_failed(Dial& dial, Errc error) noexcept {
  end(dial);
  put_off(error);
}

void Pool::put_off(Errc error) noexcept {
  ++counts_.failed;
  last_error_ = error;
  const std::uint32_t doubled = std::min(failures_++, 10U);
  const nanoseconds pause =
      std::min<nanoseconds>(limits_.retry_min * (1 << doubled), limits_.retry_max);
  // Numerical Recipes' generator: it need not be good.
  spread_ = spread_ * 1664525U + 1013904223U +
            static_cast<std::uint32_t>(reinterpret_cast<std::uintptr_t>(this) >> 4);
  retry_after_ = loop_.now() + pause / 2 + pause * (spread_ >> 24) / 512;
  refuse_in_vain();
  arm();
}

// Those who could wait only for the next attempt would fail the same way, one time limit after the
// other.
void Pool::refuse_in_vain() noexcept {
  if (!dials_.empty()) return;
  refuse(new_waiters_, last_error_);
  if (!one_comes_back()) refuse(waiters_, last_error_);
}

void Pool::refuse(IntrusiveList<Waiter>& waiters, Errc error) noexcept {
  IntrusiveList<Waiter> refused;
  refused.take_all(waiters);
  while (Waiter* const waiter = refused.pop_front()) {
    --waiting_;
    waiter->on_no_connection(error);
  }
}

void Pool::end(Dial& dial) noexcept {
  const auto found = std::ranges::find(dials_, &dial, &std::unique_ptr<Dial>::get);
  if (found == dials_.end()) return;
  ended_dials_.push_back(std::move(*found));
  dials_.erase(found);
  loop_.defer(*this);
}

void Pool::end(UpstreamConnection& connection) noexcept {
  const auto found = connections_.find(&connection);
  if (found == connections_.end()) return;
  ended_.push_back(std::move(found->second));
  connections_.erase(found);
  loop_.defer(*this);
}

// To the first who takes it, or to the idle ones.
void Pool::keep(UpstreamConnection& connection) noexcept {
  const bool is_new = connection.requests() == 0;
  Waiter* taker = is_new ? new_waiters_.front() : nullptr;
  if (taker == nullptr) taker = waiters_.front();
  if (taker != nullptr) {
    withdraw(*taker);
    return taker->on_connection(connection);
  }
  if (idle_.size() < limits_.idle_max) {
    idle_.push_back({&connection, loop_.now()});
    loop_.timers().arm_by(*this, idle_.front().since + limits_.idle_timeout);
  } else {
    end(connection);
  }
  if (waiting_ > 0) open_for_waiters();
}

void Pool::on_unusable(UpstreamConnection& connection) noexcept {
  std::erase_if(idle_, [&](const Idle& one) { return one.connection == &connection; });
  end(connection);
}

void Pool::arm() noexcept {
  net::TimerWheel& timers = loop_.timers();
  for (IntrusiveList<Waiter>* const waiters : {&waiters_, &new_waiters_}) {
    if (Waiter* const first = waiters->front()) timers.arm_by(*this, first->due_);
  }
  if (!idle_.empty()) timers.arm_by(*this, idle_.front().since + limits_.idle_timeout);
  const bool lacks = dials_.size() < waiting_ && (may_open() || !idle_.empty());
  if (lacks && must_pause()) timers.arm_by(*this, retry_after_);
}

void Pool::on_timer() noexcept {
  const nanoseconds now = loop_.now();
  const auto fresh = std::ranges::find_if(
      idle_, [&](const Idle& one) { return one.since + limits_.idle_timeout > now; });
  for (auto old = idle_.begin(); old != fresh; ++old) end(*old->connection);
  idle_.erase(idle_.begin(), fresh);
  refuse_overdue(waiters_);
  refuse_overdue(new_waiters_);
  open_for_waiters();
}

// The limits of those behind may be earlier, but not by more than a connection may take.
void Pool::refuse_overdue(IntrusiveList<Waiter>& waiters) noexcept {
  while (Waiter* const first = waiters.front()) {
    if (first->due_ > loop_.now()) return;
    withdraw(*first);
    first->on_no_connection(failures_ > 0 ? last_error_ : Errc::kUpstreamBusy);
  }
}

void Pool::run_deferred() noexcept {
  ended_.clear();
  ended_dials_.clear();
}

}  // namespace tercel::proxy
