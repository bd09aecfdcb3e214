// What clients send, replayed once for each allocation that it costs, with exactly that one
// failing, and once for each system call and each error that the call documents (curl's method).
//
// Whatever fails, the client gets its answers, where one may say instead that the server failed, or
// the first of them and the end of the connection; never a wrong byte, nor is anything run that was
// not asked for.
// The next client is served, and nothing stays behind. The conversations are those below and, where
// they lie beside the repository, all HTTP/1.1 vectors.
#include <fcntl.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <fstream>
#include <memory>
#include <span>
#include <sstream>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include <gtest/gtest.h>

#include "server/echo_handler.h"
#include "server/two_ends.h"
#include "support/allocations.h"
#include "support/connect.h"
#include "support/descriptors.h"
#include "support/failing_syscalls.h"
#include "support/manual_clock.h"
#include "support/temporary_directory.h"
#include "tercel/edge/access_log.h"
#include "tercel/server/server.h"

namespace tercel::server {
namespace {

using namespace std::chrono_literals;  // NOLINT(google-build-using-namespace): only literals.
using test::Fd;

// --- what clients say

struct Conversation {
  std::string name;
  std::string bytes;
  bool half_closes = false;  // When it has said all.
};

const Conversation kHello{"hello", "GET /hello HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"};

std::vector<Conversation> own_conversations() {
  const std::string post = "POST /echo HTTP/1.1\r\nHost: a\r\n";
  const std::string get = "GET /hello HTTP/1.1\r\nHost: a\r\n\r\n";
  const std::string chunked = post + "Transfer-Encoding: chunked\r\n\r\n";
  return {
      kHello,
      {"nothing", ""},
      {"nothing, and leaves", "", true},
      {"half a head", "GET /hello HTTP/1.1\r\nHo"},
      {"half a head, and leaves", "GET /hello HTTP/1.1\r\nHo", true},
      {"two requests", get + get},
      {"more requests than one step serves",
       [&] {
         std::string all;
         for (int i = 0; i < 40; ++i) all += get;
         return all;
       }()},
      {"an answer in parts", "GET /parts HTTP/1.1\r\nHost: a\r\n\r\n"},
      {"a body by its length", post + "Content-Length: 5\r\n\r\nhello"},
      {"a body that fills blocks", post + "Content-Length: 3000\r\n\r\n" + std::string(3000, 'x')},
      {"half a body", post + "Content-Length: 10\r\n\r\nhello"},
      {"half a body, and leaves", post + "Content-Length: 10\r\n\r\nhello", true},
      {"a body that waits for 100", post + "Expect: 100-continue\r\nContent-Length: 3\r\n\r\nabc"},
      {"chunks", chunked + "3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n"},
      {"chunks and trailers", chunked + "3\r\nabc\r\n0\r\nA: b\r\n\r\n" + get},
      {"half a chunk, and leaves", chunked + "3\r\nab", true},
      {"a chunk that is none", chunked + "3\r\nabcXX0\r\n\r\n"},
      {"an old version", "GET /hello HTTP/1.0\r\n\r\n"},
      {"a head that is too large", "GET / HTTP/1.1\r\nHost: a\r\nA: " + std::string(70'000, 'a')},
      {"a body that is too large", post + "Content-Length: 99999999999\r\n\r\n"},
      {"no host", "GET /hello HTTP/1.1\r\n\r\n" + get},
      {"an answer nobody waits for", get, true},
  };
}

// The lines of tools/flatten_vectors.py.
std::vector<Conversation> vectors() {
  std::vector<Conversation> all;
#ifdef TERCEL_HTTP1_VECTORS
  std::ifstream file{TERCEL_HTTP1_VECTORS};
  for (std::string line; std::getline(file, line);) {
    std::istringstream words{line};
    Conversation vector;
    std::string hex;
    words >> vector.name >> vector.half_closes >> hex;
    for (std::size_t i = 0; i + 1 < hex.size(); i += 2) {
      unsigned byte = 0;
      std::from_chars(&hex[i], &hex[i] + 2, byte, 16);
      vector.bytes += static_cast<char>(byte);
    }
    all.push_back(std::move(vector));
  }
#endif
  return all;
}

const std::vector<Conversation>& conversations() {
  static const std::vector<Conversation> kAll = [] {
    std::vector<Conversation> all = own_conversations();
    for (Conversation& vector : vectors()) all.push_back(std::move(vector));
    return all;
  }();
  return kAll;
}

bool have_vectors() {
  return conversations().size() > own_conversations().size();
}

// --- who is tested

// Notes what it is asked, and lets another answer. Allocates nothing.
class Witness final : public http::Handler {
 public:
  Witness() {
    seen.reserve(std::size_t{1} << 16);
    echo.outcomes.reserve(1000);
    echo.notices.reserve(1000);
    echo.during_parts = [] {};
  }
  void handle(const http::Request& request, http::Exchange& exchange) noexcept override {
    const std::string_view path = request.path.substr(0, 100);
    if (seen.capacity() - seen.size() > path.size()) seen.append(path) += '\n';
    echo.handle(request, exchange);
  }
  void reset() noexcept {
    seen.clear();
    echo.outcomes.clear();
    echo.notices.clear();
  }

  test::EchoHandler echo;
  std::string seen;
};

// Lines of a log, thrown away.
class Bin final : public edge::LineBuffer {
 public:
  std::span<char> room(std::size_t bytes) noexcept override {
    return bytes <= line_.size() ? std::span{line_}.first(bytes) : std::span<char>{};
  }
  void commit(std::size_t) noexcept override {}
  void drop() noexcept override {}
  void flush() noexcept override {}

 private:
  std::array<char, std::size_t{1} << 16> line_;
};

edge::LogFormat log_format() {
  std::string problem;
  return *edge::LogFormat::parse("combined", problem);
}

// A server that listens, with everything that makes it move.
class Rig {
 public:
  Rig() = default;
  Rig(const Rig&) = delete;
  Rig& operator=(const Rig&) = delete;
  virtual ~Rig() = default;
  virtual bool turn() noexcept = 0;  // Returns whether there was anything to do.
  [[nodiscard]] virtual Server& server() noexcept = 0;
  [[nodiscard]] virtual test::ManualClock& clock() noexcept = 0;
  [[nodiscard]] virtual test::FailingSyscalls& syscalls() noexcept = 0;
  [[nodiscard]] virtual std::size_t blocks_out() noexcept = 0;

  void settle() noexcept {
    // Deferred work is no event: it takes a turn or two.
    for (int turns = 0, idle = 0; turns < 2000 && idle < 3; ++turns) idle = turn() ? 0 : idle + 1;
  }
  void pass(std::chrono::nanoseconds time) noexcept {
    clock().advance(time);
    settle();
  }
  [[nodiscard]] bool clean() noexcept {
    return server().connections() == 0 && server().active() == 0 && blocks_out() == 0 &&
           witness.echo.jobs.alive() == 0;
  }
  [[nodiscard]] const std::string& path() const noexcept { return path_; }

  Witness witness;

 protected:
  void open(net::Syscalls& syscalls) {
    auto socket = net::ListenSocket::unix_path(syscalls, path_, {});
    ASSERT_TRUE(socket);
    ASSERT_TRUE(server().listen(*std::move(socket)));
    ASSERT_TRUE(server().start());
  }

 private:
  test::TemporaryDirectory directory_;
  std::string path_ = directory_.file("socket");
};

// The handler on the loop of the connections, and an access log.
class Direct final : public Rig {
 public:
  Direct() {
    server_.record(&log_);
    open(syscalls_);
  }
  bool turn() noexcept override {
    const auto events = loop_->wait(0ns);
    loop_->dispatch();
    return events && *events > 0;
  }
  Server& server() noexcept override { return server_; }
  test::ManualClock& clock() noexcept override { return clock_; }
  test::FailingSyscalls& syscalls() noexcept override { return syscalls_; }
  std::size_t blocks_out() noexcept override { return loop_->blocks().outstanding(); }

 private:
  test::ManualClock clock_;
  test::FailingSyscalls syscalls_;
  std::unique_ptr<net::Loop> loop_ = *net::Loop::create(clock_, syscalls_);
  Bin bin_;
  edge::AccessLog log_{*loop_, bin_, log_format(), {clock_, clock_}};
  Server server_{*loop_, witness, test::plain_options()};
};

// The handler on a loop of its own, as with I/O threads; here both are turned by one.
class HandedOver final : public Rig {
 public:
  HandedOver() { open(ends_.syscalls); }
  bool turn() noexcept override {
    const bool moved = ends_.turn_io();
    return ends_.turn_app() || moved;
  }
  Server& server() noexcept override { return *ends_.server; }
  test::ManualClock& clock() noexcept override { return ends_.clock; }
  test::FailingSyscalls& syscalls() noexcept override { return ends_.syscalls; }
  std::size_t blocks_out() noexcept override {
    return ends_.app_loop->blocks().outstanding() + ends_.io_loop->blocks().outstanding();
  }

 private:
  test::TwoEnds ends_{witness};
};

enum class Arrangement : std::uint8_t { kDirect, kHandedOver };
enum class Arrival : std::uint8_t { kWhole, kHalves, kBytes };
enum class Shortage : std::uint8_t { kOnce, kLasting };

std::unique_ptr<Rig> make_rig(Arrangement arrangement) {
  if (arrangement == Arrangement::kDirect) return std::make_unique<Direct>();
  return std::make_unique<HandedOver>();
}

// --- what a client sees

// Memory is taken beforehand: an allocation of the test must not be the one that fails.
struct Sight {
  Sight() { bytes.reserve(std::size_t{1} << 18); }
  std::string bytes;
  bool closed = false;
};

void read_all(const Fd& client, Sight& sight) noexcept {
  static std::array<char, 65536> part;
  for (;;) {
    const ssize_t count = ::recv(client.get(), part.data(), part.size(), MSG_DONTWAIT);
    if (count > 0 && sight.bytes.size() + part.size() < sight.bytes.capacity()) {
      sight.bytes.append(part.data(), static_cast<std::size_t>(count));
    } else if (count < 0 && errno == ECONNRESET) {
      sight.closed = true;  // What came before is still to be read.
    } else {
      sight.closed |= count == 0;
      return;
    }
  }
}

// From connecting until all time limits are over.
void visit(Rig& rig, const Conversation& said, Arrival arrival, Sight& sight) noexcept {
  sight.bytes.clear();
  sight.closed = false;
  rig.witness.reset();
  const Fd client = test::connect_to(rig.path());
  rig.settle();
  const std::string_view all = said.bytes;
  const std::size_t step = arrival == Arrival::kWhole    ? all.size()
                           : arrival == Arrival::kHalves ? (all.size() + 1) / 2
                                                         : 1;
  for (std::size_t sent = 0; sent < all.size();) {
    const std::string_view part = all.substr(sent, step);
    const ssize_t count =
        ::send(client.get(), part.data(), part.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    rig.settle();
    read_all(client, sight);
    if (count <= 0) break;
    sent += static_cast<std::size_t>(count);
  }
  if (said.half_closes) ::shutdown(client.get(), SHUT_WR);
  // A listener that found no descriptor; the limits of heads and bodies; idle connections; linger.
  for (const std::chrono::nanoseconds time : {1ms, 200ms, 40'000ms, 40'000ms, 40'000ms, 40'000ms}) {
    rig.pass(time);
    read_all(client, sight);
  }
}

// The answers in what came, interim ones too. No body in this file has the start of an answer in
// it.
std::vector<std::string_view> answers_in(std::string_view bytes) {
  std::vector<std::string_view> all;
  while (!bytes.empty()) {
    const std::size_t size = std::min(bytes.find("HTTP/1.1 ", 1), bytes.size());
    all.push_back(bytes.substr(0, size));
    bytes.remove_prefix(size);
  }
  return all;
}

bool is_interim(std::string_view answer) {
  return answer.starts_with("HTTP/1.1 1");
}

// One that the server gives for itself, not for the request.
bool is_failure(std::string_view answer) {
  const std::string_view status = answer.substr(0, std::string_view{"HTTP/1.1 408"}.size());
  return status == "HTTP/1.1 408" || status == "HTTP/1.1 500" || status == "HTTP/1.1 503";
}

// Whether `got` is what a failure may make of `wanted`: each answer is the same or says that the
// server failed, and the last one may be cut.
bool are_allowed(std::string_view got, std::string_view wanted) {
  const std::vector<std::string_view> due = answers_in(wanted);
  const std::vector<std::string_view> all = answers_in(got);
  auto next = due.begin();
  for (const std::string_view& answer : all) {
    const bool last = &answer == &all.back();
    if (next != due.end() && answer == *next) {
      ++next;
    } else if (is_failure(answer)) {
      if (next == due.end()) return last;  // Of a request that did not come.
      next = std::find_if_not(next, due.end(), is_interim);
      if (next != due.end()) ++next;
    } else {
      return last && next != due.end() && next->starts_with(answer);
    }
  }
  return true;
}

// Whether the lines of `some` are among those of `all`, in their order.
bool are_among(std::string_view some, std::string_view all) {
  while (!some.empty()) {
    const std::size_t size = some.find('\n') + 1;
    for (;;) {
      if (all.empty()) return false;
      const std::string_view line = all.substr(0, all.find('\n') + 1);
      all.remove_prefix(line.size());
      if (line == some.substr(0, size)) break;
    }
    some.remove_prefix(size);
  }
  return true;
}

// --- the tests

using Parameters = std::tuple<Arrangement, Arrival, Shortage>;

class TortureTest : public testing::TestWithParam<Parameters> {
 protected:
  void SetUp() override {
#ifdef __SANITIZE_THREAD__
    GTEST_SKIP() << "one thread does everything here";
#endif
    auto rig = make_rig(arrangement_);
    visit(*rig, kHello, Arrival::kWhole, sight_);
    hello_ = sight_.bytes;
    ASSERT_TRUE(hello_.ends_with("hello"));
  }

  // What happens when nothing fails.
  void learn(const Conversation& said) {
    auto rig = make_rig(arrangement_);
    visit(*rig, said, arrival_, sight_);
    ASSERT_TRUE(sight_.closed);
    wanted_ = sight_.bytes;
    wanted_seen_ = rig->witness.seen;
  }

  // Of the visit that met a failure, and of a client after it.
  void judge(Rig& rig, const Conversation& said, std::string_view what, std::uint64_t nth) {
    const bool right = sight_.closed && are_allowed(sight_.bytes, wanted_) &&
                       are_among(rig.witness.seen, wanted_seen_);
    EXPECT_TRUE(right) << said.name << ": " << what << ' ' << nth << (sight_.closed ? "" : ", open")
                       << "\nrequests: " << rig.witness.seen << "not: " << wanted_seen_
                       << "\nanswers: " << sight_.bytes << "\nnot: " << wanted_;
    rig.pass(40s);
    EXPECT_TRUE(rig.clean()) << said.name << ": " << what << ' ' << nth << " left "
                             << rig.server().connections() << " connections, "
                             << rig.server().active() << " requests, " << rig.blocks_out()
                             << " blocks, " << rig.witness.echo.jobs.alive() << " jobs";
    Sight next;
    visit(rig, kHello, Arrival::kWhole, next);
    EXPECT_EQ(next.bytes, hello_) << "after " << said.name << ": " << what << ' ' << nth;
  }

  void report(std::uint64_t points, std::uint64_t least) {
    RecordProperty("failure_points", std::to_string(points));
    if (have_vectors()) {
      EXPECT_GE(points, least);
    }
  }

  const Arrangement arrangement_ = std::get<0>(GetParam());
  const Arrival arrival_ = std::get<1>(GetParam());
  const Shortage shortage_ = std::get<2>(GetParam());
  Sight sight_;
  std::string hello_, wanted_, wanted_seen_;
};

// Of each instance, with the vectors. docs/internals/faults.md has the sums.
constexpr std::uint64_t kAllocationPointsMin = 1'100;
constexpr std::uint64_t kSyscallPointsMin = 12'000;
// What takes too long byte by byte, and shows nothing new.
constexpr std::size_t kSlowBytesMax = 1000;

using AllocationTortureTest = TortureTest;
using SyscallTortureTest = TortureTest;

TEST_P(AllocationTortureTest, FromEachAllocationOnMemoryIsShort) {
  std::uint64_t points = 0;
  for (const Conversation& said : conversations()) {
    if (arrival_ == Arrival::kBytes && said.bytes.size() > kSlowBytesMax) continue;
    learn(said);
    for (std::uint64_t nth = 1;; ++nth) {
      // A new one: a server that has served a client keeps what it took from the heap for it.
      auto rig = make_rig(arrangement_);
      bool happened = false;
      {
        const test::AllocationFailure failure{nth, shortage_ == Shortage::kOnce ? 1 : UINT64_MAX};
        visit(*rig, said, arrival_, sight_);
        happened = failure.happened();
      }
      judge(*rig, said, "allocation", nth);
      if (!happened || HasFailure()) break;
      ++points;
    }
    if (HasFailure()) break;
  }
  report(points, kAllocationPointsMin);
}

TEST_P(SyscallTortureTest, EachCallFailsOnceWithEachOfItsErrors) {
  std::uint64_t points = 0;
  auto rig = make_rig(arrangement_);
  const std::ptrdiff_t files = test::open_descriptors();
  constexpr int kNever = 1 << 30;
  for (const Conversation& said : conversations()) {
    learn(said);
    for (int nth = 1; !HasFailure(); ++nth) {
      std::size_t errors = 1;  // Of the nth call.
      for (std::size_t choice = 0; choice < errors; ++choice) {
        rig->syscalls().fail_any(nth, choice);
        visit(*rig, said, arrival_, sight_);
        const test::Call failed = rig->syscalls().failed();
        errors = test::documented_errors(failed).size();
        rig->syscalls().fail_any(kNever);
        judge(*rig, said, test::name_of(failed), static_cast<std::uint64_t>(nth));
      }
      points += errors;
      if (errors == 0) break;  // It made fewer calls.
    }
    if (HasFailure()) break;
  }
  EXPECT_EQ(test::open_descriptors(), files);
  report(points, kSyscallPointsMin);
}

std::string name_of(const testing::TestParamInfo<Parameters>& info) {
  const auto [arrangement, arrival, shortage] = info.param;
  constexpr std::array<const char*, 2> kArrangements{"Direct", "HandedOver"};
  constexpr std::array<const char*, 3> kArrivals{"Whole", "Halves", "Bytes"};
  constexpr std::array<const char*, 2> kShortages{"Once", "Lasting"};
  return std::string{kArrangements[static_cast<std::size_t>(arrangement)]} +
         kArrivals[static_cast<std::size_t>(arrival)] +
         kShortages[static_cast<std::size_t>(shortage)];
}

constexpr auto kArrangements = {Arrangement::kDirect, Arrangement::kHandedOver};
INSTANTIATE_TEST_SUITE_P(Http1, AllocationTortureTest,
                         testing::Combine(testing::ValuesIn(kArrangements),
                                          testing::Values(Arrival::kWhole, Arrival::kHalves,
                                                          Arrival::kBytes),
                                          testing::Values(Shortage::kOnce, Shortage::kLasting)),
                         name_of);
INSTANTIATE_TEST_SUITE_P(Http1, SyscallTortureTest,
                         testing::Combine(testing::ValuesIn(kArrangements),
                                          testing::Values(Arrival::kWhole, Arrival::kHalves),
                                          testing::Values(Shortage::kOnce)),
                         name_of);

TEST(TortureVectorsTest, AreThere) {
  if (!have_vectors()) GTEST_SKIP() << "the HTTP/1.1 vectors are not beside the repository";
  EXPECT_GT(vectors().size(), 150U);
}

}  // namespace
}  // namespace tercel::server
