#include "tercel/api/spool.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "support/descriptors.h"
#include "support/temporary_directory.h"
#include "tercel/base/log.h"

namespace tercel::api {
namespace {

// What is logged while it lives.
class Lines final : public LogSink {
 public:
  Lines() { set_log_sink(this); }
  ~Lines() { set_log_sink(nullptr); }
  void log(LogLevel, std::string_view text) noexcept override { all.emplace_back(text); }

  std::vector<std::string> all;
};

std::string bytes_of(std::size_t count) {
  std::string all(count, '\0');
  for (std::size_t i = 0; i < count; ++i) all[i] = static_cast<char>(i * 7 + i / 256);
  return all;
}

std::string read_all(const Spool& spool, std::uint64_t offset, std::size_t count) {
  std::string all(count, '?');
  const auto read = spool.read(offset, {all.data(), all.size()});
  EXPECT_TRUE(read);
  all.resize(read ? *read : 0);
  return all;
}

int duplicate(const Spool& spool) {
  const auto fd = spool.duplicate();
  EXPECT_TRUE(fd);
  return fd ? *fd : -1;
}

class SpoolTest : public testing::TestWithParam<Spool::Way> {
 protected:
  BlockPool blocks_;
  test::TemporaryDirectory files_;
  std::string path_ = files_.file("");
};

TEST_P(SpoolTest, ReadsWhatWasAppendedWhateverThePieces) {
  const std::string all = bytes_of(300'000);
  for (const std::size_t piece : {1'000U, 65'535U, 65'536U, 65'537U, 300'000U}) {
    Spool spool{blocks_, {.directory = path_.c_str(), .way = GetParam()}};
    for (std::size_t at = 0; at < all.size(); at += piece) {
      ASSERT_TRUE(spool.append(std::string_view{all}.substr(at, piece)));
      EXPECT_EQ(spool.size(), std::min(at + piece, all.size()));
    }
    ASSERT_TRUE(spool.flush());
    EXPECT_EQ(read_all(spool, 0, all.size() + 1), all);
    EXPECT_EQ(read_all(spool, 65'530, 12), all.substr(65'530, 12));
    EXPECT_EQ(read_all(spool, all.size(), 1), "");
  }
}

TEST_P(SpoolTest, TheFileHasNoNameAndIsOnlyTheUsers) {
  Spool spool{blocks_, {.directory = path_.c_str(), .way = GetParam()}};
  ASSERT_TRUE(spool.append(bytes_of(100'000)));
  EXPECT_TRUE(std::filesystem::is_empty(path_));
  ASSERT_TRUE(spool.flush());
  const test::Fd fd{duplicate(spool)};
  struct stat status {};
  ASSERT_EQ(::fstat(fd.get(), &status), 0);
  EXPECT_EQ(status.st_size, 100'000);
  EXPECT_EQ(status.st_nlink, 0U);
  EXPECT_EQ(status.st_mode & 0777U, 0600U);
  EXPECT_EQ(::fcntl(fd.get(), F_GETFD), FD_CLOEXEC);
}

INSTANTIATE_TEST_SUITE_P(Ways, SpoolTest,
                         testing::Values(Spool::Way::kNameless, Spool::Way::kNamedAndRemoved));

TEST(SpoolFailures, LittleIsNotWrittenBeforeItMustBe) {
  BlockPool blocks;
  Spool spool{blocks, {.directory = "/nowhere"}};
  EXPECT_TRUE(spool.append("a little"));
  EXPECT_EQ(spool.size(), 8U);
}

TEST(SpoolFailures, AnEmptyOneNeedsNoFile) {
  BlockPool blocks;
  Spool spool{blocks, {.directory = "/nowhere"}};
  EXPECT_TRUE(spool.flush());
  EXPECT_EQ(duplicate(spool), -1);
}

TEST(SpoolFailures, ADirectoryThatIsNotThereIsLogged) {
  Lines lines;
  BlockPool blocks;
  Spool spool{blocks, {.directory = "/nowhere"}};
  ASSERT_TRUE(spool.append("a"));
  const auto flushed = spool.flush();
  ASSERT_FALSE(flushed);
  EXPECT_EQ(flushed.error(), Errc::kSpoolFailed);
  EXPECT_EQ(lines.all, std::vector<std::string>{"a file for uploads in /nowhere could not be made: "
                                                "No such file or directory"});
}

TEST(SpoolFailures, NoRoomIsItsOwnError) {
  // A limit of the process, as it would be that of the disk.
  std::signal(SIGXFSZ, SIG_IGN);
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &before), 0);
  const rlimit low{.rlim_cur = 100'000, .rlim_max = before.rlim_max};
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &low), 0);
  Lines lines;
  BlockPool blocks;
  Spool spool{blocks, {}};
  const auto first = spool.append(bytes_of(90'000));
  const auto second = spool.append(bytes_of(90'000));
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &before), 0);
  EXPECT_TRUE(first);
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error(), Errc::kSpoolFull);
  EXPECT_EQ(lines.all.size(), 1U);
}

TEST(SpoolFailures, NoDescriptorsIsItsOwnError) {
  Lines lines;
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &before), 0);
  const rlimit none{.rlim_cur = 3, .rlim_max = before.rlim_max};
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &none), 0);
  BlockPool blocks;
  Spool spool{blocks, {}};
  const auto appended = spool.append(bytes_of(70'000));
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &before), 0);
  ASSERT_FALSE(appended);
  EXPECT_EQ(appended.error(), Errc::kTooManyFiles);
}

TEST(SpoolLeaks, TheFileGoesWithIt) {
  const auto before = test::open_descriptors();
  BlockPool blocks;
  {
    Spool spool{blocks, {}};
    ASSERT_TRUE(spool.append(bytes_of(70'000)));
    EXPECT_EQ(test::open_descriptors(), before + 1);
  }
  EXPECT_EQ(test::open_descriptors(), before);
  EXPECT_EQ(blocks.outstanding(), 0U);
}

}  // namespace
}  // namespace tercel::api
