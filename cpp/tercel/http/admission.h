// The limit of concurrent requests, and the queue before it.
//
//   if (admission.try_enter()) serve();
//   else if (Ticket* ticket = admission.wait(wire)) ...   // wire.revisit() when it is its turn
//   else refuse(Errc::kOverloaded);
//   ...
//   admission.leave();
//
// First come, first served: who leaves hands the place to the one who waited longest. Both numbers
// are bounded; a waiting connection reads nothing from its peer. Resource: one a loop, one thread.
// Cost: constant; memory only for those who wait. Tested by admission_test.cc.
#pragma once

#include <chrono>
#include <cstddef>

#include "tercel/base/intrusive_list.h"
#include "tercel/base/slab.h"
#include "tercel/http/wire.h"

namespace tercel::http {

class Admission {
 public:
  // A place in the queue.
  class Ticket : private ListNode {
   public:
    explicit Ticket(Wire& wire) noexcept : wire_{wire}, since_{wire.now()} {}
    // True once the place is taken.
    [[nodiscard]] bool admitted() const noexcept { return !linked(); }
    // How long it has been held.
    [[nodiscard]] std::chrono::nanoseconds waited() const noexcept { return wire_.now() - since_; }

   private:
    friend class Admission;
    friend class IntrusiveList<Ticket>;
    Wire& wire_;
    std::chrono::nanoseconds since_;
  };

  // `active_max` 0: no limit, and nobody ever waits.
  void limit(std::size_t active_max, std::size_t waiting_max) noexcept {
    active_max_ = active_max;
    waiting_max_ = waiting_max;
  }

  // Takes a place, if there is one and nobody waits for it.
  [[nodiscard]] bool try_enter() noexcept {
    if (active_max_ != 0 && (active_ >= active_max_ || waiting_ > 0)) return false;
    ++active_;
    return true;
  }
  // Gives a place back.
  void leave() noexcept;

  // Queues up; null when the queue is full, or memory exhausted. When a place is taken in its name,
  // the connection is revisited.
  [[nodiscard]] Ticket* wait(Wire& wire) noexcept;
  // Who holds an admitted ticket goes on: the place stays taken.
  void redeem(Ticket* ticket) noexcept { tickets_.destroy(ticket); }
  // Who waits goes away: out of the queue, or with a place that it gives back.
  void abandon(Ticket* ticket) noexcept;

  [[nodiscard]] std::size_t active() const noexcept { return active_; }
  [[nodiscard]] std::size_t waiting() const noexcept { return waiting_; }

 private:
  std::size_t active_ = 0;
  std::size_t active_max_ = 0;
  std::size_t waiting_ = 0;
  std::size_t waiting_max_ = 0;
  Slab<Ticket> tickets_;
  IntrusiveList<Ticket> queue_;
};

}  // namespace tercel::http
