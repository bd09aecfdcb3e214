// The I/O thread's half of a crossing: see crossing.h.
#include <algorithm>
#include <cstring>

#include "tercel/http/message_copy.h"
#include "tercel/server/crossing.h"
#include "tercel/server/handoff.h"

namespace tercel::server {
namespace {

// First size of the block of a part when more is to come: small chunks are gathered in it.
constexpr std::size_t kPartBytes = 4096;

// The client sends no body before it is asked to.
bool waits_to_be_asked(const http::Request& request) noexcept {
  return std::ranges::any_of(request.fields,
                             [](const http::Field& field) { return field.name == "expect"; });
}

// The exchange is done with what a command owns.
void on_released(void* owner) noexcept {
  auto& command = *static_cast<Command*>(owner);
  command.io->give_back(command);
}

}  // namespace

void Keeper::begin(const http::Request& request, bool waits_for_peers) noexcept {
  exchange_->observe(this);
  if (!request.has_body) input_ = http::BodyState::kEnd;
  // The exact size of a body may be told, but not reached.
  collecting_ = waits_for_peers && request.has_body &&
                request.content_length.value_or(0) <= kCollectBytes && !waits_to_be_asked(request);
  fill();
  tell();
}

// --- mail from the application

void Keeper::on_letter() noexcept {
  letter_here_ = true;
  if (last_word_) {
    io_.destroy(crossing_, end_.has_value());
    return;
  }
  satisfy(crossing_.letter.appetite);
  tell();
}

void Keeper::on_ask(const Appetite& appetite) noexcept {
  ++asks_seen_;
  satisfy(appetite);
  // Every ask is answered. One that crossed a part on its way is moot: the application asks again,
  // with the letter that tells so.
  if (!hungry_) news_ = true;
  tell();
}

// What a step of a command does to the exchange.
struct Keeper::Apply {
  Keeper& keeper;
  Command& command;
  http::Exchange& exchange;

