#include "tercel/server/request_queue.h"

#include <algorithm>
#include <utility>

namespace tercel::server {

void RequestQueue::push(net::MailBatch<Mail> letters, std::size_t count) noexcept {
  {
    const std::scoped_lock lock{mutex_};
    letters_.append(std::move(letters));
  }
  // A thread that is woken would wait for the lock.
  for (; count > 0; --count) {
    Taker* const taker = next_to_wake();
    if (taker == nullptr) return;
    taker->loop.wake();
  }
}

RequestQueue::Taker* RequestQueue::next_to_wake() noexcept {
  const std::scoped_lock lock{mutex_};
  if (waiting_.empty() || letters_.empty()) return nullptr;
  Taker* const taker = waiting_.back();
  waiting_.pop_back();
  taker->waits = false;
  return taker;
}

Mail* RequestQueue::take(Taker& taker) noexcept {
  const std::scoped_lock lock{mutex_};
  Mail* const letter = letters_.pop();
  if (letter == nullptr) {
    if (!std::exchange(taker.waits, true)) waiting_.push_back(&taker);
  } else if (std::exchange(taker.waits, false)) {
    std::erase(waiting_, &taker);
  }
  return letter;
}

Mail* RequestQueue::take() noexcept {
  const std::scoped_lock lock{mutex_};
  return letters_.pop();
}

}  // namespace tercel::server
