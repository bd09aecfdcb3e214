#include "tercel/gateway/policy.h"

#include <atomic>

namespace tercel::gateway {

std::uint64_t next_secret_version() noexcept {
  static std::atomic<std::uint64_t> last{0};
  return last.fetch_add(1, std::memory_order_relaxed) + 1;
}

std::size_t Policy::join(net::Mailbox<Inquiry>& box) {
  const std::scoped_lock lock{mutex_};
  desks_.push_back(&box);
  return desks_.size() - 1;
}

void Policy::leave(std::size_t desk) noexcept {
  const std::scoped_lock lock{mutex_};
  desks_[desk] = nullptr;
}

void Policy::reply(std::unique_ptr<Inquiry> inquiry) noexcept {
  const std::scoped_lock lock{mutex_};
  net::Mailbox<Inquiry>* const box = desks_[inquiry->desk];
  if (box != nullptr) box->push(*inquiry.release());
}

}  // namespace tercel::gateway
