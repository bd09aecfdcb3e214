// Invariant: whatever a client sends, in whatever parts, every request ends once, what it sent is
// held within its limits, and nothing is left behind.
//
// The first byte chooses how many bytes each read brings, the second what handlers do; the rest is
// what the client sends behind its preface. Time goes on with every read.
#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "support/memory_wire.h"
#include "tercel/http/h2_session.h"

namespace {

using namespace tercel;

constexpr std::size_t kStreamsMax = 8;
constexpr std::size_t kWindowBytes = 1000;

// Answers in one of several ways, by what it is asked for.
class Answerer final : public http::Handler {
 public:
  class Answer final : public http::Observer {
   public:
    void begin(http::Exchange& given, unsigned chosen) noexcept {
      if (exchange != nullptr) __builtin_trap();
      exchange = &given;
      way = chosen;
      given.observe(this);
      if (way % 4 == 0) return answer();
      if (way % 4 == 1) return;  // Later, or never.
      on_body();
    }
    void on_body() noexcept override {
      for (;;) {
        const http::BodyRead part = exchange->read_body();
        if (part.bytes.size() > 16'384) __builtin_trap();
        if (part.state == http::BodyState::kMore) continue;
        if (part.state != http::BodyState::kEnd) return;
        break;
      }
      way % 4 == 2 ? answer() : exchange->abort(Errc::kHandlerFailed);
    }
    void answer() noexcept {
      static const std::string large(40'000, 'x');
      const http::Field fields[] = {{"X-A", "b"}};
      if (!exchange->start({.status = 200, .fields = fields, .trailers = true})) return;
      const auto nothing = [](void*) noexcept {};
      if (!exchange->write(http::Payload::own(large, nullptr, nothing), http::Final::kNo)) return;
      if (exchange != nullptr) (void)exchange->finish(fields);
    }
    void on_writable() noexcept override {}
    void on_notice(http::Notice) noexcept override {}
    void on_end(http::Outcome) noexcept override { exchange = nullptr; }

    http::Exchange* exchange = nullptr;
    unsigned way = 0;
  };

  explicit Answerer(unsigned ways) noexcept : ways_{ways} {}
  void handle(const http::Request& request, http::Exchange& exchange) noexcept override {
    Answer* free = std::ranges::find(answers, nullptr, &Answer::exchange);
    if (free == answers.end()) __builtin_trap();  // More at once than there may be.
    free->begin(exchange, ways_ + static_cast<unsigned>(request.path.size()));
  }
  void answer_one() noexcept {
    for (Answer& answer : answers) {
      if (answer.exchange != nullptr) return answer.answer();
    }
  }

  std::array<Answer, kStreamsMax> answers;

 private:
  unsigned ways_;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) return 0;
  Answerer answerer{data[1]};
  http::Limits limits;
  limits.body_bytes_max = 5000;
  limits.head_bytes_max = 4000;
  limits.fields_max = 20;
  http::SessionContext shared{answerer, limits};
  shared.set_default_fields("t", "", /*with_date=*/false);
  shared.admission.limit(kStreamsMax - 2, 1);
  http::H2Options options;
  options.streams_max = kStreamsMax;
  options.window_bytes = kWindowBytes;
  options.window_bytes_max = 2 * kWindowBytes;
  http::H2Context context{shared, options};
  test::MemoryWire wire;
  {
    http::H2Session session{wire, context};
    wire.session = &session;
    wire.receive(http::kH2Preface);
    const std::string_view input{reinterpret_cast<const char*>(data) + 2, size - 2};
    const std::size_t step =
        data[0] == 0xff ? std::max<std::size_t>(input.size(), 1) : data[0] + 1U;
    for (std::size_t at = 0; at < input.size() && !wire.closed; at += step) {
      wire.receive(input.substr(at, step));
      wire.under_pressure = at % 7 == 3;
      if (at % 5 == 4) answerer.answer_one();
      wire.time += std::chrono::milliseconds{700};
      session.on_tick(wire.time);
      if (!wire.under_pressure) session.on_sent();
    }
    if ((data[1] & 8) != 0) session.drain();
    wire.end_input();
  }
  for (const auto& answer : answerer.answers) {
    if (answer.exchange != nullptr) __builtin_trap();
  }
  if (context.exchanges.alive() != 0 || context.parts.alive() != 0) __builtin_trap();
  if (context.body_parts.alive() != 0 || wire.blocks().outstanding() != 0) __builtin_trap();
  if (shared.admission.active() != 0 || shared.admission.waiting() != 0) __builtin_trap();
  return 0;
}
