#include "tercel/base/log_seldom.h"

#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

namespace tercel {
namespace {

using std::chrono::seconds;

class LogSeldomTest : public testing::Test, private LogSink {
 protected:
  LogSeldomTest() : before_{set_log_sink(this)} {}
  ~LogSeldomTest() override { set_log_sink(before_); }
  void log(LogLevel level, std::string_view /*text*/) noexcept override {
    EXPECT_EQ(level, LogLevel::kWarning);
    ++lines_;
  }

  std::atomic<int> lines_{0};

 private:
  LogSink* before_;
};

TEST_F(LogSeldomTest, SaysATextOnceAMinute) {
  for (int second = 0; second < 180; ++second) {
    log_seldom(LogLevel::kWarning, "the same", seconds{second});
  }
  EXPECT_EQ(lines_, 3);
  log_seldom(LogLevel::kWarning, "another", seconds{179});
  EXPECT_EQ(lines_, 4);
}

TEST_F(LogSeldomTest, SaysSoManyTextsAMinute) {
  for (int again = 0; again < 5; ++again) {
    for (int i = 0; i < 1000; ++i) {
      log_seldom(LogLevel::kWarning, "text " + std::to_string(i), seconds{5000 + again});
    }
  }
  EXPECT_EQ(lines_, static_cast<int>(kSeldomTexts));
  log_seldom(LogLevel::kWarning, "a minute later", seconds{5070});
  EXPECT_EQ(lines_, static_cast<int>(kSeldomTexts) + 1);
}

TEST_F(LogSeldomTest, SaysItOnceWhoeverComes) {
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([] {
      for (int again = 0; again < 1000; ++again) {
        log_seldom(LogLevel::kWarning, "of all threads", seconds{9000});
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(lines_, 1);
}

TEST_F(LogSeldomTest, TakesTheTimeOfTheClock) {
  log_seldom(LogLevel::kWarning, "now");
  log_seldom(LogLevel::kWarning, "now");
  EXPECT_EQ(lines_, 1);
}

}  // namespace
}  // namespace tercel
