// Open connections of each client, and the limit of them.
//
//   if (!counts.enter(peer)) return;  // Too many: close the connection.
//   ...
//   counts.leave(peer);
//
// An open-addressing table, at most half full, of clients that have a connection: their number
// bounds it, and it shrinks with them. The hash is keyed, so no choice of addresses makes the table
// slow. Peers without an address (Unix sockets) are neither counted nor limited; with a limit of 0
// nobody is.
//
// Resource: one a server, or one for all I/O threads of a ThreadedServer. Thread: any; there is a
// lock, which a connection takes twice in its life and a request never. Cost: constant, except
// where the table is resized; 16 to 128 bytes a client. Tested by client_counts_test.cc.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <mutex>

#include "tercel/base/client_id.h"
#include "tercel/base/keyed_hash.h"

namespace tercel::server {

class ClientCounts {
 public:
  // `connections_max` is for each client; 0: no limit.
  explicit ClientCounts(std::size_t connections_max, KeyedHash hash = KeyedHash::random()) noexcept
      : connections_max_{connections_max}, hash_{hash} {}
  ClientCounts(const ClientCounts&) = delete;
  ClientCounts& operator=(const ClientCounts&) = delete;

  // Counts a connection. False: the client has as many as it may, or memory is exhausted; then
  // nothing is counted but the refusal.
  [[nodiscard]] bool enter(const Address& peer) noexcept;
  // REQUIRES: enter() returned true for it.
  void leave(const Address& peer) noexcept;

  // Connections that enter() refused so far.
  [[nodiscard]] std::uint64_t refused() const noexcept {
    return refused_.load(std::memory_order_relaxed);
  }

  // Clients with a connection, and places for them.
  [[nodiscard]] std::size_t clients() const noexcept { return clients_; }
  [[nodiscard]] std::size_t places() const noexcept { return places_; }

 private:
  // A place without connections is free.
  struct Place {
    ClientId client;
    std::size_t connections;
  };
  // From calloc(): zeros are free places, and a large table takes memory as it fills.
  struct Free {
    void operator()(Place* table) const noexcept { std::free(table); }
  };
  using Table = std::unique_ptr<Place[], Free>;
  static constexpr std::size_t kPlacesMin = 64;

  [[nodiscard]] bool add(ClientId client) noexcept;
  // The client's place, or the free one where it belongs. REQUIRES: one is free.
  [[nodiscard]] Place& find(ClientId client) noexcept;
  [[nodiscard]] std::size_t home(ClientId client) const noexcept {
    return hash_(static_cast<std::uint64_t>(client)) & (places_ - 1);
  }
  void remove(Place& place) noexcept;
  // False: out of memory; the table is as before.
  bool resize(std::size_t places) noexcept;

  const std::size_t connections_max_;
  const KeyedHash hash_;
  std::mutex mutex_;
  Table table_;
  std::size_t places_ = 0;  // A power of two, or 0.
  std::size_t clients_ = 0;
  std::atomic<std::uint64_t> refused_{0};
};

}  // namespace tercel::server