  void operator()(const Command::Nothing&) const noexcept {}
  void operator()(const Command::Interim& interim) const noexcept {
    keeper.applied_bytes_ += http::copy_bytes(interim.response);
    (void)exchange.interim(interim.response);
    keeper.io_.give_back(command);
  }
  void operator()(const Command::Start& start) const noexcept {
    const Result<void> started = exchange.start(start.response);
    if (started && start.response.status == 101) keeper.open_tunnel();
    keeper.io_.give_back(command);
  }
  void operator()(const Command::Write& write) const noexcept {
    http::Payload payload = write.payload;
    keeper.applied_bytes_ += payload.bytes.size();
    const bool owning = payload.release != nullptr;
    if (owning) payload = http::Payload::own(payload.bytes, &command, &on_released);
    (void)exchange.write(payload, write.final);
    if (!owning) keeper.io_.give_back(command);
  }
  void operator()(const Command::WriteFile& write) const noexcept {
    http::FileRange range = write.range;
    keeper.applied_bytes_ += range.count;
    const bool owning = range.release != nullptr;
    if (owning) {
      range.owner = &command;
      range.release = &on_released;
    }
    (void)exchange.write_file(range, write.final);
    if (!owning) keeper.io_.give_back(command);
  }
  void operator()(const Command::Finish& finish) const noexcept {
    (void)exchange.finish(finish.trailers);
    keeper.io_.give_back(command);
  }
  void operator()(const Command::Abort& abort) const noexcept {
    exchange.abort(abort.error, abort.retry_after);
  }
};

void Keeper::apply(Command& command) noexcept {
  // Read before it is given back.
  last_word_ = command.last_word;
  if (command.with_letter) letter_here_ = true;
  if (exchange_ != nullptr) {
    std::visit(Apply{*this, command, *exchange_}, command.step);
  } else {
    io_.give_back(command);
  }
  if (!last_word_) {
    note_taken();
    tell();
    return;
  }
  // It refused the last part, because the request turned out to be broken: it knows what to answer.
  if (exchange_ != nullptr) exchange_->abort(Errc::kClosed);
  if (letter_here_) io_.destroy(crossing_, end_.has_value());
}

// --- what the exchange says

void Keeper::on_body() noexcept {
  fill();
  tell();
}

void Keeper::on_writable() noexcept {
  note_taken();
  tell();
}

void Keeper::on_notice(http::Notice notice) noexcept {
  (notice == http::Notice::kInputClosed ? input_closed_ : draining_) = true;
  news_ = true;
  tell();
}

void Keeper::on_end(http::Outcome outcome) noexcept {
  // Its client may ask for as many again as the application has let go of, and for no more.
  // Nobody was told of it.
  if (collecting_) return io_.destroy(crossing_, /*orphan=*/false);
  if (!last_word_) place_ = exchange_->keep_place();
  exchange_ = nullptr;
  if (last_word_) return;  // apply() goes on.
  ended_.store(true, std::memory_order_relaxed);
  end_ = outcome;
  io_.orphaned();
  drop_untold();
  news_ = true;
  tell();
}

// --- what the application is told

void Keeper::tell() noexcept {
  if (!news_ || !letter_here_ || collecting_) return;
  Letter& letter = crossing_.letter;
  letter.taken_bytes = taken_bytes_;
  letter.parts = told_ = filled_;
  letter.asks_seen = asks_seen_;
  letter.input = input_;
  letter.input_closed = std::exchange(input_closed_, false);
  letter.draining = std::exchange(draining_, false);
  letter.tunnel = tunnel_;
  letter.end = end_;
  letter_here_ = false;
  news_ = false;
  io_.post(letter);
}

// The application may go on once what it wrote is below the high-water mark. It is told in steps of
// half of that, since each costs a message.
void Keeper::note_taken() noexcept {
  if (exchange_ == nullptr || !exchange_->writable()) return;
  if (applied_bytes_ - taken_bytes_ <= io_.high_water_bytes() / 2) return;
  taken_bytes_ = applied_bytes_;
  news_ = true;
}

// --- the body of the request

void Keeper::satisfy(const Appetite& appetite) noexcept {
  for (; freed_ != appetite.parts_taken; ++freed_) {
    BodyPart& part = crossing_.parts[freed_ % kPartsMax];
    ahead_bytes_ -= part.bytes;
    part = {};
  }
  hungry_ = appetite.hungry && filled_ == freed_ && input_ == http::BodyState::kPending;
  fill();
}

bool Keeper::may_fill() const noexcept {
  return exchange_ != nullptr && input_ == http::BodyState::kPending &&
         filled_ - freed_ < kPartsMax && ahead_bytes_ < (collecting_ ? kCollectBytes : kAheadBytes);
}

std::size_t Keeper::first_block_bytes() const noexcept {
  if (!collecting_ || filled_ > 0) return kPartBytes;
  return crossing_.request.content_length.value_or(kCollectBytes);
}

void Keeper::fill() noexcept {
  using http::BodyState;
  while (may_fill()) {
    const bool asks = hungry_ || collecting_;
    const http::BodyRead read = asks ? exchange_->read_body() : exchange_->arrived_body();
    if (read.state == BodyState::kPending) return;  // on_body() follows if it was asked for.
    // Its end, which on_end() is about to tell, is nothing to send to an application.
    if (collecting_ && read.state == BodyState::kFailed) return;
    hungry_ = false;
    news_ = true;
    bool kept = keep_part(read.bytes, read.state == BodyState::kMore);
    if (read.state != BodyState::kMore) input_ = read.state;
    if (kept && read.state == BodyState::kEnd) kept = keep_trailers(exchange_->request_trailers());
    if (kept) continue;
    collecting_ = false;
    exchange_->abort(Errc::kNoMemory);
  }
  collecting_ = false;  // It is whole, or too long.
}

void Keeper::open_tunnel() noexcept {
  tunnel_ = true;
  input_ = http::BodyState::kPending;
  news_ = true;
  fill();
}

bool Keeper::keep_part(std::string_view bytes, bool more) noexcept {
  if (bytes.empty()) return true;
  BodyPart* part = &crossing_.parts[(filled_ - 1) % kPartsMax];
  const bool fits = filled_ != told_ && part->bytes + bytes.size() <= part->block.capacity();
  if (!fits) {
    Block block =
        io_.blocks().take(more ? std::max(bytes.size(), first_block_bytes()) : bytes.size());
    if (!block) return false;
    part = &crossing_.parts[filled_ % kPartsMax];
    *part = {.block = std::move(block), .bytes = 0};
    ++filled_;
  }
  std::memcpy(part->block.data() + part->bytes, bytes.data(), bytes.size());
  part->bytes += bytes.size();
  ahead_bytes_ += bytes.size();
  return true;
}

bool Keeper::keep_trailers(std::span<const http::Field> trailers) noexcept {
  if (trailers.empty()) return true;
  crossing_.trailers_block = io_.blocks().take(http::copy_bytes(trailers));
  if (!crossing_.trailers_block) return false;
  crossing_.trailers = http::copy(trailers, crossing_.trailers_block.data());
  return true;
}

// Parts that nobody will read.
void Keeper::drop_untold() noexcept {
  while (filled_ != told_) {
    BodyPart& part = crossing_.parts[--filled_ % kPartsMax];
    ahead_bytes_ -= part.bytes;
    part = {};
  }
}

}  // namespace tercel::server
