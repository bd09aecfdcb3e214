#include "tercel/server/client_counts.h"

#include <algorithm>
#include <cstdlib>
#include <span>
#include <utility>

#include "tercel/base/assert.h"

namespace tercel::server {

bool ClientCounts::enter(const Address& peer) noexcept {
  if (connections_max_ == 0) return true;
  const auto client = client_id(peer);
  if (!client) return true;
  const std::lock_guard lock{mutex_};
  if (add(*client)) return true;
  refused_.fetch_add(1, std::memory_order_relaxed);
  return false;
}

bool ClientCounts::add(ClientId client) noexcept {
  // Half of the places stay free: a search is short, and ends.
  if (clients_ * 2 >= places_ && !resize(std::max(kPlacesMin, places_ * 2))) return false;
  Place& place = find(client);
  if (place.connections == connections_max_) return false;
  if (place.connections++ == 0) {
    place.client = client;
    ++clients_;
  }
  return true;
}

void ClientCounts::leave(const Address& peer) noexcept {
  if (connections_max_ == 0) return;
  const auto client = client_id(peer);
  if (!client) return;
  const std::lock_guard lock{mutex_};
  if (TERCEL_BUG_IF(clients_ == 0)) return;
  Place& place = find(*client);
  if (TERCEL_BUG_IF(place.connections == 0)) return;
  if (--place.connections > 0) return;
  remove(place);
  --clients_;
  // Far from where it grows: a client that comes and goes does not resize it each time.
  if (places_ > kPlacesMin && clients_ * 8 < places_) static_cast<void>(resize(places_ / 2));
}

ClientCounts::Place& ClientCounts::find(ClientId client) noexcept {
  for (std::size_t i = home(client);; i = (i + 1) & (places_ - 1)) {
    Place& place = table_[i];
    if (place.connections == 0 || place.client == client) return place;
  }
}

// Moves back what stands behind the gap and could be found no more.
void ClientCounts::remove(Place& place) noexcept {
  const std::size_t mask = places_ - 1;
  auto gap = static_cast<std::size_t>(&place - table_.get());
  for (std::size_t i = (gap + 1) & mask; table_[i].connections != 0; i = (i + 1) & mask) {
    const std::size_t from_home = (i - home(table_[i].client)) & mask;
    const std::size_t from_gap = (i - gap) & mask;
    if (from_home < from_gap) continue;  // Its home is behind the gap.
    table_[gap] = table_[i];
    gap = i;
  }
  table_[gap] = {};
}

bool ClientCounts::resize(std::size_t places) noexcept {
  Table table{static_cast<Place*>(std::calloc(places, sizeof(Place)))};
  if (table == nullptr) return false;
  const Table before = std::exchange(table_, std::move(table));
  const std::span old{before.get(), std::exchange(places_, places)};
  for (const Place& place : old) {
    if (place.connections != 0) find(place.client) = place;
  }
  return true;
}

}  // namespace tercel::server
