#include "tercel/edge/log_file.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <memory>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "support/descriptors.h"
#include "support/failing_syscalls.h"
#include "support/manual_clock.h"
#include "tercel/base/log.h"

namespace tercel::edge {
namespace {

using namespace std::chrono_literals;
using test::Fd;

// Collects what the engine says.
class Said final : public LogSink {
 public:
  Said() : before_{set_log_sink(this)} {}
  ~Said() { set_log_sink(before_); }
  void log(LogLevel /*level*/, std::string_view text) noexcept override {
    lines.emplace_back(text);
  }
  std::vector<std::string> lines;

 private:
  LogSink* before_;
};

class LogFileTest : public testing::Test {
 protected:
  LogFileTest() {
    signal(SIGPIPE, SIG_IGN);
    loop_ = *net::Loop::create(clock_, syscalls_);
    path_ = std::filesystem::temp_directory_path() / ("tercel_log_" + std::to_string(getpid()));
    std::filesystem::remove(path_);
  }
  ~LogFileTest() override { std::filesystem::remove(path_); }

  // A pipe whose writing end the file shares, as it shares standard output.
  void share_pipe() {
    int fds[2];
    ASSERT_EQ(::pipe2(fds, O_CLOEXEC), 0);
    reader_ = Fd{fds[0]};
    writer_ = Fd{fds[1]};
    ASSERT_EQ(::fcntl(fds[0], F_SETFL, O_NONBLOCK), 0);
    file_ = *LogFile::share(*loop_, fds[1]);
  }

  // One page of room. Its ends are reader_, which does not block, and writer_, which is returned.
  int open_small_pipe() {
    int fds[2];
    EXPECT_EQ(::pipe2(fds, O_CLOEXEC), 0);
    reader_ = Fd{fds[0]};
    writer_ = Fd{fds[1]};
    EXPECT_EQ(::fcntl(fds[0], F_SETFL, O_NONBLOCK), 0);
    EXPECT_EQ(::fcntl(fds[1], F_SETPIPE_SZ, 4096), 4096);
    return fds[1];
  }

  static void write_to(LogFile& file, std::string_view text) {
    const auto room = file.room(text.size() + 1);
    if (room.empty()) return;
    std::memcpy(room.data(), text.data(), text.size());
    room[text.size()] = '\n';
    file.commit(text.size() + 1);
  }
  void write_line(std::string_view text) { write_to(*file_, text); }

  static std::string numbered(int number) {
    std::string line = std::to_string(number);
    return std::string(6 - line.size(), '0') + line + std::string(993, 'x');
  }
  // Lines of 1,000 bytes.
  void write_numbered(int first, int last) {
    for (int number = first; number < last; ++number) write_line(numbered(number));
  }
  // Lines that the reports add up to.
  [[nodiscard]] std::uint64_t lines_told() const {
    std::uint64_t sum = 0;
    for (const std::string& said : said_.lines) {
      sum += std::stoull(said.substr(std::string_view{"the access log lost "}.size()));
    }
    return sum;
  }

  // Turns until nothing is due, without waiting.
  void turn() {
    for (int i = 0; i < 4; ++i) {
      ASSERT_TRUE(loop_->wait(0ns));
      loop_->dispatch();
    }
  }
  void pass(std::chrono::nanoseconds time) {
    clock_.advance(time);
    turn();
  }

  [[nodiscard]] std::string content() const {
    std::ifstream in{path_};
    std::stringstream text;
    text << in.rdbuf();
    return text.str();
  }

