#include "tercel/net/listener.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <climits>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "support/connect.h"
#include "support/descriptors.h"
#include "support/failing_syscalls.h"
#include "support/manual_clock.h"
#include "support/temporary_directory.h"

namespace tercel::net {
namespace {

using namespace std::chrono_literals;  // NOLINT(google-build-using-namespace): only literals.
using test::Call;
using test::connect_to;
using test::FailingSyscalls;
using test::Fd;
using test::ManualClock;

struct TestSink final : Listener::Sink {
  void on_accept(int fd, const Address& peer, Listener& from) noexcept override {
    streams.emplace_back(fd);
    peers.push_back(peer);
    if (action) action(from);
  }
  void on_starved(int error) noexcept override { starved.push_back(error); }

  std::vector<Fd> streams;
  std::vector<Address> peers;
  std::vector<int> starved;
  std::function<void(Listener&)> action;
};

class ListenerTest : public testing::Test {
 protected:
  ListenerTest() { open(ListenSocket::tcp(syscalls_, "127.0.0.1", 0, {})); }
  void open(Result<ListenSocket> socket) {
    if (!loop_) loop_ = *Loop::create(clock_, syscalls_);
    ASSERT_TRUE(socket);
    listener_ = std::make_unique<Listener>(*loop_, *std::move(socket), sink_);
  }
  void start() { ASSERT_TRUE(listener_->start()); }
  int turn() {
    const auto events = loop_->wait(0ns);
    EXPECT_TRUE(events);
    loop_->dispatch();
    return *events;
  }
  [[nodiscard]] Fd connect() const { return connect_to(listener_->socket().address()); }

