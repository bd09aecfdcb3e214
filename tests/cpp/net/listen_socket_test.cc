#include "tercel/net/listen_socket.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/stat.h>

#include <fstream>
#include <memory>

#include <gtest/gtest.h>

#include "support/connect.h"
#include "support/descriptors.h"
#include "support/failing_syscalls.h"
#include "support/temporary_directory.h"

namespace tercel::net {
namespace {

using test::Call;
using test::connect_to;
using test::FailingSyscalls;
using test::Fd;
using test::TemporaryDirectory;

int option(int fd, int level, int name) {
  int value = -1;
  socklen_t bytes = sizeof value;
  EXPECT_EQ(::getsockopt(fd, level, name, &value, &bytes), 0);
  return value;
}

int option(const ListenSocket& socket, int level, int name) {
  return option(socket.descriptor(), level, name);
}

bool exists(const std::string& path) {
  struct stat file {};
  return ::lstat(path.c_str(), &file) == 0;
}

Result<ListenSocket> listen_tcp(std::string_view host, std::uint16_t port = 0,
                                const ListenOptions& options = {}) {
  return ListenSocket::tcp(system_calls(), host, port, options);
}

Result<ListenSocket> listen_unix(std::string_view path, const ListenOptions& options = {}) {
  return ListenSocket::unix_path(system_calls(), path, options);
}

// --- TCP

TEST(ListenSocketTest, SaysWhatToOpen) {
  const TemporaryDirectory directory;
  const std::string path = directory.file("a.sock");
  const auto ipv4 = listen_tcp("127.0.0.1");
  const auto ipv6 = listen_tcp("::1");
  EXPECT_EQ(ipv4->url("http"), "http://127.0.0.1:" + std::to_string(ipv4->address().port));
  EXPECT_EQ(ipv6->url("https"), "https://[::1]:" + std::to_string(ipv6->address().port));
  EXPECT_EQ(listen_unix(path)->url("http"), "unix:" + path);
}

TEST(ListenSocketTest, ListensOnAFreePort) {
  for (const char* host : {"127.0.0.1", "::1"}) {
    const auto socket = listen_tcp(host);
    ASSERT_TRUE(socket) << host;
    EXPECT_NE(socket->address().port, 0);
    EXPECT_TRUE(socket->path().empty());
    EXPECT_GE(connect_to(socket->address()).get(), 0);
    EXPECT_EQ(::fcntl(socket->descriptor(), F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
    EXPECT_EQ(::fcntl(socket->descriptor(), F_GETFL) & O_NONBLOCK, O_NONBLOCK);
  }
}

TEST(ListenSocketTest, ATakenPortIsAddressInUse) {
  const auto first = listen_tcp("127.0.0.1");
  ASSERT_TRUE(first);
  const auto second = listen_tcp("127.0.0.1", first->address().port);
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error(), Errc::kAddressInUse);
}

TEST(ListenSocketTest, ReusePortSharesThePort) {
  const auto first = listen_tcp("127.0.0.1", 0, {.reuse_port = true});
  ASSERT_TRUE(first);
  EXPECT_TRUE(listen_tcp("127.0.0.1", first->address().port, {.reuse_port = true}));
  EXPECT_FALSE(listen_tcp("127.0.0.1", first->address().port));
}

// A server that restarts finds its port again, though connections of the last one linger.
TEST(ListenSocketTest, AClosedConnectionDoesNotKeepThePort) {
  auto socket = listen_tcp("127.0.0.1");
  ASSERT_TRUE(socket);
  const Address address = socket->address();
  const Fd client = connect_to(address);
  Fd{::accept4(socket->descriptor(), nullptr, nullptr, SOCK_CLOEXEC)}.reset();  // TIME_WAIT here.
  socket->close();
  EXPECT_TRUE(listen_tcp("127.0.0.1", address.port));
}

TEST(ListenSocketTest, AnIpv6SocketTakesIpv4UnlessToldNotTo) {
  for (const bool only : {false, true}) {
    const auto socket = listen_tcp("::", 0, {.ipv6_only = only});
    ASSERT_TRUE(socket);
    EXPECT_EQ(option(*socket, IPPROTO_IPV6, IPV6_V6ONLY), only ? 1 : 0);
    const Fd client = connect_to(*parse_ip("127.0.0.1", socket->address().port));
    EXPECT_EQ(client.get() >= 0, !only);
  }
}

TEST(ListenSocketTest, WhatCannotBeBoundIsSaidToBe) {
  EXPECT_EQ(listen_tcp("localhost").error(), Errc::kAddressInvalid);
  EXPECT_EQ(listen_tcp("192.0.2.1").error(), Errc::kAddressInvalid);  // Not of this machine.
  EXPECT_EQ(listen_tcp("").error(), Errc::kAddressInvalid);
}

TEST(ListenSocketTest, MovesWithItsDescriptor) {
  auto first = listen_tcp("127.0.0.1");
  auto second = listen_tcp("127.0.0.1");
  ASSERT_TRUE(first && second);
  const int number = first->descriptor();
  const int lost = second->descriptor();
  ListenSocket moved{*std::move(first)};
  EXPECT_EQ(moved.descriptor(), number);
  EXPECT_EQ(first->descriptor(), -1);  // NOLINT(bugprone-use-after-move)
  *second = std::move(moved);
  EXPECT_EQ(second->descriptor(), number);
  EXPECT_LT(::fcntl(lost, F_GETFD), 0);
  second->close();
  second->close();
  EXPECT_EQ(second->descriptor(), -1);
  EXPECT_NE(second->address().port, 0);
  EXPECT_LT(::fcntl(number, F_GETFD), 0);
}

constexpr ListenOptions kKnobs{.keepalive = std::chrono::seconds{60},
                               .user_timeout = std::chrono::milliseconds{4500},
                               .fast_open = 17};

// That of a connection to `socket`, as it is right after accept().
void expect_knobs_on_accepted(const ListenSocket& socket) {
  const Fd client = connect_to(socket.address());
  const Fd accepted{::accept4(socket.descriptor(), nullptr, nullptr, SOCK_CLOEXEC)};
  ASSERT_GE(accepted.get(), 0);
  EXPECT_EQ(option(accepted.get(), SOL_SOCKET, SO_KEEPALIVE), 1);
  EXPECT_EQ(option(accepted.get(), IPPROTO_TCP, TCP_KEEPIDLE), 60);
  EXPECT_EQ(option(accepted.get(), IPPROTO_TCP, TCP_KEEPINTVL), 20);
  EXPECT_EQ(option(accepted.get(), IPPROTO_TCP, TCP_KEEPCNT), 3);
  EXPECT_EQ(option(accepted.get(), IPPROTO_TCP, TCP_USER_TIMEOUT), 4500);
}

TEST(ListenSocketTest, AcceptedSocketsInheritWhatIsSetOnce) {
  const auto socket = listen_tcp("127.0.0.1", 0, kKnobs);
  ASSERT_TRUE(socket);
  EXPECT_EQ(option(*socket, IPPROTO_TCP, TCP_FASTOPEN), 17);
  expect_knobs_on_accepted(*socket);
}

TEST(ListenSocketTest, WithoutAWishTheSystemsDefaultsStay) {
  const Fd plain{::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
  const auto socket = listen_tcp("127.0.0.1");
  ASSERT_TRUE(socket);
  EXPECT_EQ(option(*socket, SOL_SOCKET, SO_KEEPALIVE), 0);
  EXPECT_EQ(option(*socket, IPPROTO_TCP, TCP_USER_TIMEOUT), 0);
  EXPECT_EQ(option(*socket, IPPROTO_TCP, TCP_FASTOPEN), 0);
  for (const int name : {TCP_KEEPIDLE, TCP_KEEPINTVL, TCP_KEEPCNT}) {
    EXPECT_EQ(option(*socket, IPPROTO_TCP, name), option(plain.get(), IPPROTO_TCP, name));
  }
}

TEST(ListenSocketTest, AShortKeepaliveAsksOnceASecond) {
  const auto socket = listen_tcp("::1", 0, {.keepalive = std::chrono::seconds{1}});
  ASSERT_TRUE(socket);
  EXPECT_EQ(option(*socket, IPPROTO_TCP, TCP_KEEPIDLE), 1);
  EXPECT_EQ(option(*socket, IPPROTO_TCP, TCP_KEEPINTVL), 1);
}

TEST(ListenSocketTest, AKnobThatTheSystemRefusesIsAFailure) {
  for (int nth = 1; nth <= 8; ++nth) {  // SO_REUSEADDR, TCP_NODELAY, and the six.
    FailingSyscalls syscalls;
    syscalls.fail(Call::kSetsockopt, ENOMEM, nth);
    EXPECT_EQ(ListenSocket::tcp(syscalls, "127.0.0.1", 0, kKnobs).error(), Errc::kNoMemory) << nth;
  }
}

// --- Unix

TEST(ListenSocketTest, ListensOnAPathAndRemovesItInTheEnd) {
  const TemporaryDirectory directory;
  const std::string path = directory.file("s");
  {
    const auto socket = listen_unix(path, {.unix_mode = 0600});
    ASSERT_TRUE(socket);
    EXPECT_EQ(socket->path(), path);
    EXPECT_EQ(socket->address(), Address{.kind = AddressKind::kUnix});
    EXPECT_GE(connect_to(path).get(), 0);
    struct stat file {};
    ASSERT_EQ(::lstat(path.c_str(), &file), 0);
    EXPECT_EQ(file.st_mode & 0777U, 0600U);
  }
  EXPECT_FALSE(exists(path));
}

TEST(ListenSocketTest, ThePermissionBitsDoNotDependOnTheUmask) {
  const TemporaryDirectory directory;
  const mode_t before = ::umask(077);
  const auto socket = listen_unix(directory.file("s"));
  ::umask(before);
  ASSERT_TRUE(socket);
  struct stat file {};
  ASSERT_EQ(::lstat(directory.file("s").c_str(), &file), 0);
  EXPECT_EQ(file.st_mode & 0777U, 0666U);
}

TEST(ListenSocketTest, ALiveSocketFileIsInUse) {
  const TemporaryDirectory directory;
  const std::string path = directory.file("s");
  const auto first = listen_unix(path);
  ASSERT_TRUE(first);
  EXPECT_EQ(listen_unix(path).error(), Errc::kAddressInUse);
  EXPECT_GE(connect_to(path).get(), 0);
}

TEST(ListenSocketTest, ALiveSocketFileWithAFullBacklogIsInUse) {
  const TemporaryDirectory directory;
  const std::string path = directory.file("s");
  const auto first = listen_unix(path, {.backlog = 0});
  ASSERT_TRUE(first);
  const Fd client = connect_to(path);
  EXPECT_EQ(listen_unix(path).error(), Errc::kAddressInUse);
}

TEST(ListenSocketTest, AStaleSocketFileIsReplaced) {
  const TemporaryDirectory directory;
  const std::string path = directory.file("s");
  {
    auto crashed = listen_unix(path);
    ASSERT_TRUE(crashed);
    std::filesystem::rename(path, path + ".kept");
  }
  std::filesystem::rename(path + ".kept", path);
  const auto socket = listen_unix(path);
  ASSERT_TRUE(socket);
  EXPECT_GE(connect_to(path).get(), 0);
}

TEST(ListenSocketTest, AnyOtherFileIsInUseAndLeftAlone) {
  const TemporaryDirectory directory;
  std::ofstream{directory.file("file")} << "precious";
  std::filesystem::create_directory(directory.file("dir"));
  std::filesystem::create_symlink("nowhere", directory.file("link"));
  for (const char* name : {"file", "dir", "link"}) {
    EXPECT_EQ(listen_unix(directory.file(name)).error(), Errc::kAddressInUse) << name;
    EXPECT_TRUE(exists(directory.file(name)));
  }
}

TEST(ListenSocketTest, AFileThatSomebodyElsePutThereIsNotRemoved) {
  const TemporaryDirectory directory;
  const std::string path = directory.file("s");
  {
    auto first = listen_unix(path);
    ASSERT_TRUE(first);
    ::unlink(path.c_str());
    auto second = listen_unix(path);
    ASSERT_TRUE(second);
    first->close();
    EXPECT_TRUE(exists(path));
  }
  EXPECT_FALSE(exists(path));
}

TEST(ListenSocketTest, PathsThatCannotBeAreInvalid) {
  const TemporaryDirectory directory;
  EXPECT_EQ(listen_unix("").error(), Errc::kAddressInvalid);
  EXPECT_EQ(listen_unix(std::string_view("/tmp/a\0b", 8)).error(), Errc::kAddressInvalid);
  EXPECT_EQ(listen_unix(directory.file(std::string(200, 'x'))).error(), Errc::kAddressInvalid);
  EXPECT_EQ(listen_unix(directory.file("missing/s")).error(), Errc::kAddressInvalid);
  const std::string longest = directory.file(std::string(107 - directory.file("").size(), 'x'));
  EXPECT_TRUE(listen_unix(longest));
  EXPECT_FALSE(listen_unix(longest + "x"));
}

// --- taken over

TEST(ListenSocketTest, AdoptsAListeningSocketOfAParent) {
  auto parent = listen_tcp("127.0.0.1");
  ASSERT_TRUE(parent);
  const Fd plain{::dup(parent->descriptor())};
  ASSERT_EQ(::fcntl(plain.get(), F_SETFL, 0), 0);
  auto adopted = ListenSocket::adopt(system_calls(), ::dup(plain.get()));
  ASSERT_TRUE(adopted);
  EXPECT_EQ(adopted->address(), parent->address());
  EXPECT_EQ(::fcntl(adopted->descriptor(), F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
  EXPECT_EQ(::fcntl(adopted->descriptor(), F_GETFL) & O_NONBLOCK, O_NONBLOCK);
  EXPECT_EQ(option(*adopted, IPPROTO_TCP, TCP_NODELAY), 1);
}

TEST(ListenSocketTest, AnAdoptedSocketGetsWhatIsInherited) {
  const auto parent = listen_tcp("127.0.0.1");
  ASSERT_TRUE(parent);
  auto adopted = ListenSocket::adopt(system_calls(), ::dup(parent->descriptor()), kKnobs);
  ASSERT_TRUE(adopted);
  expect_knobs_on_accepted(*adopted);
  FailingSyscalls syscalls;
  syscalls.fail(Call::kSetsockopt, ENOMEM, 2);
  const Fd still_ours{::dup(parent->descriptor())};
  EXPECT_EQ(ListenSocket::adopt(syscalls, still_ours.get(), kKnobs).error(), Errc::kNoMemory);
  EXPECT_GE(::fcntl(still_ours.get(), F_GETFD), 0);
}

TEST(ListenSocketTest, AUnixSocketHasNoUseForOptionsOfTcp) {
  const TemporaryDirectory directory;
  const auto socket = listen_unix(directory.file("s"), kKnobs);
  ASSERT_TRUE(socket);
  EXPECT_TRUE(ListenSocket::adopt(system_calls(), ::dup(socket->descriptor()), kKnobs));
}

TEST(ListenSocketTest, AnAdoptedUnixPathIsKnownAndLeftInPlace) {
  const TemporaryDirectory directory;
  const std::string path = directory.file("s");
  const auto parent = listen_unix(path);
  ASSERT_TRUE(parent);
  {
    const auto adopted = ListenSocket::adopt(system_calls(), ::dup(parent->descriptor()));
    ASSERT_TRUE(adopted);
    EXPECT_EQ(adopted->path(), path);
    EXPECT_EQ(adopted->address().kind, AddressKind::kUnix);
  }
  EXPECT_TRUE(exists(path));
}

TEST(ListenSocketTest, WhatDoesNotListenIsNotAdoptedAndStaysOpen) {
  const test::SocketPair pair = test::socket_pair();
  const Fd bound{::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
  const Fd file{::open("/dev/null", O_RDONLY | O_CLOEXEC)};
  for (const Fd* fd : {&pair.ours, &bound, &file}) {
    EXPECT_EQ(ListenSocket::adopt(system_calls(), fd->get()).error(), Errc::kAddressInvalid);
    EXPECT_GE(::fcntl(fd->get(), F_GETFD), 0);
  }
  EXPECT_EQ(ListenSocket::adopt(system_calls(), -1).error(), Errc::kAddressInvalid);
}

TEST(ListenSocketTest, ADuplicateIsTheSameSocketAndLeavesThePathAlone) {
  const TemporaryDirectory directory;
  const std::string path = directory.file("s");
  auto original = listen_unix(path);
  ASSERT_TRUE(original);
  EXPECT_FALSE(original->shared());
  {
    const auto duplicate = original->duplicate();
    ASSERT_TRUE(duplicate);
    EXPECT_TRUE(duplicate->shared());
    EXPECT_EQ(duplicate->path(), path);
    EXPECT_EQ(::fcntl(duplicate->descriptor(), F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
  }
  EXPECT_TRUE(exists(path));
  auto duplicate = original->duplicate();
  original->close();
  EXPECT_FALSE(exists(path));
  EXPECT_GE(duplicate->descriptor(), 0);
  EXPECT_EQ(original->duplicate().error(), Errc::kSystem);  // Closed.
}

// --- failures

// Makes every system call fail in turn, with each error it documents. Returns how many calls there
// were to fail.
template <typename Listen>
int fail_every_call(Listen listen) {
  const auto open_before = test::open_descriptors();
  for (int nth = 1;; ++nth) {
    for (std::size_t choice = 0; choice < 9; ++choice) {
      FailingSyscalls syscalls;
      syscalls.fail_any(nth, choice);
      static_cast<void>(listen(syscalls));  // May succeed where the call was not needed.
      if (syscalls.failed() == Call::kCount) return nth - 1;
      EXPECT_EQ(test::open_descriptors(), open_before) << name_of(syscalls.failed());
    }
  }
}

TEST(ListenSocketTest, NoFailingCallLeaksADescriptor) {
  const TemporaryDirectory directory;
  EXPECT_EQ(fail_every_call([](Syscalls& syscalls) {
              return ListenSocket::tcp(syscalls, "::1", 0, {.reuse_port = true}).has_value();
            }),
            9);
  EXPECT_GE(fail_every_call([&](Syscalls& syscalls) {
              return ListenSocket::unix_path(syscalls, directory.file("s"), {}).has_value();
            }),
            8);
}

TEST(ListenSocketTest, EachFailureHasItsError) {
  FailingSyscalls syscalls;
  const auto error = [&](Call call, int number) {
    syscalls.fail(call, number);
    return ListenSocket::tcp(syscalls, "127.0.0.1", 0, {}).error();
  };
  EXPECT_EQ(error(Call::kSocket, EMFILE), Errc::kTooManyFiles);
  EXPECT_EQ(error(Call::kSocket, ENOBUFS), Errc::kNoMemory);
  EXPECT_EQ(error(Call::kBind, EACCES), Errc::kPermission);
  EXPECT_EQ(error(Call::kBind, EADDRINUSE), Errc::kAddressInUse);
  EXPECT_EQ(error(Call::kListen, EADDRINUSE), Errc::kAddressInUse);
  EXPECT_EQ(error(Call::kGetsockname, EINVAL), Errc::kSystem);
}

}  // namespace
}  // namespace tercel::net
