#include "tercel/base/assert.h"

#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "tercel/base/log.h"

namespace tercel {
namespace {

class AssertTest : public testing::Test, private LogSink {
 protected:
  AssertTest() : before_{set_log_sink(this)} {}
  ~AssertTest() override { set_log_sink(before_); }
  std::vector<std::string> lines_;

 private:
  void log(LogLevel, std::string_view text) noexcept override { lines_.emplace_back(text); }
  LogSink* before_;
};

TEST_F(AssertTest, AReportedBugIsCountedAndLogged) {
  BugSite site{"slot == nullptr", "/home/somebody/cpp/tercel/net/loop.cc", 42};
  const std::uint64_t before = bugs_reported();
  EXPECT_TRUE(report_bug(site));
  EXPECT_EQ(bugs_reported(), before + 1);
  const std::vector<std::string> expected{
      "internal error, please report it: slot == nullptr (loop.cc:42)"};
  EXPECT_EQ(lines_, expected);
}

TEST_F(AssertTest, ARepeatedBugDoesNotFloodTheLog) {
  BugSite site{"x", "x.cc", 1};
  for (int i = 0; i < 1000; ++i) report_bug(site);
  EXPECT_EQ(lines_.size(), 10U);  // The 1st, 2nd, 4th ... 512th.
  EXPECT_EQ(site.count.load(), 1000U);
}

TEST_F(AssertTest, AnEndlessConditionIsCut) {
  const std::string condition(10'000, 'x');
  BugSite site{condition.c_str(), "x.cc", 1};
  report_bug(site);
  ASSERT_EQ(lines_.size(), 1U);
  EXPECT_EQ(lines_[0].size(), 512U);
}

TEST_F(AssertTest, AConditionThatHoldsIsSilentAndEvaluatedOnce) {
  int evaluated = 0;
  EXPECT_FALSE(TERCEL_BUG_IF(++evaluated > 1));
  EXPECT_EQ(evaluated, 1);
  TERCEL_ASSERT(evaluated == 1);
  EXPECT_TRUE(lines_.empty());
}

#ifdef NDEBUG

TEST_F(AssertTest, InReleaseABugIsSurvivedEachTime) {
  const std::uint64_t before = bugs_reported();
  int survived = 0;
  for (int i = 0; i < 3; ++i) {
    if (TERCEL_BUG_IF(i >= 0)) ++survived;
  }
  EXPECT_EQ(survived, 3);
  EXPECT_EQ(bugs_reported(), before + 3);
  EXPECT_EQ(lines_.size(), 2U);
}

TEST_F(AssertTest, InReleaseAnAssertionIsNotEvaluated) {
  int evaluated = 0;
  TERCEL_ASSERT(++evaluated > 100);
  EXPECT_EQ(evaluated, 0);
}

#else

TEST(AssertDeathTest, InDebugABugAborts) {
  EXPECT_DEATH(static_cast<void>(TERCEL_BUG_IF(1 + 1 == 2)), "1 \\+ 1 == 2 \\(assert_test.cc:");
}

TEST(AssertDeathTest, InDebugABrokenAssertionAborts) {
  EXPECT_DEATH(TERCEL_ASSERT(1 + 1 == 3), "assertion failed: 1 \\+ 1 == 3 \\(assert_test.cc:");
}

#endif

}  // namespace
}  // namespace tercel
