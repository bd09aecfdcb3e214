#include "tercel/net/mailbox.h"

#include <sys/eventfd.h>

#include <array>
#include <bit>
#include <cstdint>

namespace tercel::net {

MailboxCore::~MailboxCore() {
  // Whoever owned them believes that they are on their way.
  static_cast<void>(TERCEL_BUG_IF(top_.load(std::memory_order_relaxed) != nullptr));
  if (wake_fd_ < 0) return;
  loop_.unwatch(id_, wake_fd_);
  loop_.syscalls().close(wake_fd_);
}

Result<void> MailboxCore::open() noexcept {
  const int fd = loop_.syscalls().eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (fd < 0) return fail(error_of_call(fd));
  wake_fd_ = fd;
  // Each write is an edge: the counter is never read.
  const auto id = loop_.watch(fd, kReadable, Trigger::kEdge, *this);
  if (!id) return fail(id.error());
  id_ = *id;
  return {};
}

void MailboxCore::push_chain(MailNode* last, MailNode* first) noexcept {
  MailNode* below = top_.load(std::memory_order_relaxed);
  do {
    first->next_ = below;
    // Release: the reader sees what the sender wrote into its objects.
  } while (!top_.compare_exchange_weak(below, last, std::memory_order_release,
                                       std::memory_order_relaxed));
  // The objects are the reader's by now. If there were others, their sender wakes the reader.
  if (below != nullptr) return;
  const auto one = std::bit_cast<std::array<char, sizeof(std::uint64_t)>>(std::uint64_t{1});
  loop_.syscalls().write(wake_fd_, one);
}

MailChain MailboxCore::take_chain() noexcept {
  return in_order(top_.exchange(nullptr, std::memory_order_acquire));
}

MailChain in_order(MailNode* last) noexcept {
  MailNode* node = last;
  MailChain chain{.first = nullptr, .last = last};
  while (node != nullptr) {
    MailNode* const before = node->next_;
    node->next_ = chain.first;
    chain.first = node;
    node = before;
  }
  return chain;
}

void MailboxCore::on_ready(std::uint32_t) noexcept {
  // Empty when take_all() was here first.
  if (const MailChain chain = take_chain(); chain.first != nullptr) on_chain(chain);
}

}  // namespace tercel::net
