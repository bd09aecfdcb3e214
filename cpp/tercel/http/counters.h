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
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "tercel/base/histogram.h"
#include "tercel/http/recorder.h"

namespace tercel::http {

// Methods that are counted apart; the last is all others.
inline constexpr std::array<std::string_view, 8> kMethods{"GET",   "HEAD",   "POST",    "PUT",
                                                          "PATCH", "DELETE", "OPTIONS", "other"};
inline constexpr std::uint8_t kOtherMethod = kMethods.size() - 1;
[[nodiscard]] constexpr std::uint8_t index_of_method(std::string_view method) noexcept {
  std::uint8_t index = 0;
  while (index < kOtherMethod && kMethods[index] != method) ++index;
  return index;
}

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
  // Of those, by method, if methods are told apart, and by the first digit of the final status; 0:
  // none was sent.
  std::array<std::array<Number, 6>, kMethods.size()> by_method{};
  Number aborted{0};        // Not sent whole, because of the server or the application,
  Number peer_gone{0};      // or of the client.
  Number request_bytes{0};  // Of the bodies of requests,
  Number body_bytes{0};     // and of responses.
  Histogram durations;      // Of requests, if it is measured.

  static void add(Number& number, std::uint64_t more) noexcept {
    number.store(number.load(std::memory_order_relaxed) + more, std::memory_order_relaxed);
  }
  void count(const Summary& summary, std::uint8_t method = kOtherMethod) noexcept {
    add(requests, 1);
    const std::size_t digit = summary.status / 100;
    auto& statuses = by_method[method];
    add(statuses[digit < statuses.size() ? digit : 0], 1);
    if (summary.outcome == Outcome::kAborted) add(aborted, 1);
    if (summary.outcome == Outcome::kPeerGone) add(peer_gone, 1);
    add(request_bytes, summary.request_bytes);
    add(body_bytes, summary.body_bytes);
  }
};

}  // namespace tercel::http