  Said said_;
  test::ManualClock clock_;
  test::FailingSyscalls syscalls_;
  std::unique_ptr<net::Loop> loop_;
  std::filesystem::path path_;
  Fd reader_;
  Fd writer_;
  LineGate gate_;
  std::unique_ptr<LogFile> file_;
};

TEST_F(LogFileTest, TheFirstLineAfterAPauseIsWrittenInTheNextTurn) {
  file_ = *LogFile::append_to(*loop_, path_.c_str());
  write_line("one");
  EXPECT_EQ(content(), "");
  turn();
  EXPECT_EQ(content(), "one\n");
}

TEST_F(LogFileTest, LinesInABusyTimeAreWrittenTogether) {
  file_ = *LogFile::append_to(*loop_, path_.c_str());
  write_line("one");
  turn();
  const int writes = syscalls_.calls(test::Call::kWrite);
  write_line("two");
  turn();
  write_line("three");
  turn();
  EXPECT_EQ(content(), "one\n");
  pass(LogFile::kInterval + 2 * net::TimerWheel::kTick);
  EXPECT_EQ(content(), "one\ntwo\nthree\n");
  EXPECT_EQ(syscalls_.calls(test::Call::kWrite), writes + 1);
}

TEST_F(LogFileTest, AFullBatchIsWrittenAtOnce) {
  file_ = *LogFile::append_to(*loop_, path_.c_str());
  const std::string line(1023, 'x');
  for (std::size_t bytes = 0; bytes < LogFile::kBatch; bytes += 1024) write_line(line);
  EXPECT_EQ(content().size(), LogFile::kBatch);
}

TEST_F(LogFileTest, AFileIsAppendedTo) {
  std::ofstream{path_} << "before\n";
  file_ = *LogFile::append_to(*loop_, path_.c_str());
  write_line("after");
  file_.reset();
  EXPECT_EQ(content(), "before\nafter\n");
}

TEST_F(LogFileTest, WhatIsThereAtTheEndIsWritten) {
  share_pipe();
  write_line("one");
  write_line("two");
  file_.reset();
  EXPECT_EQ(test::receive_all(reader_), "one\ntwo\n");
  EXPECT_TRUE(said_.lines.empty());
}

TEST_F(LogFileTest, AChildOfForkWritesNothingOfItsParents) {
  file_ = *LogFile::append_to(*loop_, path_.c_str());
  write_line("once");
  const pid_t child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    write_line("of the child");
    file_.reset();
    ::_exit(said_.lines.empty() ? 0 : 1);
  }
  int status = -1;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
  EXPECT_EQ(content(), "");
  file_.reset();
  EXPECT_EQ(content(), "once\n");
}

TEST_F(LogFileTest, AFolderOrAMissingFolderIsAnError) {
  const auto error_of = [](const auto& result) { return result ? 0 : errno; };
  EXPECT_EQ(error_of(LogFile::append_to(*loop_, "/tmp")), EISDIR);
  EXPECT_EQ(error_of(LogFile::append_to(*loop_, "/nowhere/at/all")), ENOENT);
  EXPECT_EQ(error_of(LogFile::share(*loop_, 12345)), EBADF);
}

TEST_F(LogFileTest, SharingLeavesTheDescriptorBlocking) {
  share_pipe();
  EXPECT_EQ(::fcntl(writer_.get(), F_GETFL) & O_NONBLOCK, 0);
}

TEST_F(LogFileTest, WritesToAPipeAreWholeLinesOfAtMostPipeBuf) {
  int fds[2];
  // A packet pipe keeps the borders of writes.
  ASSERT_EQ(::pipe2(fds, O_CLOEXEC | O_NONBLOCK), 0);
  reader_ = Fd{fds[0]};
  writer_ = Fd{fds[1]};
  file_ = *LogFile::share(*loop_, fds[1]);
  const int before = syscalls_.calls(test::Call::kWrite);
  const std::string line(999, 'x');
  for (int i = 0; i < 10; ++i) write_line(line);
  file_->flush();
  // Four lines of 1,000 bytes fit into 4,096.
  EXPECT_EQ(syscalls_.calls(test::Call::kWrite), before + 3);
  EXPECT_EQ(test::receive_all(reader_).size(), 10000U);
}

class StuckReaderTest : public LogFileTest, public testing::WithParamInterface<bool> {
 protected:
  // The parameter: standard output is a socket (systemd's journal), which cannot be opened again.
  void share_small() {
    if (GetParam()) {
      int fds[2];
      ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
      reader_ = Fd{fds[0]};
      writer_ = Fd{fds[1]};
      ASSERT_EQ(::fcntl(fds[0], F_SETFL, O_NONBLOCK), 0);
      file_ = *LogFile::share(*loop_, fds[1]);
    } else {
      share_pipe();
      ASSERT_EQ(::fcntl(writer_.get(), F_SETPIPE_SZ, 4096), 4096);
    }
  }
};

TEST_P(StuckReaderTest, CostsLinesAndNothingElse) {
  share_small();
  write_numbered(0, 3000);
  turn();
  EXPECT_GT(file_->dropped(), 0U);
  EXPECT_LE(file_->unwritten(), LogFile::kCapacity);
  ASSERT_EQ(said_.lines.size(), 1U);
  EXPECT_EQ(said_.lines[0], "the access log lost 1 line(s): its reader is slow or stuck");

  // When it reads again, every line that was not dropped arrives, whole and in order; so do those
  // that come while it does.
  std::string text;
  for (int i = 0; i < 5000 && (file_->unwritten() > 0 || i < 100); ++i) {
    if (i < 100) write_numbered(3000 + i, 3001 + i);
    text += test::receive_all(reader_);
    pass(LogFile::kInterval);
  }
  text += test::receive_all(reader_);
  EXPECT_EQ(text.size(), (3100 - file_->dropped()) * 1000);
  int last = -1;
  for (std::size_t at = 0; at < text.size(); at += 1000) {
    const int number = std::stoi(text.substr(at, 6));
    ASSERT_EQ(text.substr(at, 1000), numbered(number) + '\n');
    ASSERT_GT(number, last);
    last = number;
  }
  EXPECT_EQ(last, 3099);

  // The lines that were not told yet are told at the latest when the file ends: once each.
  const std::uint64_t dropped = file_->dropped();
  file_.reset();
  EXPECT_EQ(lines_told(), dropped);
}

TEST_P(StuckReaderTest, IsNotAskedForEveryLine) {
  share_small();
  write_numbered(0, 100);
  turn();
  const int writes = syscalls_.calls(test::Call::kWrite);
  write_numbered(100, 1000);
  turn();
  EXPECT_LE(syscalls_.calls(test::Call::kWrite), writes + 1);
}

INSTANTIATE_TEST_SUITE_P(EveryKind, StuckReaderTest, testing::Bool(),
                         [](const auto& test) { return test.param ? "Socket" : "Pipe"; });

TEST_F(LogFileTest, AReaderThatIsGoneCostsLinesAndNothingElse) {
  share_pipe();
  reader_.reset();
  write_line("one");
  turn();
  EXPECT_EQ(file_->unwritten(), 4U);
  write_line("two");
  turn();
  file_.reset();
  ASSERT_EQ(said_.lines.size(), 1U);
  EXPECT_EQ(said_.lines[0], "the access log lost 2 line(s): Broken pipe");
}

TEST_F(LogFileTest, AFullDiskIsTriedAgainEverySecond) {
  file_ = *LogFile::append_to(*loop_, path_.c_str());
  syscalls_.fail(test::Call::kWrite, ENOSPC, 1, 2);
  write_line("one");
  turn();
  EXPECT_EQ(content(), "");
  const int writes = syscalls_.calls(test::Call::kWrite);
  write_line("two");
  turn();
  EXPECT_EQ(syscalls_.calls(test::Call::kWrite), writes);
  pass(1100ms);
  EXPECT_EQ(content(), "");
  pass(1100ms);
  EXPECT_EQ(content(), "one\ntwo\n");
}

TEST_F(LogFileTest, InterruptedWritesAreRepeated) {
  file_ = *LogFile::append_to(*loop_, path_.c_str());
  syscalls_.fail(test::Call::kWrite, EINTR, 1, 3);
  write_line("one");
  turn();
  EXPECT_EQ(content(), "one\n");
}

TEST_F(LogFileTest, ALossIsToldEveryTenSecondsAtMost) {
  share_pipe();
  for (int i = 0; i < 100; ++i) {
    file_->drop();
    pass(1s);
  }
  EXPECT_EQ(said_.lines.size(), 10U);
  EXPECT_EQ(said_.lines[1], "the access log lost 10 line(s): Cannot allocate memory");
}

TEST_F(LogFileTest, ALossIsToldWithItsReasonAlsoWhenThatIsOver) {
  file_ = *LogFile::append_to(*loop_, path_.c_str());
  syscalls_.fail(test::Call::kWrite, ENOSPC);
  write_line("one");
  turn();
  write_numbered(0, 1100);
  EXPECT_GT(file_->dropped(), 1U);
  pass(LogFile::kRetryInterval + 2 * net::TimerWheel::kTick);
  EXPECT_EQ(file_->unwritten(), 0U);
  file_.reset();
  ASSERT_EQ(said_.lines.size(), 2U);
  EXPECT_TRUE(said_.lines[1].ends_with(": No space left on device")) << said_.lines[1];
}

// A log at path_, and the one that a tool moved away from there.
class LogRotationTest : public LogFileTest {
 protected:
  LogRotationTest() : moved_{path_.string() + ".1"} {
    std::filesystem::remove(moved_);
    file_ = *LogFile::append_to(*loop_, path_.c_str());
  }
  ~LogRotationTest() override {
    std::filesystem::remove(moved_);
    std::filesystem::remove(path_);
  }
  void move_away() const { std::filesystem::rename(path_, moved_); }
  [[nodiscard]] std::string moved() const {
    std::ifstream in{moved_};
    std::stringstream text;
    text << in.rdbuf();
    return text.str();
  }
  void log_line(std::string_view text) {
    write_line(text);
    pass(2 * LogFile::kInterval);
  }

