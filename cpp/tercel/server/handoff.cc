#include "tercel/server/handoff.h"

#include <algorithm>
#include <climits>
#include <utility>

#include "tercel/base/assert.h"
#include "tercel/http/message_copy.h"
#include "tercel/server/request_queue.h"

namespace tercel::server {
namespace {

// Gives up what a command owns, and the block that it lies in.
void retire(Command& command) noexcept {
  const Block block = std::move(command.block);
  if (const auto* write = std::get_if<Command::Write>(&command.step)) {
    if (write->payload.release != nullptr) write->payload.release(write->payload.owner);
  } else if (const auto* file = std::get_if<Command::WriteFile>(&command.step)) {
    if (file->range.release != nullptr) file->range.release(file->range.owner);
  }
}

}  // namespace

Crossing::Crossing(IoEnd& owner, AppEnd* taken_by, const http::Request& original,
                   http::Exchange& exchange, Block memory) noexcept
    : io{owner},
      ends{exchange.endpoints()},
      block{std::move(memory)},
      request{http::copy(original, block.data())},
      app{taken_by},
      keeper{*this, owner, exchange},
      stand_in{*this, request,
               std::span{block.data(), block.capacity()}.subspan(http::copy_bytes(original))} {}

// --- the application's end

Result<std::unique_ptr<AppEnd>> AppEnd::create(net::Loop& loop, http::Handler& handler,
                                               std::size_t high_water_bytes) {
  std::unique_ptr<AppEnd> end{new AppEnd(loop, handler, high_water_bytes)};
  auto mailbox = net::Mailbox<Mail>::create(loop, *end);
  if (!mailbox) return fail(mailbox.error());
  end->mailbox_ = *std::move(mailbox);
  return end;
}

AppEnd::~AppEnd() {
  const auto is_there = [](const Other& other) { return other.end != nullptr; };
  static_cast<void>(TERCEL_BUG_IF(std::ranges::any_of(others_, is_there)));
}

void AppEnd::on_mail(net::MailBatch<Mail> batch) noexcept {
  unread_.append(std::move(batch));
  work(kLettersPerTurn);
}

void AppEnd::run_deferred() noexcept {
  work(kLettersPerTurn);
}

bool AppEnd::work_off() noexcept {
  unread_.append(mailbox_->take_all());
  const bool any = !unread_.empty();
  work(INT_MAX);
  return any;
}

void AppEnd::take(Mail& letter) noexcept {
  letter.crossing->app = this;
  working_ = true;
  letter.crossing->stand_in.begin();
  working_ = false;
  flush();
}

void AppEnd::work(int letters_max) noexcept {
  const bool within_handler = std::exchange(working_, true);
  int letters = 0;
  while (letters < letters_max) {
    Mail* mail = unread_.pop();
    if (mail == nullptr) break;
    if (mail->kind == MailKind::kCommand) {
      retire(*static_cast<Command*>(mail));
      continue;
    }
    mail->crossing->stand_in.on_letter();
    if (++letters % kLettersPerFlush == 0) flush();
  }
  working_ = within_handler;
  flush();
  if (!unread_.empty()) loop_.defer(*this);
}

void AppEnd::handle(const http::Request& request, http::Exchange& exchange) noexcept {
  if (refusing_) {
    exchange.abort(Errc::kDraining);
  } else {
    handler_.handle(request, exchange);
  }
}

void AppEnd::post(Mail& mail) noexcept {
  others_[mail.crossing->io.number()].gathered.add(mail);
  if (!working_) loop_.defer(*this);
}

void AppEnd::flush() noexcept {
  for (Other& other : others_) {
    if (other.end != nullptr) other.end->push(other.gathered);
  }
}

void AppEnd::connect(IoEnd& end) {
  others_.push_back(Other{.end = &end, .gathered = {}});
}

void AppEnd::disconnect(const IoEnd& end) noexcept {
  for (Other& other : others_) {
    if (other.end == &end) other.end = nullptr;
  }
}

// --- the I/O thread's end

Result<std::unique_ptr<IoEnd>> IoEnd::create(net::Loop& loop, AppEnd& app) {
  AppEnd* const only = &app;
  return open(std::unique_ptr<IoEnd>{new IoEnd(loop, nullptr, std::span{&only, 1})});
}

Result<std::unique_ptr<IoEnd>> IoEnd::create(net::Loop& loop, RequestQueue& queue,
                                             std::span<AppEnd* const> apps) {
  return open(std::unique_ptr<IoEnd>{new IoEnd(loop, &queue, apps)});
}

Result<std::unique_ptr<IoEnd>> IoEnd::open(std::unique_ptr<IoEnd> end) {
  auto mailbox = net::Mailbox<Mail>::create(end->loop_, *end);
  if (!mailbox) return fail(mailbox.error());
  end->mailbox_ = *std::move(mailbox);
  return end;
}

IoEnd::IoEnd(net::Loop& loop, RequestQueue* queue, std::span<AppEnd* const> apps)
    : loop_{loop},
      queue_{queue},
      apps_(apps.begin(), apps.end()),
      number_{apps_.front()->others_.size()} {
  for (AppEnd* app : apps_) app->connect(*this);
}

IoEnd::~IoEnd() {
  for (AppEnd* app : apps_) app->disconnect(*this);
}

void IoEnd::send(Mail& mail, AppEnd* to) noexcept {
  if (to == nullptr) ++requests_;
  if (to == nullptr || queue_ == nullptr) {
    outgoing_.add(mail);
  } else {
    to->push(mail);
  }
}

void IoEnd::flush() noexcept {
  if (queue_ == nullptr) {
    apps_.front()->push(outgoing_);
  } else if (requests_ > 0) {
    queue_->push(outgoing_.take_all(), std::exchange(requests_, 0));
  }
}

void IoEnd::handle(const http::Request& request, http::Exchange& exchange) noexcept {
  if (orphans_ >= kOrphansMax) return exchange.abort(Errc::kOverloaded);
  Block block = loop_.blocks().take(http::copy_bytes(request) + Crossing::kRoomBytes);
  Crossing* crossing = block ? crossings_.make(*this, queue_ == nullptr ? apps_.front() : nullptr,
                                               request, exchange, std::move(block))
                             : nullptr;
  if (crossing == nullptr) return exchange.abort(Errc::kNoMemory);
  crossing->keeper.begin(crossing->request, /*waits_for_peers=*/queue_ != nullptr);
}

void IoEnd::on_mail(net::MailBatch<Mail> batch) noexcept {
  while (Mail* mail = batch.pop()) {
    Keeper& keeper = mail->crossing->keeper;
    switch (mail->kind) {
      case MailKind::kLetter:
        keeper.on_letter();
        break;
      case MailKind::kAsk:
        keeper.on_ask(static_cast<Ask*>(mail)->appetite);
        break;
      case MailKind::kCommand:
        keeper.apply(*static_cast<Command*>(mail));
        break;
    }
  }
}

bool IoEnd::work_off() noexcept {
  auto batch = mailbox_->take_all();
  const bool any = !batch.empty();
  on_mail(std::move(batch));
  flush();
  return any;
}

void IoEnd::destroy(Crossing& crossing, bool orphan) noexcept {
  if (orphan) --orphans_;
  crossings_.destroy(&crossing);
}

}  // namespace tercel::server
