#include "tercel/http/h1_state.h"

#include <array>

#include <gtest/gtest.h>

namespace tercel::http {
namespace {

constexpr std::array kSteps{Step::kStart, Step::kHeadEnd, Step::kMessageEnd, Step::kFail};

// The classic desync: we answer 413 early, the peer still sends its body, and a reused connection
// would read that body as the next request.
TEST(H1StateTest, EarlyResponseLeavesConnectionUnusable) {
  H1State state;
  ASSERT_TRUE(state.request(Step::kStart));
  EXPECT_FALSE(state.response(Step::kStart));  // No request head, nothing to answer.
  ASSERT_TRUE(state.request(Step::kHeadEnd));
  for (Step step : {Step::kStart, Step::kHeadEnd, Step::kMessageEnd}) {
    ASSERT_TRUE(state.response(step));
  }
  EXPECT_FALSE(state.reusable());
}

// Walks every sequence of up to seven steps: small enough to be exhaustive, so no seed to report.
// The invariant: a connection is reusable only after each half saw its three steps, in order.
void walk(H1State state, int requests, int responses, int depth) {
  EXPECT_EQ(state.reusable(), requests == 3 && responses == 3);
  if (depth == 0) return;
  for (Step step : kSteps) {
    const int fail = step == Step::kFail ? -100 : 1;
    if (H1State next = state; next.request(step)) walk(next, requests + fail, responses, depth - 1);
    if (H1State next = state; next.response(step))
      walk(next, requests, responses + fail, depth - 1);
  }
}

TEST(H1StateTest, ReusableOnlyAfterTwoCompleteHalves) {
  walk({}, 0, 0, 7);
}

}  // namespace
}  // namespace tercel::http
