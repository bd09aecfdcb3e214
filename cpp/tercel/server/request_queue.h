// Requests that wait for a thread of a pool: first come, first served.
//
// A thread that finds nothing is remembered, and its loop is woken when there is something; of
// several, the one that was busy last, whose memory is warm. A lock, held for a few instructions.
// Resource: one a pool. Thread: any. Tested by thread_pool_test.cc.
#pragma once

#include <cstddef>
#include <mutex>
#include <vector>

#include "tercel/net/loop.h"
#include "tercel/net/mailbox.h"
#include "tercel/server/mail.h"

namespace tercel::server {

class RequestQueue {
 public:
  // A thread that takes requests. Lives as long as the queue.
  struct Taker {
    explicit Taker(net::Loop& woken) noexcept : loop{woken} {}
    net::Loop& loop;
    bool waits = false;  // The queue's.
  };

  // `takers`: so many there are at most.
  explicit RequestQueue(std::size_t takers) { waiting_.reserve(takers); }
  RequestQueue(const RequestQueue&) = delete;
  RequestQueue& operator=(const RequestQueue&) = delete;

  // Letters of `count` requests.
  void push(net::MailBatch<Mail> letters, std::size_t count) noexcept;
  // The letter of the next request, or null; then the loop of `taker` is woken when there is one.
  [[nodiscard]] Mail* take(Taker& taker) noexcept;
  // The same without waiting for more.
  [[nodiscard]] Mail* take() noexcept;

 private:
  [[nodiscard]] Taker* next_to_wake() noexcept;

  std::mutex mutex_;
  net::MailBatch<Mail> letters_;
  std::vector<Taker*> waiting_;
};

}  // namespace tercel::server
