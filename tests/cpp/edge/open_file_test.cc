#include "tercel/edge/open_file.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <fstream>
#include <string>

#include <gtest/gtest.h>

#include "support/descriptors.h"
#include "support/failing_syscalls.h"
#include "support/temporary_directory.h"

namespace tercel::edge {
namespace {

using test::Call;

// With openat2(), and as on a system that has none.
class OpenFileTest : public testing::TestWithParam<bool> {
 protected:
  OpenFileTest() {
    std::filesystem::create_directories(folder_.file("in/deep"));
    write("in/a.txt", "inside");
    write("in/deep/b.txt", "deep");
    write("out.txt", "outside");
    opened_ = test::Fd{::open(folder_.file("in").c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC)};
    if (!GetParam()) syscalls_.fail(Call::kOpenat2, ENOSYS, 1, 1'000'000);
    descriptors_ = test::open_descriptors();
  }
  ~OpenFileTest() override { EXPECT_EQ(test::open_descriptors(), descriptors_); }

  void write(const std::string& name, std::string_view text) {
    std::ofstream{folder_.file(name)} << text;
  }
  void link(const std::string& target, const std::string& name) {
    std::filesystem::create_symlink(target, folder_.file(name));
  }
  // Its bytes, "a folder", or the error's name.
  [[nodiscard]] std::string open(const char* path) {
    const Result<OpenFile> file = OpenFile::open_beneath(syscalls_, opened_.get(), path);
    if (!file) return std::string{info(file.error()).name};
    if (file->is_folder()) return "a folder";
    std::string bytes(file->size(), '\0');
    EXPECT_EQ(::pread(file->descriptor(), bytes.data(), bytes.size(), 0),
              static_cast<ssize_t>(bytes.size()));
    return bytes;
  }

