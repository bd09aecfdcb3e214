// Keeps the lines of several LogFiles apart that write to the same place.
//
// A write is one system call and passes through at once; a line that takes several has the place to
// itself until its end is written. Nobody waits: who does not get in comes back later. It may lie
// in memory that processes share: then whoever sees one of them die calls leave() for it. Resource:
// outlives the files that share it. Thread: any, of any process. Tested by log_file_test.cc, also
// under TSan.
#pragma once

#include <atomic>

namespace tercel::edge {

class LineGate {
 public:
  LineGate() noexcept = default;
  LineGate(const LineGate&) = delete;
  LineGate& operator=(const LineGate&) = delete;

  // False: somebody else is in. True also for who is in already. `who` is a name, whatever it
  // points to: no two have the same.
  [[nodiscard]] bool enter(const void* who) noexcept {
    const void* in = nullptr;
    return in_.compare_exchange_strong(in, who, std::memory_order_acquire) || in == who;
  }
  // Does nothing for who is not in.
  void leave(const void* who) noexcept {
    const void* in = who;
    in_.compare_exchange_strong(in, nullptr, std::memory_order_release, std::memory_order_relaxed);
  }

 private:
  using Name = std::atomic<const void*>;
  static_assert(Name::is_always_lock_free, "else it could not be shared by processes");
  Name in_{nullptr};
};

}  // namespace tercel::edge