  ManualClock clock_;
  FailingSyscalls syscalls_;
  std::unique_ptr<Loop> loop_;
  TestSink sink_;
  std::unique_ptr<Listener> listener_;
};

TEST_F(ListenerTest, ASinkWithoutMemoryLeavesTheNextConnectionsToOthersForAWhile) {
  start();
  sink_.action = [](Listener& from) { from.starve(ENOMEM); };
  const Fd first = connect();
  const Fd second = connect();
  turn();
  EXPECT_EQ(sink_.streams.size(), 1U);
  EXPECT_EQ(sink_.starved, std::vector<int>{ENOMEM});
  EXPECT_EQ(turn(), 0);
  sink_.action = nullptr;
  clock_.advance(Listener::kPause + 2 * TimerWheel::kTick);
  turn();  // The time is over;
  turn();  // and it accepts.
  EXPECT_EQ(sink_.streams.size(), 2U);
}

// What an application prints to a stream that it closed must not be for a client.
TEST_F(ListenerTest, NoConnectionTakesTheNumberOfAStandardStream) {
  start();
  const Fd client = connect();
  const Fd input{::fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, STDERR_FILENO + 1)};
  ASSERT_GE(input.get(), 0);
  ::close(STDIN_FILENO);
  turn();
  ASSERT_EQ(sink_.streams.size(), 1U);
  EXPECT_GT(sink_.streams[0].get(), STDERR_FILENO);
  EXPECT_EQ(::fcntl(STDIN_FILENO, F_GETFD), -1);
  ::dup2(input.get(), STDIN_FILENO);
}

TEST_F(ListenerTest, LoopsThatShareASocketShareItsBacklog) {
  auto shared = listener_->socket().duplicate();
  auto other = listener_->socket().duplicate();
  ASSERT_TRUE(shared && other);
  open(std::move(shared));
  start();
  TestSink other_sink;
  const auto other_loop = *Loop::create(clock_, syscalls_);
  Listener other_listener{*other_loop, *std::move(other), other_sink};
  ASSERT_TRUE(other_listener.start());
  std::vector<Fd> clients;
  for (int i = 0; i < 2 * Listener::kSharedAcceptsMax; ++i) clients.push_back(connect());
  turn();
  EXPECT_EQ(sink_.streams.size(), std::size_t{Listener::kSharedAcceptsMax});
  ASSERT_TRUE(other_loop->wait(0ns));
  other_loop->dispatch();
  EXPECT_EQ(other_sink.streams.size(), std::size_t{Listener::kSharedAcceptsMax});
  // One that pauses leaves them to the other.
  listener_->pause();
  clients.push_back(connect());
  EXPECT_EQ(turn(), 0);
  ASSERT_TRUE(other_loop->wait(0ns));
  other_loop->dispatch();
  EXPECT_EQ(other_sink.streams.size(), std::size_t{Listener::kSharedAcceptsMax} + 1);
  listener_->resume();
  clients.push_back(connect());
  turn();
  EXPECT_EQ(sink_.streams.size(), std::size_t{Listener::kSharedAcceptsMax} + 1);
}

TEST_F(ListenerTest, HandsOverEachConnectionReadyForUse) {
  start();
  EXPECT_EQ(turn(), 0);
  const Fd client = connect();
  turn();
  ASSERT_EQ(sink_.streams.size(), 1U);
  const int fd = sink_.streams[0].get();
  EXPECT_EQ(sink_.peers[0], local_address(syscalls_, client.get()));
  EXPECT_EQ(::fcntl(fd, F_GETFL) & O_NONBLOCK, O_NONBLOCK);
  EXPECT_EQ(::fcntl(fd, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
  int no_delay = 0;
  socklen_t bytes = sizeof no_delay;
  ASSERT_EQ(::getsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &no_delay, &bytes), 0);
  EXPECT_NE(no_delay, 0);
  test::send_text(client, "x");
  std::array<char, 10> buffer;
  EXPECT_EQ(::read(fd, buffer.data(), buffer.size()), 1);
}

TEST_F(ListenerTest, AcceptsNothingBeforeStart) {
  const Fd client = connect();
  turn();
  EXPECT_TRUE(sink_.streams.empty());
  start();
  start();
  turn();
  EXPECT_EQ(sink_.streams.size(), 1U);
}

TEST_F(ListenerTest, ATurnTakesAtMostItsShareOfTheBacklog) {
  start();
  std::vector<Fd> clients;
  for (int i = 0; i < Listener::kAcceptsMax + 10; ++i) clients.push_back(connect());
  turn();
  EXPECT_EQ(sink_.streams.size(), static_cast<std::size_t>(Listener::kAcceptsMax));
  turn();
  EXPECT_EQ(sink_.streams.size(), clients.size());
}

TEST_F(ListenerTest, AnIpv4PeerOfAnIpv6SocketHasAnIpv4Address) {
  open(ListenSocket::tcp(syscalls_, "::", 0, {}));
  start();
  const Fd client = connect_to(*parse_ip("127.0.0.1", listener_->socket().address().port));
  turn();
  ASSERT_EQ(sink_.peers.size(), 1U);
  EXPECT_EQ(sink_.peers[0], local_address(syscalls_, client.get()));
  EXPECT_EQ(sink_.peers[0].kind, AddressKind::kIpv4);
}

TEST_F(ListenerTest, APeerOnAUnixSocketIsAccepted) {
  const test::TemporaryDirectory directory;
  open(ListenSocket::unix_path(syscalls_, directory.file("s"), {}));
  start();
  const Fd client = connect_to(directory.file("s"));
  turn();
  ASSERT_EQ(sink_.peers.size(), 1U);
  EXPECT_EQ(sink_.peers[0].kind, AddressKind::kUnix);
  listener_.reset();
}

// The kernel keeps one connection more than the backlog says; the rest of them wait in the network.
TEST_F(ListenerTest, ABacklogOfOneServesEveryClientInTheEnd) {
  open(ListenSocket::tcp(syscalls_, "127.0.0.1", 0, {.backlog = 1}));
  start();
  for (int i = 0; i < 20; ++i) {
    const Fd client = connect();
    ASSERT_GE(client.get(), 0);
    turn();
  }
  EXPECT_EQ(sink_.streams.size(), 20U);
}

// --- peers that are gone

TEST_F(ListenerTest, APeerThatVanishedBeforeItWasAcceptedCostsNothing) {
  start();
  for (const bool reset : {false, true}) {
    Fd client = connect();
    const linger linger_option{reset ? 1 : 0, 0};
    ::setsockopt(client.get(), SOL_SOCKET, SO_LINGER, &linger_option, sizeof linger_option);
  }
  const Fd alive = connect();
  turn();
  EXPECT_TRUE(sink_.starved.empty());
  ASSERT_GE(sink_.streams.size(), 1U);
  EXPECT_EQ(sink_.peers.back(), local_address(syscalls_, alive.get()));
  EXPECT_EQ(turn(), 0);
}

TEST_F(ListenerTest, AnErrorOfOneConnectionIsSkipped) {
  start();
  for (const int error : {ECONNABORTED, EPROTO, EINTR, EPERM, ENETDOWN, EHOSTUNREACH, ETIMEDOUT}) {
    const Fd client = connect();
    const std::size_t before = sink_.streams.size();
    syscalls_.fail(Call::kAccept4, error);
    turn();
    EXPECT_EQ(sink_.streams.size(), before + 1) << error;
    EXPECT_TRUE(sink_.starved.empty()) << error;
  }
}

TEST_F(ListenerTest, EndlessErrorsOfConnectionsDoNotHoldTheLoop) {
  start();
  const Fd client = connect();
  syscalls_.fail(Call::kAccept4, ECONNABORTED, 1, 1'000'000);
  turn();
  EXPECT_EQ(syscalls_.calls(Call::kAccept4), Listener::kAcceptsMax);
}

// --- out of descriptors or memory

TEST_F(ListenerTest, OutOfDescriptorsItPausesWithoutSpinning) {
  start();
  for (const int error : {EMFILE, ENFILE, ENOBUFS, ENOMEM}) {
    sink_ = {};
    const Fd client = connect();
    syscalls_.fail(Call::kAccept4, error, 1, 2);
    EXPECT_EQ(turn(), 1);
    EXPECT_EQ(sink_.starved, std::vector{error});
    clock_.advance(Listener::kPause - 1ms);
    EXPECT_EQ(turn(), 0);  // The client waits in the backlog; the loop does not see it.
    clock_.advance(TimerWheel::kTick);
    EXPECT_EQ(turn(), 0);  // The timer fires behind the events of its turn.
    EXPECT_EQ(turn(), 1);
    EXPECT_EQ(sink_.starved, (std::vector{error, error}));
    clock_.advance(Listener::kPause + TimerWheel::kTick);
    turn();
    turn();
    EXPECT_EQ(sink_.streams.size(), 1U);
  }
}

TEST_F(ListenerTest, AfterThePauseTheClientsInTheBacklogAreServed) {
  start();
  const Fd one = connect();
  const Fd two = connect();
  syscalls_.fail(Call::kAccept4, EMFILE, 2);
  turn();
  EXPECT_EQ(sink_.streams.size(), 1U);
  clock_.advance(Listener::kPause + TimerWheel::kTick);
  turn();
  turn();
  EXPECT_EQ(sink_.streams.size(), 2U);
  EXPECT_EQ(sink_.starved, std::vector{EMFILE});
}

TEST_F(ListenerTest, WhenItCannotWatchAfterAPauseItPausesAgain) {
  start();
  const Fd client = connect();
  syscalls_.fail(Call::kAccept4, EMFILE);
  turn();
  clock_.advance(Listener::kPause + TimerWheel::kTick);
  syscalls_.fail(Call::kEpollCtl, ENOMEM);
  turn();
  EXPECT_EQ(sink_.starved, (std::vector{EMFILE, ENOMEM}));
  clock_.advance(Listener::kPause + TimerWheel::kTick);
  turn();
  turn();
  EXPECT_EQ(sink_.streams.size(), 1U);
}

// os.close() of the listening socket in the application: no connection can come, and the loop must
// not spin on it.
TEST_F(ListenerTest, ASocketThatSomebodyElseClosedDoesNotSpin) {
  start();
  const int number = listener_->socket().descriptor();
  const Fd null{::open("/dev/null", O_RDONLY | O_CLOEXEC)};
  ASSERT_EQ(::dup2(null.get(), number), number);
  EXPECT_EQ(turn(), 0);
}

TEST_F(ListenerTest, StartFailsAsTheLoopDoes) {
  syscalls_.fail(Call::kEpollCtl, ENOSPC);
  const auto started = listener_->start();
  ASSERT_FALSE(started);
  EXPECT_EQ(started.error(), Errc::kSystem);
  start();
}

// Turns the loop until `clients` are served, for 10 s at most. Returns the number of turns.
int serve(Loop& loop, TestSink& sink, std::size_t clients, const std::function<void()>& each_turn) {
  const SteadyClock clock;
  const auto end = clock.now() + 10s;
  int turns = 0;
  while (sink.streams.size() < clients && clock.now() < end) {
    if (!loop.wait(1s)) return INT_MAX;
    loop.dispatch();
    each_turn();
    ++turns;
  }
  return turns;
}

// The real thing, in a process of its own: descriptors run out with clients in the backlog. Returns
// 0, or where it went wrong.
int serve_without_descriptors() {
  const SteadyClock clock;
  FailingSyscalls syscalls;
  auto loop = Loop::create(clock, syscalls);
  auto socket = ListenSocket::tcp(syscalls, "127.0.0.1", 0, {});
  if (!loop || !socket) return 1;
  TestSink sink;
  Listener listener{**loop, *std::move(socket), sink};
  if (!listener.start()) return 2;
  const auto connect = [&] { return connect_to(listener.socket().address()); };

  // First a failure that is only said, so that all objects were used once: UBSan needs a descriptor
  // when it checks the type of one for the first time.
  syscalls.fail(Call::kAccept4, EMFILE);
  Fd first = connect();
  serve(**loop, sink, 1, [] {});
  if (sink.streams.size() != 1) return 3;
  sink = {};

  constexpr std::size_t kClients = 20;
  std::vector<Fd> clients;
  for (std::size_t i = 0; i < kClients; ++i) clients.push_back(connect());
  const rlim_t few = static_cast<rlim_t>(clients.back().get()) + 6;
  const rlimit limit{few, few};
  if (::setrlimit(RLIMIT_NOFILE, &limit) != 0) return 4;
  // Descriptors come free only after a first pause.
  const int turns = serve(**loop, sink, kClients, [&] {
    if (sink.starved.size() == 1 && clients.size() == kClients) clients.resize(5);
  });
  if (sink.starved.empty() || sink.starved[0] != EMFILE) return 5;
  if (sink.streams.size() != kClients) return 6;
  return turns < 100 ? 0 : 7;
}

TEST(ListenerWithoutDescriptorsTest, ServesEveryClientAndDoesNotSpin) {
  const pid_t child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) ::_exit(serve_without_descriptors());
  int status = -1;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  ASSERT_TRUE(WIFEXITED(status));
  EXPECT_EQ(WEXITSTATUS(status), 0);
}

// --- paused and closed

TEST_F(ListenerTest, PausedItLeavesClientsInTheBacklog) {
  start();
  listener_->pause();
  const Fd client = connect();
  EXPECT_EQ(turn(), 0);
  listener_->resume();
  listener_->resume();
  EXPECT_EQ(turn(), 1);
  EXPECT_EQ(sink_.streams.size(), 1U);
}

TEST_F(ListenerTest, PausedBeforeStartItStaysPaused) {
  listener_->pause();
  start();
  const Fd client = connect();
  EXPECT_EQ(turn(), 0);
  listener_->resume();
  turn();
  EXPECT_EQ(sink_.streams.size(), 1U);
}

TEST_F(ListenerTest, ResumeDoesNotStartAListenerNorEndAStarvation) {
  const Fd client = connect();
  listener_->resume();
  EXPECT_EQ(turn(), 0);
  start();
  syscalls_.fail(Call::kAccept4, EMFILE);
  turn();
  listener_->resume();
  EXPECT_EQ(turn(), 0);
}

TEST_F(ListenerTest, TheSinkMayPauseAtItsLimit) {
  start();
  std::vector<Fd> clients;
  for (int i = 0; i < 5; ++i) clients.push_back(connect());
  sink_.action = [&](Listener& listener) {
    if (sink_.streams.size() == 3) listener.pause();
  };
  turn();
  turn();
  EXPECT_EQ(sink_.streams.size(), 3U);
}

TEST_F(ListenerTest, CloseAcceptsWhatIsInTheBacklogFirst) {
  start();
  std::vector<Fd> clients;
  for (int i = 0; i < 200; ++i) clients.push_back(connect());
  listener_->close();
  EXPECT_EQ(sink_.streams.size(), 200U);
  EXPECT_EQ(listener_->socket().descriptor(), -1);
  EXPECT_LT(connect().get(), 0);
  listener_->close();
  listener_->resume();
  turn();
}

TEST_F(ListenerTest, TheSinkMayCloseTheListener) {
  start();
  std::vector<Fd> clients;
  for (int i = 0; i < 5; ++i) clients.push_back(connect());
  sink_.action = [](Listener& listener) { listener.close(); };
  turn();
  EXPECT_EQ(sink_.streams.size(), 5U);
  EXPECT_EQ(listener_->socket().descriptor(), -1);
}

TEST_F(ListenerTest, StarvedAtItsCloseItClosesAllTheSame) {
  start();
  const Fd client = connect();
  syscalls_.fail(Call::kAccept4, EMFILE);
  listener_->close();
  EXPECT_EQ(listener_->socket().descriptor(), -1);
  EXPECT_EQ(loop_->timers().armed(), 0U);
  clock_.advance(1h);
  turn();
  EXPECT_EQ(sink_.starved, std::vector{EMFILE});
}

TEST_F(ListenerTest, NeverStartedItClosesWithoutAccepting) {
  const Fd client = connect();
  listener_->close();
  EXPECT_TRUE(sink_.streams.empty());
  EXPECT_TRUE(listener_->start());
  EXPECT_EQ(turn(), 0);
}

}  // namespace
}  // namespace tercel::net
