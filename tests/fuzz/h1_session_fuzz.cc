// Invariant: what a connection answers does not depend on how its bytes arrive, but for the words
// of a last 400 (a line that never ends is judged when it is whole); and nothing is left behind.
//
// The first byte chooses how many bytes each read brings; the rest is what the client sends.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "support/memory_wire.h"
#include "tercel/http/h1_session.h"

namespace {

using namespace tercel;

// Answers with the number of body bytes, when the body is complete.
class Counter final : public http::Handler, public http::Observer {
 public:
  void handle(const http::Request&, http::Exchange& exchange) noexcept override {
    exchange_ = &exchange;
    bytes_ = 0;
    exchange.observe(this);
    on_body();
  }
  void on_body() noexcept override {
    for (;;) {
      const http::BodyRead part = exchange_->read_body();
      bytes_ += part.bytes.size();
      if (part.state == http::BodyState::kMore) continue;
      if (part.state != http::BodyState::kEnd) return;
      break;
    }
    const std::string text = std::to_string(bytes_);
    if (!exchange_->start({})) __builtin_trap();
    if (!exchange_->write(http::Payload::borrow(text), http::Final::kYes)) __builtin_trap();
  }
  void on_writable() noexcept override {}
  void on_notice(http::Notice) noexcept override {}
  void on_end(http::Outcome) noexcept override { exchange_ = nullptr; }
  [[nodiscard]] bool waiting() const noexcept { return exchange_ != nullptr; }

 private:
  http::Exchange* exchange_ = nullptr;
  std::size_t bytes_ = 0;
};

std::string answers(std::string_view input, std::size_t arrival_bytes) {
  Counter counter;
  http::Limits limits;
  limits.body_bytes_max = 1000;
  http::H1Context context{counter, limits};
  context.set_default_fields("", "", /*with_date=*/false);
  test::MemoryWire wire;
  wire.arrival_bytes = arrival_bytes;
  {
    http::H1Session session{wire, context};
    wire.session = &session;
    for (std::size_t at = 0; at < input.size(); at += arrival_bytes) {
      wire.receive(input.substr(at, arrival_bytes));
    }
    wire.end_input();
  }
  if (counter.waiting() || context.exchanges.alive() != 0) __builtin_trap();
  if (wire.blocks().outstanding() != 0 || context.admission.active() != 0) __builtin_trap();
  std::string sent = std::move(wire.sent);
  if (const std::size_t last = sent.rfind("HTTP/1.1 400"); last != std::string::npos) {
    sent.resize(last + 12);
  }
  return sent + (wire.was_reset ? "<reset>" : "");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view input{reinterpret_cast<const char*>(data) + 1, size - 1};
  const std::string whole = answers(input, std::max<std::size_t>(input.size(), 1));
  if (answers(input, std::size_t{data[0]} + 1) != whole) __builtin_trap();
  return 0;
}
