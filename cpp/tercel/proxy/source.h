// Where the connections to an origin come from: the seam between a request and a pool.
//
//   source.acquire(waiter, Freshness::kAny);  // Waiter::on_connection() now or later, or
//                                             // Waiter::on_no_connection().
//   source.release(connection);               // It knows itself whether it can be reused.
//
// A source is one origin: its addresses, its TLS, its limits. It makes the connections, owns them,
// keeps the idle ones, and bounds how long a waiter waits. Thread: one loop's.
#pragma once

#include <chrono>
#include <cstdint>

#include "tercel/base/errors.h"
#include "tercel/base/intrusive_list.h"
#include "tercel/proxy/upstream_connection.h"

namespace tercel::proxy {

// A connection that was idle may have been closed by the origin just now.
enum class Freshness : std::uint8_t {
  kUnchecked,  // One of which the loop has heard nothing: for a request that can be repeated.
  kAny,        // One of which the kernel has heard nothing, either. Cost: a system call.
  kNew
};

// Who wants a connection. Intrusive: waits in one source at a time.
class Waiter : private ListNode {
 public:
  // Lends a connection until release(). It was never used, or is idle: nothing is unread or unsent.
  virtual void on_connection(UpstreamConnection& connection) noexcept = 0;
  // There is none: kUpstreamUnreachable, kUpstreamTimeout, kUpstreamBusy, or of the machine.
  virtual void on_no_connection(Errc error) noexcept = 0;

 protected:
  Waiter() noexcept = default;
  virtual ~Waiter() = default;

 private:
  friend class IntrusiveList<Waiter>;
  friend class Pool;
  std::chrono::nanoseconds due_{0};  // Until when it waits, for the pool that it waits in.
};

class Source {
 public:
  // Answers the waiter exactly once, perhaps before acquire() returns, unless withdraw() is first.
  virtual void acquire(Waiter& waiter, Freshness freshness) noexcept = 0;
  // The waiter wants none any more. REQUIRES: it waits.
  virtual void withdraw(Waiter& waiter) noexcept = 0;
  // The request is over. The source keeps the connection if it is reusable(), and ends it if not.
  virtual void release(UpstreamConnection& connection) noexcept = 0;

 protected:
  ~Source() = default;
};

}  // namespace tercel::proxy