  std::filesystem::path moved_;
};

TEST_F(LogRotationTest, ReopenBeginsTheFileAnew) {
  log_line("one");
  write_line("two");
  move_away();
  file_->reopen();
  EXPECT_TRUE(std::filesystem::exists(path_));
  log_line("three");
  EXPECT_EQ(moved(), "one\n");
  EXPECT_EQ(content(), "two\nthree\n");
  EXPECT_TRUE(said_.lines.empty());
}

TEST_F(LogRotationTest, AFileThatDidNotMoveIsAppendedTo) {
  log_line("one");
  file_->reopen();
  log_line("two");
  EXPECT_EQ(content(), "one\ntwo\n");
}

TEST_F(LogRotationTest, OldDescriptorsAreClosed) {
  const auto open_files = [] {
    const std::filesystem::directory_iterator all{"/proc/self/fd"};
    return std::distance(begin(all), end(all));
  };
  const auto before = open_files();
  for (int i = 0; i < 5; ++i) file_->reopen();
  EXPECT_EQ(open_files(), before);
}

// What copies the log and cuts it, as logrotate's copytruncate does: the same file.
TEST_F(LogRotationTest, AFileThatWasCutGoesOn) {
  log_line("one");
  std::filesystem::resize_file(path_, 0);
  pass(LogFile::kLookInterval);
  log_line("two");
  EXPECT_EQ(content(), "two\n");
}

TEST_F(LogRotationTest, AnotherFileAtThePathIsNoticed) {
  log_line("one");
  move_away();
  std::ofstream{path_} << "fresh\n";
  pass(LogFile::kLookInterval);
  log_line("two");
  EXPECT_EQ(moved(), "one\n");
  EXPECT_EQ(content(), "fresh\ntwo\n");
}

TEST_F(LogRotationTest, AFileThatIsGoneIsBegunAnewAtTheSecondLook) {
  log_line("one");
  move_away();
  pass(LogFile::kLookInterval);
  log_line("two");
  EXPECT_FALSE(std::filesystem::exists(path_));  // It may be put there yet.
  log_line("three");
  EXPECT_FALSE(std::filesystem::exists(path_));
  pass(LogFile::kLookInterval);
  log_line("four");
  EXPECT_EQ(moved(), "one\ntwo\nthree\n");
  EXPECT_EQ(content(), "four\n");
}

TEST_F(LogRotationTest, ThePathIsLookedAtOnceAnInterval) {
  pass(LogFile::kLookInterval);
  log_line("one");
  move_away();
  std::ofstream{path_} << "";
  log_line("two");
  EXPECT_EQ(moved(), "one\ntwo\n");
  pass(LogFile::kLookInterval);
  log_line("three");
  EXPECT_EQ(content(), "three\n");
}

TEST_F(LogRotationTest, WhenItCannotBeReopenedTheOldFileGoesOnAndThatIsToldOnce) {
  log_line("one");
  move_away();
  std::filesystem::create_directory(path_);
  file_->reopen();
  for (int i = 0; i < 3; ++i) {
    pass(LogFile::kLookInterval);
    log_line("more");
  }
  EXPECT_EQ(moved(), "one\nmore\nmore\nmore\n");
  ASSERT_EQ(said_.lines.size(), 1U);
  EXPECT_EQ(said_.lines[0],
            "the access log cannot be opened again, so the old file goes on: Is a directory");
  std::filesystem::remove(path_);
  file_->reopen();
  log_line("new");
  EXPECT_EQ(content(), "new\n");
  // The next failure is another one.
  std::filesystem::remove(path_);
  std::filesystem::create_directory(path_);
  file_->reopen();
  EXPECT_EQ(said_.lines.size(), 2U);
}

TEST_F(LogRotationTest, AnEndlessWaitForTheOldFileIsOver) {
  syscalls_.fail(test::Call::kWrite, ENOSPC);
  write_line("one");
  turn();
  EXPECT_EQ(content(), "");
  move_away();
  file_->reopen();
  EXPECT_EQ(content(), "one\n");
  log_line("two");  // Before the old one would have been tried again.
  EXPECT_EQ(content(), "one\ntwo\n");
}

TEST_F(LogRotationTest, ANewFileStaysOpen) {
  move_away();
  file_->reopen();
  const int closed = syscalls_.calls(test::Call::kClose);
  for (int i = 0; i < 3; ++i) {
    pass(LogFile::kLookInterval);
    log_line("more");
  }
  EXPECT_EQ(syscalls_.calls(test::Call::kClose), closed);
}

TEST_F(LogFileTest, WhatIsSharedHasNoPathToReopen) {
  share_pipe();
  write_line("one");
  file_->reopen();
  pass(2 * LogFile::kLookInterval);
  write_line("two");
  pass(2 * LogFile::kInterval);
  EXPECT_EQ(test::receive_all(reader_), "one\ntwo\n");
}

// --- several files of one place

// Takes the end of the pipe's room in the middle of a line, and lets nobody in until it is whole.
TEST_F(LogFileTest, ALineThatTakesSeveralWritesIsNotMixedWithThoseOfAnotherFile) {
  const int pipe = open_small_pipe();
  auto other = *LogFile::share(*loop_, pipe, &gate_);
  file_ = *LogFile::share(*loop_, pipe, &gate_);
  const std::string line(9999, 'x');
  write_line(line);
  turn();
  ASSERT_EQ(file_->unwritten(), 10000U - 4096U);
  write_to(*other, "other");
  std::string text;
  for (int i = 0; i < 10; ++i) {
    text += test::receive_all(reader_);
    pass(LogFile::kInterval);
  }
  text += test::receive_all(reader_);
  EXPECT_EQ(text, line + "\nother\n");
}

TEST_F(LogFileTest, ALineThatHasBegunIsWaitedForAtTheEndAndNoneThatHasNot) {
  int fds[2];
  ASSERT_EQ(::pipe2(fds, O_CLOEXEC), 0);
  reader_ = Fd{fds[0]};
  writer_ = Fd{fds[1]};
  ASSERT_EQ(::fcntl(fds[1], F_SETPIPE_SZ, 4096), 4096);
  file_ = *LogFile::share(*loop_, fds[1]);
  const std::string line(9999, 'x');
  write_line(line);
  write_line("next");
  turn();
  std::string text;
  std::thread reading{[&] {
    std::this_thread::sleep_for(LogFile::kLastWait / 4);
    char bytes[20000];
    while (text.size() < line.size() + 1) {
      const ssize_t count = ::read(fds[0], bytes, sizeof bytes);
      if (count <= 0) break;
      text.append(bytes, static_cast<std::size_t>(count));
    }
  }};
  file_.reset();
  writer_.reset();
  reading.join();
  EXPECT_EQ(text, line + "\n");
  EXPECT_EQ(said_.lines.size(), 1U);
}

// Two processes that share the gate: the names tell their files apart, and that of one that died is
// let out by whoever knows of it.
TEST_F(LogFileTest, AFileOfADeadProcessIsLetOutByItsName) {
  const int pipe = open_small_pipe();
  const int name = 0;
  const int other_name = 0;
  auto other = *LogFile::share(*loop_, pipe, &gate_, &other_name);
  file_ = *LogFile::share(*loop_, pipe, &gate_, &name);
  write_line(std::string(9999, 'x'));
  turn();
  EXPECT_EQ(test::receive_all(reader_).size(), 4096U);
  write_to(*other, "other");
  other->flush();
  EXPECT_EQ(other->unwritten(), 6U);
  gate_.leave(file_.get());  // That is not what it is known as.
  other->flush();
  EXPECT_EQ(other->unwritten(), 6U);
  gate_.leave(&name);
  other->flush();
  EXPECT_EQ(test::receive_all(reader_), "other\n");
}

// While it lives no file grows beyond `bytes`: the disk is full in the middle of a line.
class SmallDisk {
 public:
  explicit SmallDisk(rlim_t bytes) {
    signal(SIGXFSZ, SIG_IGN);
    getrlimit(RLIMIT_FSIZE, &before_);
    const rlimit small{.rlim_cur = bytes, .rlim_max = before_.rlim_max};
    setrlimit(RLIMIT_FSIZE, &small);
  }
  ~SmallDisk() { setrlimit(RLIMIT_FSIZE, &before_); }

