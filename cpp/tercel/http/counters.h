// What one loop counts: for its own process, or, in memory that processes share, for others.
//
//   Counters* counters = statistics.slot(3);
//   counters->count(summary);                    // The loop,
//   counters->requests.load(memory_order_relaxed)  // and whoever wants to know.
//
// Written by one thread, which makes a count an addition without a lock; read by any, of any
// process, number by number: two of them need not be of the same moment. Tested by
// statistics_test.cc.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>

#include "tercel/http/recorder.h"

namespace tercel::http {

struct alignas(128) Counters {  // Neighbours are other threads'.
  using Number = std::atomic<std::uint64_t>;
  static_assert(Number::is_always_lock_free);

  // Now.
  Number connections{0};
  Number active{0};   // Requests whose answer is not complete.
  Number waiting{0};  // Requests in the queue of concurrent requests.
  // So far.
  Number accepted{0};  // Connections.
  Number requests{0};  // Answered, refused or given up.
  // Of those, by the first digit of the final status; 0: none was sent.
  std::array<Number, 6> statuses{};
  Number aborted{0};     // Not sent whole, because of the server or the application,
  Number peer_gone{0};   // or of the client.
  Number body_bytes{0};  // Of responses.

  static void add(Number& number, std::uint64_t more) noexcept {
    number.store(number.load(std::memory_order_relaxed) + more, std::memory_order_relaxed);
  }
  void count(const Summary& summary) noexcept {
    add(requests, 1);
    const std::size_t digit = summary.status / 100;
    add(statuses[digit < statuses.size() ? digit : 0], 1);
    if (summary.outcome == Outcome::kAborted) add(aborted, 1);
    if (summary.outcome == Outcome::kPeerGone) add(peer_gone, 1);
    add(body_bytes, summary.body_bytes);
  }
};

}  // namespace tercel::http
