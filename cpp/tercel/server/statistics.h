// The counters of all loops of all processes of a server, in memory that they share.
//
//   auto statistics = Statistics::create();        // Before the fork;
//   Counters* mine = (*statistics)->slot(2, 0);    // in the third worker, for its first loop.
//   (*statistics)->retire(2);                      // When it has ended: what it counted stays.
//   Statistics::Numbers all = (*statistics)->total();  // In any of them.
//
// A loop has a slot, which another one gets when its process has ended, and goes on counting there:
// so the sum of all never falls, whoever reads it at whichever moment. Beside the counters a slot
// has room for what an application counts. Resource: a mapping that every process of the server
// inherits. Thread: each slot has one writer; slot() of a process and retire() of it are not called
// at the same time, nor is of() with retire(); the sums are for everybody. Tested by
// statistics_test.cc.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>

#include "tercel/base/histogram.h"
#include "tercel/base/result.h"
#include "tercel/http/counters.h"

namespace tercel::server {

class Statistics {
 public:
  // Loops at one time, with those of processes that are being replaced.
  static constexpr std::size_t kSlotsMax = 4096;
  static constexpr std::size_t kRoomBytes = 8192;
  // At the start of a room: what is so now, and is zero when the process has ended.
  static constexpr std::size_t kRoomGaugesBytes = 16;

  // The sum of what loops counted.
  struct Numbers {
    std::uint64_t connections = 0, active = 0, waiting = 0;
    std::uint64_t accepted = 0, requests = 0;
    std::uint64_t by_method[http::kMethods.size()][6] = {};
    std::uint64_t aborted = 0, peer_gone = 0, request_bytes = 0, body_bytes = 0;
    Histogram::Numbers durations;

    void add(const http::Counters& counters) noexcept;
    Numbers& operator+=(const Numbers& other) noexcept;
    // What came since `before`, of numbers that never fall.
    Numbers& operator-=(const Numbers& before) noexcept;
    // Of all methods together.
    [[nodiscard]] std::uint64_t status(std::size_t first_digit) const noexcept;
  };

  // Fails with kNoMemory. What nobody counts in takes no memory.
  [[nodiscard]] static Result<std::unique_ptr<Statistics>> create();
  Statistics(const Statistics&) = delete;
  Statistics& operator=(const Statistics&) = delete;
  ~Statistics();

  // Of that loop: the same one each time. Null where there are too many.
  [[nodiscard]] http::Counters* slot(std::size_t process, std::size_t loop) noexcept;
  // kRoomBytes beside it: zeros, or what another loop left there; null likewise.
  [[nodiscard]] void* room(std::size_t process, std::size_t loop) noexcept;
  // What one process has counted since it has its slots.
  [[nodiscard]] Numbers of(std::size_t process) const noexcept;
  // A process has ended: its slots are free, and what it counted so far is kept. Calls `see` with
  // the counters of each, before.
  template <typename See>
  void retire(std::size_t process, See see) noexcept {
    for (std::size_t i = 0; i < used(); ++i) {
      if (!belongs_to(i, process)) continue;
      see(&slots_[i].counters);
      free(i);
    }
  }
  void retire(std::size_t process) noexcept {
    retire(process, [](const http::Counters*) {});
  }
  // Of processes that have ended; and of all.
  [[nodiscard]] Numbers retired() const noexcept;
  [[nodiscard]] Numbers total() const noexcept;
  // Calls `see` with each room that is or was in use.
  template <typename See>
  void for_each_room(See see) const noexcept {
    for (std::size_t i = 0; i < used(); ++i) see(static_cast<const void*>(rooms_[i].data()));
  }

 private:
  // Process and loop that have it, and 0: nobody.
  using Owner = std::atomic<std::uint64_t>;
  struct Slot {
    Owner owner;
    Numbers before;  // What others counted here. Written by the owner before it is one.
    http::Counters counters;
  };
  using Room = std::array<char, kRoomBytes>;
  struct Memory {
    std::atomic<std::size_t> used;  // Slots behind these never had an owner.
    alignas(128) std::array<Slot, kSlotsMax> slots;
    alignas(128) std::array<Room, kSlotsMax> rooms;
  };

  explicit Statistics(Memory* memory) noexcept
      : memory_{memory}, slots_{memory->slots.data()}, rooms_{memory->rooms.data()} {}
  [[nodiscard]] std::size_t used() const noexcept {
    return memory_->used.load(std::memory_order_acquire);
  }
  // Of that loop; kSlotsMax: there is none left.
  [[nodiscard]] std::size_t claim(std::size_t process, std::size_t loop) noexcept;
  [[nodiscard]] bool belongs_to(std::size_t index, std::size_t process) const noexcept;
  [[nodiscard]] bool is_owned_by(std::size_t index, std::size_t process) const noexcept;
  [[nodiscard]] static Numbers retired(Slot& slot) noexcept;
  void free(std::size_t index) noexcept;

  Memory* memory_;
  Slot* slots_;
  Room* rooms_;
};

}  // namespace tercel::server