 private:
  rlimit before_{};
};

TEST_F(LogFileTest, AFullDiskThatCutsALineKeepsNobodyOut) {
  auto other = *LogFile::append_to(*loop_, path_.c_str(), &gate_);
  file_ = *LogFile::append_to(*loop_, path_.c_str(), &gate_);
  write_line("one");
  {
    const SmallDisk disk{2};
    file_->flush();
  }
  ASSERT_EQ(content(), "on");
  write_to(*other, "other");
  other->flush();
  EXPECT_EQ(content(), "onother\n");
  pass(LogFile::kRetryInterval + 2 * net::TimerWheel::kTick);
  EXPECT_EQ(content(), "onother\ne\n");
}

// The worker next door may be in the middle of a write, or of a line that its reader takes.
TEST_F(LogFileTest, AFileThatEndsWaitsALittleForTheGate) {
  int fds[2];
  ASSERT_EQ(::pipe2(fds, O_CLOEXEC | O_NONBLOCK), 0);
  reader_ = Fd{fds[0]};
  writer_ = Fd{fds[1]};
  file_ = *LogFile::share(*loop_, fds[1], &gate_);
  ASSERT_TRUE(gate_.enter(this));
  write_line("one");
  turn();
  EXPECT_EQ(test::receive_all(reader_), "");
  std::thread other{[&] {
    std::this_thread::sleep_for(LogFile::kLastWait / 4);
    gate_.leave(this);
  }};
  file_.reset();
  other.join();
  EXPECT_EQ(test::receive_all(reader_), "one\n");
  EXPECT_TRUE(said_.lines.empty());
}

TEST_F(LogFileTest, AGateThatStaysTakenCostsTheLastLines) {
  int fds[2];
  ASSERT_EQ(::pipe2(fds, O_CLOEXEC | O_NONBLOCK), 0);
  reader_ = Fd{fds[0]};
  writer_ = Fd{fds[1]};
  file_ = *LogFile::share(*loop_, fds[1], &gate_);
  ASSERT_TRUE(gate_.enter(this));
  write_line("one");
  file_.reset();
  ASSERT_EQ(said_.lines.size(), 1U);
  EXPECT_EQ(said_.lines[0], "the access log lost 1 line(s): its reader is slow or stuck");
  EXPECT_EQ(test::receive_all(reader_), "");
}

TEST_F(LogFileTest, AReaderThatIsGoneIsToldOfByWhoFindsTheGateTaken) {
  int fds[2];
  ASSERT_EQ(::pipe2(fds, O_CLOEXEC), 0);
  writer_ = Fd{fds[1]};
  file_ = *LogFile::share(*loop_, fds[1], &gate_);
  ::close(fds[0]);
  write_line("one");
  turn();
  ASSERT_TRUE(gate_.enter(this));
  pass(LogFile::kRetryInterval + 2 * net::TimerWheel::kTick);
  file_.reset();
  ASSERT_EQ(said_.lines.size(), 1U);
  EXPECT_EQ(said_.lines[0], "the access log lost 1 line(s): Broken pipe");
}

// --- a descriptor that the application closes

class ClosedLogTest : public LogFileTest {
 protected:
  // Another pipe gets the number of what `file` writes to, as a client's connection would.
  void replace(const std::filesystem::path& file) {
    const std::filesystem::directory_iterator all{"/proc/self/fd"};
    std::vector<int> numbers;
    for (const auto& entry : all) {
      std::error_code gone;
      if (std::filesystem::read_symlink(entry, gone) == file) {
        numbers.push_back(std::stoi(entry.path().filename()));
      }
    }
    std::erase(numbers, reader_.get());
    std::erase(numbers, writer_.get());
    ASSERT_EQ(numbers.size(), 1U);
    number_ = numbers[0];
    int fds[2];
    ASSERT_EQ(::pipe2(fds, O_CLOEXEC | O_NONBLOCK), 0);
    client_ = Fd{fds[0]};
    ASSERT_EQ(::dup2(fds[1], number_), number_);
    ::close(fds[1]);
  }
  ~ClosedLogTest() override {
    // What is not the log's is not the log's to close.
    EXPECT_GE(::fcntl(number_, F_GETFD), 0);
    ::close(number_);
  }

