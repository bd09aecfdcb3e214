#include "tercel/net/syscalls.h"

#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/stat.h>

#include <array>
#include <cerrno>
#include <linux/openat2.h>
#include <vector>

#include <gtest/gtest.h>

#include "support/descriptors.h"
#include "support/failing_syscalls.h"
#include "tercel/base/clock.h"

namespace tercel::net {
namespace {

using namespace std::chrono_literals;  // NOLINT(google-build-using-namespace): only literals.
using test::Call;
using test::FailingSyscalls;
using test::Fd;

TEST(SyscallsTest, AFailureIsTheNegativeErrno) {
  Syscalls& calls = system_calls();
  std::array<char, 1> byte{};
  EXPECT_EQ(calls.recv(-1, byte), -EBADF);
  EXPECT_EQ(calls.write(-1, byte), -EBADF);
  EXPECT_EQ(calls.close(-1), -EBADF);
  EXPECT_EQ(calls.unlink("/no/such/file"), -ENOENT);
  EXPECT_EQ(calls.set_nonblocking_cloexec(-1), -EBADF);
  EXPECT_EQ(calls.duplicate(-1), -EBADF);
  struct stat about {};
  EXPECT_EQ(calls.fstat(-1, &about), -EBADF);
  EXPECT_EQ(calls.openat(AT_FDCWD, "/no/such/file", O_RDONLY), -ENOENT);
  const int beneath = calls.openat2(AT_FDCWD, "/tmp", O_RDONLY, RESOLVE_BENEATH);
  EXPECT_TRUE(beneath == -EXDEV || beneath == -ENOSYS || beneath == -EPERM) << beneath;
  EXPECT_EQ(calls.readlink("/no/such/file", byte), -ENOENT);
}

TEST(SyscallsTest, WaitsNoShorterThanAskedFor) {
  Syscalls& calls = system_calls();
  const Fd epoll{calls.epoll_create1(EPOLL_CLOEXEC)};
  std::array<epoll_event, 4> events;
  const SteadyClock clock;
  for (const std::chrono::nanoseconds timeout : {0ns, 1ns, 100'000ns, 1'000'000ns, 2'500'000ns}) {
    const auto start = clock.now();
    EXPECT_EQ(calls.epoll_wait(epoll.get(), events, timeout), 0);
    EXPECT_GE(clock.now() - start, timeout);
  }
}

TEST(SyscallsTest, ABrokenDescriptorIsSaidByBothWaysToWait) {
  std::array<epoll_event, 4> events;
  for (const std::chrono::nanoseconds timeout : {0ns, 100ns, 1'000'000ns}) {
    EXPECT_EQ(system_calls().epoll_wait(-1, events, timeout), -EBADF);
  }
}

TEST(SyscallsTest, EndlessAndVeryLongWaitsEndWithAnEvent) {
  Syscalls& calls = system_calls();
  const Fd epoll{calls.epoll_create1(EPOLL_CLOEXEC)};
  const Fd event{calls.eventfd(1, EFD_CLOEXEC | EFD_NONBLOCK)};
  epoll_event wish{};
  wish.events = EPOLLIN;
  ASSERT_EQ(calls.epoll_ctl(epoll.get(), EPOLL_CTL_ADD, event.get(), &wish), 0);
  std::array<epoll_event, 4> events;
  for (const std::chrono::nanoseconds timeout :
       {-1ns, std::chrono::nanoseconds::min(), std::chrono::nanoseconds::max(),
        std::chrono::nanoseconds{24h * 365 * 200}}) {
    EXPECT_EQ(calls.epoll_wait(epoll.get(), events, timeout), 1);
  }
}

TEST(SyscallsTest, EachErrnoHasItsErrc) {
  const std::vector<std::pair<int, Errc>> expected{
      {EADDRINUSE, Errc::kAddressInUse}, {EADDRNOTAVAIL, Errc::kAddressInvalid},
      {EACCES, Errc::kPermission},       {EMFILE, Errc::kTooManyFiles},
      {ENFILE, Errc::kTooManyFiles},     {ENOMEM, Errc::kNoMemory},
      {ENOBUFS, Errc::kNoMemory},        {EIO, Errc::kSystem}};
  for (const auto& [number, error] : expected) EXPECT_EQ(error_of_call(-number), error) << number;
}

// --- the fake itself

TEST(FailingSyscallsTest, FailsTheNthCallOfAKindAndTheTimesAfterIt) {
  FailingSyscalls calls;
  calls.fail(Call::kUnlink, EROFS, 2, 2);
  std::vector<int> results;
  for (int i = 0; i < 4; ++i) results.push_back(calls.unlink("/no/such/file"));
  EXPECT_EQ(results, (std::vector{-ENOENT, -EROFS, -EROFS, -ENOENT}));
  EXPECT_EQ(calls.calls(Call::kUnlink), 4);
}

TEST(FailingSyscallsTest, FailsTheNthCallOfAllKinds) {
  FailingSyscalls calls;
  calls.fail_any(2, 1);
  EXPECT_EQ(calls.unlink("/no/such/file"), -ENOENT);
  EXPECT_EQ(calls.failed(), Call::kCount);
  EXPECT_EQ(calls.chmod("/no/such/file", 0), -test::documented_errors(Call::kChmod)[1]);
  EXPECT_EQ(calls.failed(), Call::kChmod);
  EXPECT_EQ(name_of(calls.failed()), "kChmod");
}

TEST(FailingSyscallsTest, AFailingCloseCloses) {
  FailingSyscalls calls;
  calls.fail(Call::kClose, EIO);
  const int fd = ::dup(0);
  EXPECT_EQ(calls.close(fd), -EIO);
  EXPECT_LT(::fcntl(fd, F_GETFD), 0);
}

}  // namespace
}  // namespace tercel::net
