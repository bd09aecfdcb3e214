#include "tercel/edge/line_relay.h"

#include <atomic>
#include <chrono>
#include <cstring>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "support/failing_syscalls.h"
#include "support/manual_clock.h"

namespace tercel::edge {
namespace {

using namespace std::chrono_literals;  // NOLINT(google-build-using-namespace): only literals.

struct TestReader final : LineInbox::Reader {
  void on_lines(std::string_view lines, std::uint64_t count) noexcept override {
    lost += count;
    text += lines;
    ++calls;
  }
  std::string text;
  std::uint64_t lost = 0;
  int calls = 0;
};

bool write_to(LineRelay& relay, std::string_view line) {
  const auto room = relay.room(line.size());
  if (room.empty()) return false;
  std::memcpy(room.data(), line.data(), line.size());
  relay.commit(line.size());
  return true;
}

class LineRelayTest : public testing::Test {
 protected:
  static void turn(net::Loop& loop) {
    for (int i = 0; i < 2; ++i) {
      EXPECT_TRUE(loop.wait(0ns));
      loop.dispatch();
    }
  }

  test::ManualClock clock_;
  test::FailingSyscalls syscalls_;
  TestReader reader_;
  std::unique_ptr<net::Loop> app_ = *net::Loop::create(clock_, syscalls_);
  std::unique_ptr<net::Loop> io_ = *net::Loop::create(clock_, syscalls_);
  std::unique_ptr<LineInbox> inbox_ = *LineInbox::create(*app_, reader_);
  LineRelay relay_{*io_, *inbox_};
};

TEST_F(LineRelayTest, LinesOfATurnArriveTogetherAndInOrder) {
  EXPECT_TRUE(write_to(relay_, "one\n"));
  EXPECT_TRUE(write_to(relay_, "two\n"));
  turn(*app_);
  EXPECT_EQ(reader_.calls, 0);
  turn(*io_);
  EXPECT_EQ(reader_.calls, 0);
  turn(*app_);
  EXPECT_EQ(reader_.text, "one\ntwo\n");
  EXPECT_EQ(reader_.calls, 1);
  EXPECT_TRUE(write_to(relay_, "three\n"));
  turn(*io_);
  turn(*app_);
  EXPECT_TRUE(write_to(relay_, "four\n"));
  turn(*io_);
  turn(*app_);
  EXPECT_EQ(reader_.text, "one\ntwo\nthree\nfour\n");
  EXPECT_EQ(reader_.lost, 0U);
}

TEST_F(LineRelayTest, BothEndsMayBeOnOneLoop) {
  LineRelay relay{*app_, *inbox_};
  EXPECT_TRUE(write_to(relay, "one\n"));
  turn(*app_);
  EXPECT_EQ(reader_.text, "one\n");
}

TEST_F(LineRelayTest, LinesOfManyTurnsWaitForAReaderThatIsBusy) {
  std::string made;
  for (int i = 0; i < 100; ++i) {
    const std::string line = std::to_string(i) + '\n';
    EXPECT_TRUE(write_to(relay_, line));
    made += line;
    turn(*io_);
  }
  turn(*app_);
  EXPECT_EQ(reader_.text, "0\n");
  // No further line is needed to bring the others.
  clock_.advance(2 * net::TimerWheel::kTick);
  turn(*io_);
  turn(*app_);
  EXPECT_EQ(reader_.text, made);
  EXPECT_EQ(reader_.calls, 2);
  EXPECT_EQ(reader_.lost, 0U);
}

TEST_F(LineRelayTest, WhatComesWhileTheReaderHasBothPagesIsCounted) {
  const std::string line = std::string(LineRelay::kPageBytes / 4 * 3, 'x') + '\n';
  for (int i = 0; i < 2; ++i) {
    EXPECT_TRUE(write_to(relay_, line));
    turn(*io_);
  }
  EXPECT_FALSE(write_to(relay_, line));
  EXPECT_FALSE(write_to(relay_, "lost\n"));
  turn(*io_);
  turn(*app_);
  EXPECT_EQ(reader_.text, line + line);
  EXPECT_EQ(reader_.lost, 0U);
  clock_.advance(2 * net::TimerWheel::kTick);
  turn(*io_);
  turn(*app_);
  EXPECT_EQ(reader_.lost, 2U);
  EXPECT_TRUE(write_to(relay_, "three\n"));
  turn(*io_);
  turn(*app_);
  EXPECT_EQ(reader_.text, line + line + "three\n");
}

TEST_F(LineRelayTest, AFullPageIsHandedOverWithinTheTurn) {
  const std::string line = std::string(LineRelay::kPageBytes / 4 * 3, 'x') + '\n';
  EXPECT_TRUE(write_to(relay_, line));
  EXPECT_TRUE(write_to(relay_, line));
  EXPECT_FALSE(write_to(relay_, line));
  turn(*io_);
  turn(*app_);
  EXPECT_EQ(reader_.text, line + line);
  EXPECT_TRUE(relay_.room(LineRelay::kPageBytes + 1).empty());
  clock_.advance(2 * net::TimerWheel::kTick);
  turn(*io_);
  turn(*app_);
  EXPECT_EQ(reader_.lost, 2U);
}

TEST_F(LineRelayTest, ALineThatCouldNotBeMadeIsToldWithoutAnother) {
  relay_.drop();
  turn(*io_);
  turn(*app_);
  EXPECT_EQ(reader_.lost, 1U);
  EXPECT_EQ(reader_.text, "");
}

TEST_F(LineRelayTest, TheEndNeedsNoLoopThatTurns) {
  for (const char* line : {"one\n", "two\n"}) {
    EXPECT_TRUE(write_to(relay_, line));
    relay_.flush();
  }
  relay_.drop();
  inbox_->read_all();
  relay_.flush();
  inbox_->read_all();
  EXPECT_EQ(reader_.text, "one\ntwo\n");
  EXPECT_EQ(reader_.lost, 1U);
}

TEST_F(LineRelayTest, FailsWithoutADescriptor) {
  syscalls_.fail(test::Call::kEventfd, EMFILE);
  EXPECT_EQ(LineInbox::create(*app_, reader_).error(), Errc::kTooManyFiles);
}

// Run under TSan too.
TEST_F(LineRelayTest, ThreadsHandOverWhatTheyMakeOrCountIt) {
  constexpr int kThreads = 3;
  constexpr int kLines = 20'000;
  const SteadyClock clock;
  const auto app = *net::Loop::create(clock, net::system_calls());
  const auto inbox = *LineInbox::create(*app, reader_);
  std::vector<std::unique_ptr<net::Loop>> loops;
  std::vector<std::unique_ptr<LineRelay>> relays;
  for (int i = 0; i < kThreads; ++i) {
    loops.push_back(*net::Loop::create(clock, net::system_calls()));
    relays.push_back(std::make_unique<LineRelay>(*loops.back(), *inbox));
  }
  std::atomic<int> ended = 0;
  std::vector<std::thread> threads;
  for (std::size_t i = 0; i < kThreads; ++i) {
    threads.emplace_back([&, i] {
      const std::string line = std::string(50, static_cast<char>('a' + i)) + '\n';
      for (int made = 0; made < kLines; ++made) {
        write_to(*relays[i], line);
        if (made % 16 != 0) continue;
        EXPECT_TRUE(loops[i]->wait(0ns));
        loops[i]->dispatch();
      }
      ++ended;
    });
  }
  while (ended < kThreads) {
    EXPECT_TRUE(app->wait(1ms));
    app->dispatch();
  }
  for (std::thread& thread : threads) thread.join();
  inbox->read_all();
  for (const auto& relay : relays) relay->flush();
  inbox->read_all();
  std::size_t lines = 0;
  for (std::size_t at = 0; at < reader_.text.size(); at += 51, ++lines) {
    const std::string line = reader_.text.substr(at, 51);
    ASSERT_EQ(line, std::string(50, line[0]) + '\n');
  }
  EXPECT_EQ(lines + reader_.lost, std::size_t{kThreads} * kLines);
  // What fits into a page is never lost, however late the reader is.
  EXPECT_GE(lines, kThreads * (LineRelay::kPageBytes / 51));
}

}  // namespace
}  // namespace tercel::edge