  int number_ = -1;
  Fd client_;
};

TEST_F(ClosedLogTest, APathIsOpenedAgain) {
  file_ = *LogFile::append_to(*loop_, path_.c_str());
  write_line("one");
  turn();
  replace(path_);
  write_line("two");
  pass(2 * LogFile::kInterval);
  EXPECT_EQ(content(), "one\ntwo\n");
  EXPECT_EQ(test::receive_all(client_), "");
  file_.reset();
}

TEST_F(ClosedLogTest, APathThatCannotBeOpenedAgainCostsLines) {
  file_ = *LogFile::append_to(*loop_, path_.c_str());
  replace(path_);
  std::filesystem::remove(path_);
  std::filesystem::create_directory(path_);
  write_line("one");
  pass(2 * LogFile::kInterval);
  EXPECT_EQ(test::receive_all(client_), "");
  std::filesystem::remove(path_);
  pass(LogFile::kRetryInterval + 2 * net::TimerWheel::kTick);
  EXPECT_EQ(content(), "one\n");
  file_.reset();
  EXPECT_EQ(test::receive_all(client_), "");
}

TEST_F(ClosedLogTest, WhatIsSharedIsAnErrorAndCostsLines) {
  share_pipe();
  write_line("one");
  turn();
  EXPECT_EQ(test::receive_all(reader_), "one\n");
  replace(std::filesystem::read_symlink("/proc/self/fd/" + std::to_string(reader_.get())));
  write_line("two");
  pass(2 * LogFile::kInterval);
  ASSERT_EQ(said_.lines.size(), 1U);
  file_.reset();
  EXPECT_EQ(test::receive_all(client_), "");
  ASSERT_EQ(said_.lines.size(), 1U);
  EXPECT_EQ(said_.lines[0], "the access log lost 1 line(s): Bad file descriptor");
}

TEST_F(ClosedLogTest, WhoIsInTheMiddleOfALineKeepsNobodyOut) {
  int fds[2];
  ASSERT_EQ(::pipe2(fds, O_CLOEXEC | O_NONBLOCK), 0);
  reader_ = Fd{fds[0]};
  writer_ = Fd{fds[1]};
  ASSERT_EQ(::fcntl(fds[1], F_SETPIPE_SZ, 4096), 4096);
  file_ = *LogFile::share(*loop_, fds[1], &gate_);
  write_line(std::string(9999, 'x'));
  turn();
  ASSERT_FALSE(gate_.enter(this));
  replace(std::filesystem::read_symlink("/proc/self/fd/" + std::to_string(fds[0])));
  file_->flush();
  EXPECT_TRUE(gate_.enter(this));
  file_.reset();
  EXPECT_EQ(test::receive_all(client_), "");
}

// Threads with a loop and a file each, one pipe, and lines of every length: run under TSan too.
TEST_F(LogFileTest, LinesOfSeveralThreadsInOnePipeStayWhole) {
  constexpr int kThreads = 4;
  constexpr int kLines = 300;
  const SteadyClock clock;
  int fds[2];
  ASSERT_EQ(::pipe2(fds, O_CLOEXEC), 0);
  reader_ = Fd{fds[0]};
  writer_ = Fd{fds[1]};
  std::vector<std::thread> threads;
  for (int number = 0; number < kThreads; ++number) {
    threads.emplace_back([&, number] {
      const auto loop = *net::Loop::create(clock, net::system_calls());
      const auto file = *LogFile::share(*loop, fds[1], &gate_);
      const char mark = static_cast<char>('a' + number);
      for (int i = 0; i < kLines || file->unwritten() > 0;) {
        if (i < kLines && file->unwritten() < LogFile::kCapacity / 2) {
          write_to(*file, std::string(static_cast<std::size_t>(1 + i++ * 7919 % 12000), mark));
        }
        ASSERT_TRUE(loop->wait(i < kLines ? 0ns : 1ms));
        loop->dispatch();
      }
    });
  }
  std::string text;
  std::thread reading{[&] {
    char bytes[65536];
    for (ssize_t count = 0; (count = ::read(fds[0], bytes, sizeof bytes)) > 0;) {
      text.append(bytes, static_cast<std::size_t>(count));
    }
  }};
  for (std::thread& thread : threads) thread.join();
  writer_.reset();
  reading.join();
  std::vector<int> lines(kThreads);
  std::istringstream in{text};
  for (std::string line; std::getline(in, line);) {
    ASSERT_EQ(line.find_first_not_of(line[0]), std::string::npos);
    const auto number = static_cast<std::size_t>(line[0] - 'a');
    ASSERT_LT(number, lines.size());
    ASSERT_EQ(line.size(), static_cast<std::size_t>(1 + lines[number]++ * 7919 % 12000));
  }
  EXPECT_EQ(lines, std::vector<int>(kThreads, kLines));
}

}  // namespace
}  // namespace tercel::edge
