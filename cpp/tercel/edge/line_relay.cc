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
    flush();
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
  if (!queued()) loop_.defer(*this);
}

// What the reader does not learn now it learns with the next line, or at the end.
void LineRelay::drop() noexcept {
  ++lost_;
  if (!queued()) loop_.defer(*this);
}

void LineRelay::flush() noexcept {
  LinePage* filled = page();
  if (filled == nullptr || (filled->filled == 0 && lost_ == 0)) return;
  filled->lost = std::exchange(lost_, 0);
  filled->away.store(true, std::memory_order_relaxed);
  filling_ = 1 - filling_;
  inbox_.push(*filled);
}

}  // namespace tercel::edge
