// The counters of all loops of all processes of a server, in memory that they share.
//
//   auto statistics = Statistics::create();        // Before the fork;
//   Counters* mine = (*statistics)->slot(2, 0);    // in the third worker, for its first loop.
//   (*statistics)->retire(2);                      // When it has ended: what it counted stays.
//
// Resource: a mapping that every process of the server inherits. Thread: each slot has one writer;
// retire() and total() are the maker's. Tested by statistics_test.cc.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

#include "tercel/base/result.h"
#include "tercel/http/counters.h"

namespace tercel::server {

class Statistics {
 public:
  // Processes at one time, with those that are being replaced; and loops of each.
  static constexpr std::size_t kProcessesMax = 2048;
  static constexpr std::size_t kLoopsMax = 64;

  // The sum of what loops counted.
  struct Numbers {
    std::uint64_t connections = 0, active = 0, waiting = 0;
    std::uint64_t accepted = 0, requests = 0;
    std::uint64_t statuses[6] = {};
    std::uint64_t aborted = 0, peer_gone = 0, body_bytes = 0;

    // Of `counters`, those so far, and those now if `with_gauges`.
    void add(const http::Counters& counters, bool with_gauges = true) noexcept;
    Numbers& operator+=(const Numbers& other) noexcept;
  };

  // Fails with kNoMemory. What nobody counts in takes no memory.
  [[nodiscard]] static Result<std::unique_ptr<Statistics>> create();
  Statistics(const Statistics&) = delete;
  Statistics& operator=(const Statistics&) = delete;
  ~Statistics();

  // Null beyond the end.
  [[nodiscard]] http::Counters* slot(std::size_t process, std::size_t loop) noexcept;
  // Of one process.
  [[nodiscard]] Numbers of(std::size_t process) const noexcept;
  // A process has ended: its place is free, and what it counted so far is kept.
  void retire(std::size_t process) noexcept;
  // Of processes that have ended.
  [[nodiscard]] const Numbers& retired() const noexcept { return retired_; }

 private:
  explicit Statistics(http::Counters* counters) noexcept : counters_{counters} {}

  http::Counters* counters_;
  Numbers retired_;
};

}  // namespace tercel::server