  test::TemporaryDirectory folder_;
  test::Fd opened_;
  test::FailingSyscalls syscalls_;
  std::ptrdiff_t descriptors_ = 0;
};

TEST_P(OpenFileTest, OpensWhatLiesInTheFolder) {
  EXPECT_EQ(open("a.txt"), "inside");
  EXPECT_EQ(open("deep/b.txt"), "deep");
  EXPECT_EQ(open("deep"), "a folder");
  EXPECT_EQ(open("."), "a folder");
  EXPECT_EQ(open("c.txt"), "NotFound");
  EXPECT_EQ(open("a.txt/"), "NotFound");
  EXPECT_EQ(open("a.txt/b"), "NotFound");
}

TEST_P(OpenFileTest, LinksWithinTheFolderAreFollowedAndOthersAreNot) {
  link("a.txt", "in/near");
  link("../a.txt", "in/deep/up");
  link("deep", "in/folder");
  link(folder_.file("in/a.txt"), "in/absolute");
  link("../in/a.txt", "in/around");
  EXPECT_EQ(open("near"), "inside");
  EXPECT_EQ(open("deep/up"), "inside");
  EXPECT_EQ(open("folder/b.txt"), "deep");
  EXPECT_EQ(open("absolute"), "inside");
  EXPECT_EQ(open("around"), "inside");

  link("../out.txt", "in/outside");
  link("/etc/passwd", "in/passwd");
  link("..", "in/parent");
  link("/proc/self/root", "in/magic");
  link("loop", "in/loop");
  std::filesystem::create_directory(folder_.file("in2"));
  write("in2/c.txt", "the name begins like the folder's");
  link("../in2/c.txt", "in/beside");
  for (const char* path : {"outside", "passwd", "parent/out.txt", "parent", "magic/etc/passwd",
                           "loop", "beside", "../out.txt", "deep/../../out.txt", "/etc/passwd"}) {
    EXPECT_EQ(open(path), "NotFound") << path;
  }
}

TEST_P(OpenFileTest, NeitherWaitsForNorOpensWhatIsNoFile) {
  ASSERT_EQ(::mkfifo(folder_.file("in/fifo").c_str(), 0600), 0);
  EXPECT_EQ(open("fifo"), "NotFound");

  const test::Fd listening{::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)};
  ++descriptors_;
  sockaddr_un address{.sun_family = AF_UNIX, .sun_path = {}};
  folder_.file("in/socket").copy(address.sun_path, sizeof address.sun_path - 1);
  ASSERT_EQ(::bind(listening.get(), reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  EXPECT_EQ(open("socket"), "NotFound");
  --descriptors_;

  if (::mknod(folder_.file("in/null").c_str(), S_IFCHR | 0666, makedev(1, 3)) == 0) {
    EXPECT_EQ(open("null"), "NotFound");
  }
}

TEST_P(OpenFileTest, WhatTheSystemLacksIsToldFromWhatIsNotThere) {
  const Call call = GetParam() ? Call::kOpenat2 : Call::kOpenat;
  syscalls_.fail(call, EMFILE);
  EXPECT_EQ(open("a.txt"), "TooManyFiles");
  syscalls_.fail(call, ENOMEM);
  EXPECT_EQ(open("a.txt"), "NoMemory");
  syscalls_.fail(call, EACCES);
  EXPECT_EQ(open("a.txt"), "NotFound");
  syscalls_.fail(call, EIO);
  EXPECT_EQ(open("a.txt"), "System");
  syscalls_.fail(Call::kFstat, EIO);
  EXPECT_EQ(open("a.txt"), "System");
  EXPECT_EQ(open("a.txt"), "inside");
}

TEST_P(OpenFileTest, TheNthFailureLeavesNothingOpen) {
  link(folder_.file("in/a.txt"), "in/absolute");
  for (int nth = 1; nth <= 8; ++nth) {
    for (std::size_t choice = 0; choice < 10; ++choice) {
      syscalls_.fail_any(nth, choice);
      const std::string found = open("absolute");
      EXPECT_NE(found, "outside");
      EXPECT_EQ(test::open_descriptors(), descriptors_) << nth << ' ' << choice;
    }
  }
  syscalls_.fail_any(0);
}

INSTANTIATE_TEST_SUITE_P(Systems, OpenFileTest, testing::Bool(), [](const auto& with_openat2) {
  return with_openat2.param ? "Openat2" : "WithoutIt";
});

TEST(OpenFileRaceTest, AFolderThatMovesMeanwhileIsLookedUpAnotherWay) {
  const test::TemporaryDirectory folder;
  std::ofstream{folder.file("a")} << "a";
  const test::Fd opened{::open(folder.file("").c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC)};
  test::FailingSyscalls syscalls;
  syscalls.fail(Call::kOpenat2, EAGAIN);
  EXPECT_TRUE(OpenFile::open_beneath(syscalls, opened.get(), "a"));
  EXPECT_EQ(syscalls.calls(Call::kReadlink), 2);
}

TEST(OpenFileRaceTest, AFileThatIsGoneOrHiddenIsInNoFolder) {
  const test::TemporaryDirectory folder;
  std::ofstream{folder.file("a")} << "a";
  const test::Fd opened{::open(folder.file("").c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC)};
  for (const int nth : {1, 2}) {  // Of the file, of the folder.
    test::FailingSyscalls syscalls;
    syscalls.fail(Call::kOpenat2, ENOSYS);
    syscalls.fail(Call::kReadlink, ENOENT, nth);
    const auto file = OpenFile::open_beneath(syscalls, opened.get(), "a");
    ASSERT_FALSE(file);
    EXPECT_EQ(file.error(), Errc::kNotFound);
  }
}

TEST(OpenFileMoveTest, ClosesWhatItHadAndKeepsWhatItGot) {
  const test::TemporaryDirectory folder;
  std::ofstream{folder.file("a")} << "a";
  const std::ptrdiff_t before = test::open_descriptors();
  {
    auto first = OpenFile::open(net::system_calls(), folder.file("a").c_str());
    auto second = OpenFile::open(net::system_calls(), folder.file("a").c_str());
    ASSERT_TRUE(first && second);
    *first = *std::move(second);
    EXPECT_EQ(test::open_descriptors(), before + 1);
    EXPECT_EQ(first->size(), 1U);
  }
  EXPECT_EQ(test::open_descriptors(), before);
}

}  // namespace
}  // namespace tercel::edge
