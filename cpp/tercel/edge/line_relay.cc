#include "tercel/edge/line_relay.h"

#include <utility>

#include "tercel/base/assert.h"

namespace tercel::edge {

Result<std::unique_ptr<LineInbox>> LineInbox::create(net::Loop& loop, Reader& reader) {
  std::unique_ptr<LineInbox> inbox{new LineInbox(reader)};  // The constructor is private.
  auto mailbox = net::Mailbox<LinePage>::create(loop, *inbox);
  if (!mailbox) return fail(mailbox.error());
  inbox->mailbox_ = *std::move(mailbox);
  return inbox;
}

void LineInbox::on_mail(net::MailBatch<LinePage> batch) noexcept {
  while (LinePage* page = batch.pop()) {
    reader_.on_lines({&page->bytes[0], page->filled}, page->lost);
    page->filled = 0;
    page->away.store(false, std::memory_order_release);
  }
}

LineRelay::LineRelay(net::Loop& loop, LineInbox& inbox) : loop_{loop}, inbox_{inbox} {
  for (LinePage& page : pages_) page.bytes = std::make_unique_for_overwrite<char[]>(kPageBytes);
}

LineRelay::~LineRelay() {
  for (LinePage& page : pages_) {
    static_cast<void>(TERCEL_BUG_IF(page.away.load(std::memory_order_acquire)));
  }
}

LinePage* LineRelay::page() noexcept {
  LinePage& page = pages_[filling_];
  return page.away.load(std::memory_order_acquire) ? nullptr : &page;
}

std::span<char> LineRelay::room(std::size_t bytes) noexcept {
  LinePage* filling = page();
  if (filling != nullptr && kPageBytes - filling->filled < bytes && filling->filled > 0) {
    hand_over(*filling);
    filling = page();
  }
  if (filling == nullptr || kPageBytes - filling->filled < bytes) {
    drop();
    return {};
  }
  return {&filling->bytes[filling->filled], bytes};
}

void LineRelay::commit(std::size_t bytes) noexcept {
  pages_[filling_].filled += bytes;
  if (!queued() && !armed()) loop_.defer(*this);
}

void LineRelay::drop() noexcept {
  ++lost_;
  if (!queued() && !armed()) loop_.defer(*this);
}

// One page for a reader that is busy: with the second it would have no more to do, and the lines of
// the next turns no room.
void LineRelay::flush() noexcept {
  LinePage* const filling = page();
  // A page that is away is the reader's, with all that it holds.
  if ((filling == nullptr || filling->filled == 0) && lost_ == 0) return;
  const LinePage& other = pages_[1 - filling_];
  if (filling == nullptr || other.away.load(std::memory_order_acquire)) {
    loop_.timers().arm(*this, loop_.now() + net::TimerWheel::kTick);
    return;
  }
  hand_over(*filling);
}

void LineRelay::hand_over(LinePage& filled) noexcept {
  filled.lost = std::exchange(lost_, 0);
  filled.away.store(true, std::memory_order_relaxed);
  filling_ = 1 - filling_;
  inbox_.push(filled);
}

}  // namespace tercel::edge
