#include "run.h"

#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdio>
#include <limits>
#include <random>

#include "message.h"

namespace tercel::load {
namespace {

using std::chrono::nanoseconds;
using namespace std::chrono_literals;

// How often the connections are looked at: those that went down are made anew, those that take too
// long are ended.
constexpr nanoseconds kLookPause = 10ms;
constexpr nanoseconds kOpeningTime = 60s;
// SIGTERM came during the load: it is over, and what was counted is printed.
volatile sig_atomic_t told_to_stop = 0;
constexpr std::string_view kRequestEnd = " HTTP/1.1\r\nHost: load\r\n\r\n";

}  // namespace

Run::Run(net::Loop& loop, const Clock& clock, const Options& options)
    : loop_{loop},
      clock_{clock},
      options_{options},
      numbers_{options.first_number},
      random_state_{(std::uint64_t{std::random_device{}()} << 32) | std::random_device{}()},
      message_{new_message(options.message_bytes)} {}

// --- what sessions ask for

std::uint64_t Run::next_number() {
  return numbers_.take();
}

Address Run::next_source() noexcept {
  if (options_.sources == 1) return {};
  Address source;
  source.kind = AddressKind::kIpv4;
  source.ip = {127, 0, 0, static_cast<std::uint8_t>(1 + source_++ % options_.sources)};
  return source;
}

// SplitMix64 by Sebastiano Vigna, of the public domain: masks need to differ, not to be secret.
std::uint64_t Run::random() noexcept {
  std::uint64_t z = (random_state_ += 0x9E3779B97F4A7C15U);
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9U;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EBU;
  return z ^ (z >> 31);
}

http::MaskKey Run::new_mask() noexcept {
  const std::uint64_t bits = random();
  return {static_cast<char>(bits), static_cast<char>(bits >> 8), static_cast<char>(bits >> 16),
          static_cast<char>(bits >> 24)};
}

std::string_view Run::request_text(std::uint64_t number) {
  if (text_.empty() || options_.numbered) {
    text_.assign("GET ").append(options_.target);
    if (options_.numbered) {
      std::array<char, 20> digits;
      const auto [end, error] = std::to_chars(digits.begin(), digits.end(), number);
      text_.append(options_.target.find('?') == std::string::npos ? "?n=" : "&n=");
      text_.append(digits.data(), static_cast<std::size_t>(end - digits.data()));
    }
    text_.append(kRequestEnd);
  }
  return text_;
}

std::string_view Run::handshake_text(std::string_view key) {
  text_.assign("GET ").append(options_.target).append(" HTTP/1.1\r\nHost: load\r\n");
  text_.append("Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n");
  text_.append("Sec-WebSocket-Key: ").append(key).append("\r\n\r\n");
  return text_;
}

std::string_view Run::message_text(std::uint64_t number) {
  set_number(message_, number);
  return message_;
}

// --- what sessions tell

void Run::on_ready(Session& session) {
  if (!opening()) ++tally_.reconnects;
  on_open(session);
}

void Run::on_down(Session& session) {
  on_lost(session);
  if (opening() || (phase_ <= Phase::kDraining && reconnects())) down_.push_back(&session);
}

void Run::fail(std::string_view why) noexcept {
  failure_ = why;
  phase_ = Phase::kOver;
}

void Run::count_open(Session& session) {
  if (session.was_open) return;
  session.was_open = true;
  ++open_;
  open_more();
}

bool Run::may_ask() const noexcept {
  const bool broadcast = options_.mode == ModeName::kBroadcast;
  const std::uint64_t asked = broadcast ? tally_.messages : tally_.sent;
  return running() && (options_.requests_max == 0 || asked < options_.requests_max);
}

// --- the phases

int Run::go() {
  if (options_.wait && !watch_input()) fail("standard input is no pipe: --wait needs one");
  end_ = clock_.now() + kOpeningTime;
  if (auto first = loop_.wait(0ns); !first) fail("the event loop failed");
  open_more();
  while (phase_ != Phase::kOver) {
    const nanoseconds due = step(loop_.now());
    if (phase_ == Phase::kOver) break;
    if (!loop_.wait(std::max(due - clock_.now(), 0ns))) fail("the event loop failed");
    loop_.dispatch();
  }
  leave();
  if (input_ != net::WatchId::kNone) loop_.unwatch(input_, STDIN_FILENO);
  if (failure_.empty()) return 0;
  std::fprintf(stderr, "load_client: %.*s\n", static_cast<int>(failure_.size()), failure_.data());
  return 1;
}

nanoseconds Run::step(nanoseconds now) {
  if (now >= next_look_) look_around(now);
  nanoseconds due = next_look_;
  switch (phase_) {
    case Phase::kOpening:
      if (open_ == sessions_.size()) {
        phase_ = Phase::kWaiting;
        // Before anybody knows that it is ready: who is told may end it at once.
        signal(SIGTERM, [](int) { told_to_stop = 1; });
        if (options_.wait) std::printf("{\"ready\": %zu}\n", open_);
        std::fflush(stdout);
        return now;
      }
      if (now > end_) fail("not all connections could be opened");
      break;
    case Phase::kWaiting:
      if (options_.wait && !line_came_ && !input_ended_) break;
      start();
      return now;
    case Phase::kRunning:
      if (options_.mode == ModeName::kIdle) {
        // Without somebody to wait for, as long as any other load.
        if (told_to_stop != 0 || (options_.wait ? input_ended_ : now >= end_)) stop();
        break;
      }
      due = std::min({due, end_, turn(now)});
      if (told_to_stop != 0 || now >= end_ || (!may_ask() && quiet())) stop();
      break;
    case Phase::kDraining:
      if (!quiet() && now < end_) break;
      finish();
      return now;
    case Phase::kHolding:
      if (!options_.wait || input_ended_) phase_ = Phase::kOver;
      break;
    case Phase::kOver:
      break;
  }
  return due;
}

void Run::open_more() {
  while (opening() && begun_ < sessions_.size() && begun_ - open_ < kOpeningMax) {
    sessions_[begun_++]->connect();
  }
}

void Run::start() {
  phase_ = Phase::kRunning;
  tally_.start(clock_.now());
  end_ = loop_.now() + options_.duration;
  begin();
}

void Run::stop() {
  phase_ = Phase::kDraining;
  signal(SIGTERM, SIG_DFL);
  tally_.stop(clock_.now());
  end_ = loop_.now() + options_.timeout;
}

void Run::finish() {
  give_up();
  phase_ = Phase::kHolding;
  tally_.print(stdout);
}

void Run::leave() {
  for (const auto& session : sessions_) {
    if (session->ready()) session->leave();
    session->close();
  }
}

void Run::give_up() {
  for (const auto& session : sessions_) session->give_up();
}

void Run::look_around(nanoseconds now) {
  next_look_ = now + kLookPause;
  if (phase_ > Phase::kDraining) return;
  for (const auto& session : sessions_) {
    const bool waits = session->asking() || (!session->closed() && !session->ready());
    if (waits && now - session->since() > options_.timeout) session->expire();
  }
  // One that is refused at once is in the new list.
  std::vector<Session*> down;
  down.swap(down_);
  for (Session* session : down) session->connect();
}

// --- standard input

bool Run::watch_input() {
  const auto watch = loop_.watch(STDIN_FILENO, net::kReadable, net::Trigger::kLevel, *this);
  if (watch) input_ = *watch;
  return watch.has_value();
}

void Run::on_ready(std::uint32_t /*readiness*/) noexcept {
  std::array<char, 256> bytes;
  const ssize_t got = ::read(STDIN_FILENO, bytes.data(), bytes.size());
  if (got > 0) {
    line_came_ = line_came_ || std::find(bytes.begin(), bytes.begin() + got, '\n') != bytes.end();
    return;
  }
  input_ended_ = true;
  loop_.unwatch(input_, STDIN_FILENO);
  input_ = net::WatchId::kNone;
}

}  // namespace tercel::load
