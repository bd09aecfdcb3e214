// Memory may be exhausted at any moment: no request is lost track of, nothing is left behind, and
// the process goes on.
#include <string>

#include <gtest/gtest.h>

#include "http/h2_fixture.h"
#include "support/allocations.h"

namespace tercel::http {
namespace {

using namespace test;

// Allocates nothing by itself.
class Echo final : public Handler {
 public:
  class Answer final : public Observer {
   public:
    void on_body() noexcept override {
      for (;;) {
        const BodyRead part = exchange->read_body();
        if (part.state == BodyState::kMore) continue;
        if (part.state == BodyState::kPending || part.state == BodyState::kFailed) return;
        break;
      }
      const Field fields[] = {{"x-a", "b"}};
      if (!exchange->start({.status = 200, .fields = fields, .trailers = true})) {
        return exchange->abort(Errc::kNoMemory);
      }
      static const std::string large(20'000, 'x');
      if (!exchange->write(Payload::own(large, nullptr, [](void*) noexcept {}), Final::kNo)) return;
      (void)exchange->finish(fields);
    }
    void on_writable() noexcept override {}
    void on_notice(Notice) noexcept override {}
    void on_end(Outcome) noexcept override {
      exchange = nullptr;
      ++ends;
    }
    Exchange* exchange = nullptr;
    int ends = 0;
  };

  void handle(const Request&, Exchange& exchange) noexcept override {
    Answer& answer = answers[begun++ % answers.size()];
    answer.exchange = &exchange;
    exchange.observe(&answer);
    answer.on_body();
  }
  std::array<Answer, 8> answers;
  std::size_t begun = 0;
};

TEST(H2AllocationTest, EveryAllocationMayFail) {
  const std::string input = h2_hello({{4, 10'000}}) + h2_get(1) +
                            h2_post(3, {{"te", "trailers"}, {"expect", "100-continue"}}) +
                            h2_data(3, std::string(3000, 'a')) + h2_get(5) +
                            h2_headers(3, {{"x", "y"}}) + h2_ping() + h2_window_update(1, 20'000) +
                            h2_post(7, {{"Bad", "x"}}) + h2_get(9) + h2_reset(9);
  int failures = 0;
  for (std::uint64_t nth = 1;; ++nth) {
    Echo echo;
    SessionContext shared{echo, Limits{}};
    shared.set_default_fields("t", "", /*with_date=*/true);
    shared.admission.limit(2, 1);
    (void)shared.default_fields(std::chrono::seconds{784111777}, false, false);
    H2Context h2{shared, H2Options{}};
    MemoryWire wire;
    wire.sent.reserve(1 << 20);
    wire.reserve(1 << 16);
    bool happened = false;
    {
      H2Session session{wire, h2};
      wire.session = &session;
      AllocationFailure failure{nth};
      wire.receive(input);
      session.drain();
      wire.run();
      happened = failure.happened();
    }
    int ends = 0;
    for (const auto& answer : echo.answers) ends += answer.ends;
    ASSERT_EQ(static_cast<std::size_t>(ends), echo.begun) << nth;
    ASSERT_EQ(h2.exchanges.alive() + h2.parts.alive() + h2.body_parts.alive(), 0U) << nth;
    ASSERT_EQ(wire.blocks().outstanding(), 0U) << nth;
    ASSERT_EQ(shared.admission.active() + shared.admission.waiting(), 0U) << nth;
    if (!happened) break;
    ++failures;
  }
  EXPECT_GT(failures, 30);
}

// Neither ours nor nghttp2's.
TEST(H2AllocationTest, ARequestAllocatesNothingInASteadyState) {
  Echo echo;
  SessionContext shared{echo, Limits{}};
  H2Context h2{shared, H2Options{}};
  MemoryWire wire;
  wire.sent.reserve(1 << 22);
  wire.reserve(1 << 16);
  H2Session session{wire, h2};
  wire.session = &session;
  wire.receive(h2_hello({{4, 10'000'000}}) + h2_window_update(0, 100'000'000));
  std::uint32_t stream = 1;
  const auto burst = [&] {
    std::string input;
    for (int i = 0; i < 20; ++i, stream += 2) input += h2_get(stream);
    return input;
  };
  for (int i = 0; i < 3; ++i) {
    wire.receive(burst());
    wire.run();
  }
  const std::string input = burst();
  const std::size_t begun = echo.begun;
  const AllocationCount count;
  wire.receive(input);
  wire.run();
  EXPECT_EQ(count.so_far(), 0U);
  EXPECT_EQ(echo.begun, begun + 20);
}

}  // namespace
}  // namespace tercel::http
