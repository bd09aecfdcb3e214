// The application's half of a crossing: see crossing.h.
#include <cstring>
#include <new>
#include <utility>

#include "tercel/http/keep.h"
#include "tercel/http/message_copy.h"
#include "tercel/server/crossing.h"
#include "tercel/server/handoff.h"
#include "tercel/server/output_queue.h"

namespace tercel::server {
namespace {

using http::BodyState;
using http::Final;
using http::Outcome;

constexpr std::size_t rounded_up(std::size_t bytes) noexcept {
  return (bytes + alignof(Command) - 1) / alignof(Command) * alignof(Command);
}

// The memory of a command that follows it.
char* behind(Command& command) noexcept {
  return reinterpret_cast<char*>(&command + 1);
}

// A part that is cut to the declared length completes the response, whatever was said of it.
Final final_of(const http::BodyPlan& part, Final said) noexcept {
  return part.last ? Final::kYes : said;
}

}  // namespace

AppEnd& StandIn::app() const noexcept {
  return *crossing_.app;
}

// --- the letter

void StandIn::on_letter() noexcept {
  Letter& letter = crossing_.letter;
  has_letter_ = true;
  if (!over_) {
    take_in(letter);
    if (std::exchange(handled_, true)) {
      tell_handler(letter);
    } else {
      app().handle(crossing_.request, *this);
      // It may have ended before the request was told of: in its first read of the body.
      if (letter.end && !over_) say_last_word(crossing_.farewell, *letter.end);
    }
  }
  if (std::exchange(has_letter_, false)) send_back(letter);
}

void StandIn::begin() noexcept {
  handled_ = true;
  if (crossing_.keeper.ended()) {
    has_letter_ = true;
    say_last_word(crossing_.farewell, Outcome::kPeerGone);
    return;
  }
  take_in(crossing_.letter);
  send_back(crossing_.letter);
  app().handle(crossing_.request, *this);
}

void StandIn::take_in(const Letter& letter) noexcept {
  taken_bytes_ = letter.taken_bytes;
  parts_here_ = letter.parts;
  asks_seen_ = letter.asks_seen;
  tunnel_here_ |= letter.tunnel;
  // A letter that crossed the start of a tunnel tells of the request, which has no body.
  if (tunnel_here_ || !rules_.is_tunnel()) input_ = letter.input;
}

void StandIn::send_back(Letter& letter) noexcept {
  letter.appetite = {.parts_taken = parts_taken_, .hungry = hungry_};
  app().post(letter);
}

void StandIn::tell_handler(const Letter& letter) noexcept {
  if (letter.end) {
    say_last_word(crossing_.farewell, *letter.end);
    return;
  }
  const auto told = [this] { return !over_ && observer_ != nullptr; };
  if (letter.input_closed && told()) observer_->on_notice(http::Notice::kInputClosed);
  if (letter.draining && told()) observer_->on_notice(http::Notice::kDraining);
  if (hungry_ && (parts_taken_ != parts_here_ || input_ != BodyState::kPending)) {
    hungry_ = false;
    if (told()) observer_->on_body();
  }
  if (wants_writable_ && writable()) {
    wants_writable_ = false;
    if (told()) observer_->on_writable();
  }
}

void StandIn::say_last_word(Command& command, Outcome outcome) noexcept {
  over_ = true;
  command.last_word = true;
  command.with_letter = std::exchange(has_letter_, false);
  app().post(command);
  if (http::Observer* observer = std::exchange(observer_, nullptr)) observer->on_end(outcome);
}

// --- the request

const http::Endpoints& StandIn::endpoints() const noexcept {
  return crossing_.ends;
}

http::BodyRead StandIn::read_body() noexcept {
  const http::BodyRead read = arrived_body();
  if (read.state == BodyState::kPending) ask();
  return read;
}

http::BodyRead StandIn::arrived_body() noexcept {
  if (over_ || body_failed_) return {{}, BodyState::kFailed};
  if (parts_taken_ != parts_here_) {
    const BodyPart& part = crossing_.parts[parts_taken_++ % kPartsMax];
    const bool last = parts_taken_ == parts_here_ && input_ == BodyState::kEnd;
    return {{part.block.data(), part.bytes}, last ? BodyState::kEnd : BodyState::kMore};
  }
  body_failed_ = input_ == BodyState::kFailed;
  return {{}, input_};
}

// The letter says it, or an ask. One that is under way will do: it is answered in any case, and the
// letter that answers it goes back with what is then the truth.
void StandIn::ask() noexcept {
  hungry_ = true;
  if (has_letter_ || asks_sent_ != asks_seen_) return;
  ++asks_sent_;
  crossing_.ask.appetite = {.parts_taken = parts_taken_, .hungry = true};
  app().post(crossing_.ask);
}

std::span<const http::Field> StandIn::request_trailers() const noexcept {
  return crossing_.trailers;
}

// --- commands

Command* StandIn::make_command(std::size_t bytes, Owning owning) noexcept {
  const std::size_t needed = rounded_up(sizeof(Command) + bytes);
  // One that comes back may do so when the crossing is gone.
  if (owning == Owning::kNo && needed <= room_.size()) {
    char* const memory = room_.data();
    room_ = room_.subspan(needed);
    return new (memory) Command{crossing_};
  }
  Block block = app().blocks().take(needed);
  if (!block) return nullptr;
  auto* command = new (block.data()) Command{crossing_};
  command->io = &crossing_.io;
  command->app = crossing_.app;
  command->block = std::move(block);
  return command;
}

Result<void> StandIn::legal_to_answer() const noexcept {
  if (over_) return fail(Errc::kIllegalStep);
  if (body_failed_) return fail(Errc::kClosed);
  return {};
}

// --- the response

Result<void> StandIn::interim(const http::Response& response) noexcept {
  if (auto legal = legal_to_answer(); !legal) return legal;
  if (auto legal = rules_.interim(response); !legal) return legal;
  if (rules_.version() == http::Version::kHttp10) return {};  // RFC 9110 section 15.2.
  const std::size_t bytes = http::copy_bytes(response);
  Command* command = make_command(bytes, Owning::kNo);
  if (command == nullptr) return fail(Errc::kNoMemory);
  command->step = Command::Interim{http::copy(response, behind(*command))};
  // There may be any number of them: they count as parts of the body do.
  posted_bytes_ += bytes;
  wants_writable_ = !writable();
  app().post(*command);
  return {};
}

Result<void> StandIn::start(const http::Response& response) noexcept {
  if (auto legal = legal_to_answer(); !legal) return legal;
  if (auto facts = rules_.start(response); !facts) return fail(facts.error());
  Command* command = make_command(http::copy_bytes(response), Owning::kNo);
  if (command == nullptr) {
    this->abort(Errc::kNoMemory);
    return fail(Errc::kNoMemory);
  }
  command->step = Command::Start{http::copy(response, behind(*command))};
  if (rules_.is_tunnel()) {
    (void)rules_.release_head(/*last=*/false);
    input_ = BodyState::kPending;
  }
  app().post(*command);
  return {};
}

Result<void> StandIn::write(http::Payload payload, Final final) noexcept {
  http::Keep<http::Payload> keep{payload};
  if (auto legal = legal_to_answer(); !legal) return legal;
  const Result<http::BodyPlan> part = rules_.write(payload.bytes.size(), final);
  if (!part) return fail(part.error());
  const std::string_view bytes = payload.bytes.substr(0, part->bytes);
  const bool by_reference = payload.release != nullptr && bytes.size() > OutputQueue::kCopyBytesMax;
  Command* command =
      make_command(by_reference ? 0 : bytes.size(), by_reference ? Owning::kYes : Owning::kNo);
  if (command != nullptr) {
    http::Payload passed;
    if (by_reference) {
      passed = keep.pass_on();
      passed.bytes = bytes;
    } else if (!bytes.empty()) {
      std::memcpy(behind(*command), bytes.data(), bytes.size());
      passed.bytes = {behind(*command), bytes.size()};
    }
    command->step = Command::Write{.payload = passed, .final = final_of(*part, final)};
  }
  return post_part(command, *part);
}

Result<void> StandIn::write_file(http::FileRange range, Final final) noexcept {
  http::Keep<http::FileRange> keep{range};
  if (auto legal = legal_to_answer(); !legal) return legal;
  const Result<http::BodyPlan> part = rules_.write(range.count, final);
  if (!part) return fail(part.error());
  Command* command = make_command(0, range.release != nullptr ? Owning::kYes : Owning::kNo);
  if (command != nullptr) {
    http::FileRange passed = keep.pass_on();
    passed.count = part->bytes;
    command->step = Command::WriteFile{.range = passed, .final = final_of(*part, final)};
  }
  return post_part(command, *part);
}

Result<void> StandIn::finish(std::span<const http::Field> trailers) noexcept {
  if (auto legal = legal_to_answer(); !legal) return legal;
  const Result<http::BodyPlan> part = rules_.finish();
  if (!part) return fail(part.error());
  if (!rules_.head_released()) (void)rules_.release_head(true);
  const bool sent = rules_.carries_trailers();
  const Result<void> checked = sent ? http::inspect_trailers(trailers) : Result<void>{};
  if (!sent || !checked) trailers = {};  // The body is whole; only the trailers are refused.
  Command* command = make_command(http::copy_bytes(trailers), Owning::kNo);
  if (command != nullptr) {
    command->step = Command::Finish{http::copy(trailers, behind(*command))};
  }
  const Result<void> posted = post_part(command, *part);
  return posted ? checked : posted;
}

Result<void> StandIn::post_part(Command* command, const http::BodyPlan& part) noexcept {
  if (command == nullptr) {
    this->abort(Errc::kNoMemory);
    return fail(Errc::kNoMemory);
  }
  if (!rules_.head_released()) (void)rules_.release_head(part.last);
  posted_bytes_ += part.bytes;
  wants_writable_ = !writable();
  // The exchange comes to the same conclusion: cut to its length, a part completes the response,
  // and one that falls short of it aborts.
  if (part.error == Errc::kResponseTooShort) {
    say_last_word(*command, Outcome::kAborted);
  } else if (part.last) {
    say_last_word(*command, Outcome::kComplete);
  } else {
    app().post(*command);
  }
  if (part.error) return fail(*part.error);
  return {};
}

void StandIn::abort(Errc error, std::chrono::seconds retry_after) noexcept {
  if (over_) return;
  crossing_.farewell.step = Command::Abort{error, retry_after};
  say_last_word(crossing_.farewell, Outcome::kAborted);
}

bool StandIn::writable() const noexcept {
  return posted_bytes_ - taken_bytes_ <= app().high_water_bytes();
}

}  // namespace tercel::server
