// The handoff against every order of events, and against an exchange that stays on its thread.
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <functional>
#include <random>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "server/two_ends.h"
#include "tercel/server/handoff.h"

namespace tercel::server {
namespace {

using test::Fd;

// Keeps the exchange of each request until the test acts on it, and notes all that is told.
class Transcript final : public http::Handler, public http::Observer {
 public:
  void handle(const http::Request& request, http::Exchange& given) noexcept override {
    exchange = &given;
    ++begun;
    note("handle ", request.method);
    given.observe(this);
  }
  void on_body() noexcept override { waits_for_body = false; }
  void on_writable() noexcept override { note("writable"); }
  void on_notice(http::Notice notice) noexcept override {
    note(notice == http::Notice::kDraining ? "draining" : "input closed");
  }
  void on_end(http::Outcome outcome) noexcept override {
    ++ended;
    exchange = nullptr;
    constexpr std::array<std::string_view, 3> kNames{"complete", "peer gone", "aborted"};
    note("end ", kNames[static_cast<std::size_t>(outcome)]);
  }

  // Reads what is here of the body.
  void read() {
    for (input = http::BodyState::kMore; input == http::BodyState::kMore;) {
      const http::BodyRead part = exchange->read_body();
      text += part.bytes;
      body += part.bytes;
      input = part.state;
    }
    waits_for_body = input == http::BodyState::kPending;
  }

  void note(std::string_view what, std::string_view more = {}) {
    text.append(what).append(more).append("\n");
  }
  void note(std::string_view what, const Result<void>& result) {
    note(what, result ? std::string_view{"ok"} : info(result.error()).name);
  }

  http::Exchange* exchange = nullptr;
  http::BodyState input = http::BodyState::kPending;  // What the last read() came to.
  bool waits_for_body = false;
  int begun = 0;
  int ended = 0;
  std::string text;
  std::string body;
};

// What an application or a peer may do. REQUIRES of application's acts: there is an exchange.
constexpr std::array<http::Field, 1> kLength{{{"Content-Length", "5"}}};
constexpr std::array<http::Field, 1> kBad{{{"bad name", ""}}};
constexpr std::array<http::Field, 1> kTrailer{{{"checksum", "1"}}};
const std::string kLarge(3000, 'l');

http::Response response_of(std::uint16_t status, bool trailers = false) {
  return {.status = status, .fields = {}, .trailers = trailers};
}

struct Releases {
  int made = 0;
  int done = 0;
  http::Payload payload(std::string_view bytes) {
    ++made;
    return http::Payload::own(bytes, this,
                              [](void* self) noexcept { ++static_cast<Releases*>(self)->done; });
  }
};

using Act = std::function<void(Transcript&, Releases&)>;

struct NamedAct {
  char name;
  Act act;
};

const std::vector<NamedAct>& application_acts() {
  using http::Final;
  using http::Payload;
  static const std::vector<NamedAct> acts{
      {'s', [](Transcript& on, Releases&) { on.note("start ", on.exchange->start({})); }},
      {'l', [](Transcript& on,
               Releases&) { on.note("length ", on.exchange->start({.fields = kLength})); }},
      {'n',
       [](Transcript& on, Releases&) { on.note("none ", on.exchange->start(response_of(204))); }},
      {'t', [](Transcript& on,
               Releases&) { on.note("trailed ", on.exchange->start(response_of(200, true))); }},
      {'b',
       [](Transcript& on, Releases&) { on.note("bad ", on.exchange->start({.fields = kBad})); }},
      {'i',
       [](Transcript& on, Releases&) {
         on.note("hint ", on.exchange->interim({.status = 103, .fields = kTrailer}));
       }},
      {'w',
       [](Transcript& on, Releases&) {
         on.note("write ", on.exchange->write(Payload::borrow("abc"), Final::kNo));
       }},
      {'W',
       [](Transcript& on, Releases&) {
         on.note("last ", on.exchange->write(Payload::borrow("de"), Final::kYes));
       }},
      {'o',
       [](Transcript& on, Releases& of) {
         on.note("own ", on.exchange->write(of.payload(kLarge), Final::kNo));
       }},
      {'O',
       [](Transcript& on, Releases& of) {
         on.note("own last ", on.exchange->write(of.payload(kLarge), Final::kYes));
       }},
      {'f', [](Transcript& on, Releases&) { on.note("finish ", on.exchange->finish(kTrailer)); }},
      {'g', [](Transcript& on, Releases&) { on.note("bad finish ", on.exchange->finish(kBad)); }},
      {'a', [](Transcript& on, Releases&) { on.exchange->abort(Errc::kHandlerFailed); }},
      {'r', [](Transcript& on, Releases&) { on.read(); }}};
  return acts;
}

constexpr std::array<std::string_view, 4> kRequests{
    "GET / HTTP/1.1\r\nHost: a\r\nTE: trailers\r\nConnection: te\r\n\r\n",
    "HEAD / HTTP/1.1\r\nHost: a\r\n\r\n", "GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n",
    "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n"};

// What a peer received, and how the connection stands.
std::string received(const Fd& client) {
  std::string text;
  char bytes[8192];
  ssize_t count = 0;
  while ((count = ::recv(client.get(), bytes, sizeof bytes, MSG_DONTWAIT)) > 0) {
    text.append(bytes, static_cast<std::size_t>(count));
  }
  return text + (count == 0 ? "<closed>" : errno == EAGAIN ? "<open>" : "<reset>");
}

// --- compared with an exchange that stays on its thread

// A server on one loop. Same members as TwoEnds, as far as they are used here.
struct OneEnd {
  explicit OneEnd(http::Handler& handler)
      : server{std::make_unique<Server>(*loop, handler, test::plain_options())} {}
  [[nodiscard]] Fd connect() {
    test::SocketPair pair = test::socket_pair();
    server->serve(std::make_unique<net::SocketStream>(syscalls, pair.ours.release()), {});
    return std::move(pair.peers);
  }
  void settle() {
    for (int turns = 0, quiet = 0; turns < 100 && quiet < 3; ++turns) {
      const auto events = loop->wait(std::chrono::nanoseconds{0});
      loop->dispatch();
      quiet = events && *events > 0 ? 0 : quiet + 1;
    }
  }
  test::ManualClock clock;
  test::FailingSyscalls syscalls;
  std::unique_ptr<net::Loop> loop = *net::Loop::create(clock, syscalls);
  std::unique_ptr<Server> server;
};

bool is_read(int act) {
  const auto at = static_cast<std::size_t>(act);
  return at < application_acts().size() && application_acts()[at].name == 'r';
}

// Does what `acts` says, one after the other, with as many turns in between as it takes.
template <typename Ends>
std::string perform(Ends& ends, Transcript& transcript, std::string_view request,
                    const std::vector<int>& acts) {
  transcript.text.clear();
  Releases releases;
  {
    const Fd client = ends.connect();
    test::send_text(client, request);
    ends.settle();
    for (const int index : acts) {
      const auto& names = application_acts();
      if (static_cast<std::size_t>(index) == names.size()) {  // The peer's.
        (void)::send(client.get(), "2\r\nxy\r\n0\r\n\r\n", 12, MSG_NOSIGNAL);
      } else if (transcript.exchange != nullptr) {
        names[static_cast<std::size_t>(index)].act(transcript, releases);
      }
      ends.settle();
      // A part of a body is here a moment later when it comes from another thread.
      if (transcript.exchange != nullptr && is_read(index)) transcript.read();
      if (is_read(index))
        transcript.note(" read ", std::to_string(static_cast<int>(transcript.input)));
      ends.settle();
    }
    transcript.text += received(client);
  }
  // A program that looks at our descriptors in /proc in that moment has the socket open for a
  // little longer.
  for (int tries = 0; tries == 0 || (transcript.exchange != nullptr && tries < 100); ++tries) {
    if (tries != 0) std::this_thread::sleep_for(std::chrono::milliseconds{10});
    ends.settle();
  }
  EXPECT_EQ(transcript.exchange, nullptr);
  transcript.note("released ", std::to_string(releases.made - releases.done));
  return transcript.text;
}

std::string names_of(const std::vector<int>& acts) {
  std::string names;
  for (const int index : acts) {
    const auto at = static_cast<std::size_t>(index);
    names += at == application_acts().size() ? 'P' : application_acts()[at].name;
  }
  return names;
}

class HandoffComparedTest : public testing::Test {
 protected:
  void compare(std::string_view request, const std::vector<int>& acts) {
    EXPECT_EQ(perform(two_, far_, request, acts), perform(one_, near_, request, acts))
        << request << names_of(acts);
  }
  // Sequences of `length` acts, all of them.
  void compare_all(std::string_view request, std::vector<int>& acts, std::size_t length) {
    if (acts.size() == length) return compare(request, acts);
    const auto last = static_cast<int>(application_acts().size());
    for (int act = 0; act <= last && !HasFailure(); ++act) {
      acts.push_back(act);
      compare_all(request, acts, length);
      acts.pop_back();
    }
  }

  Transcript far_, near_;
  test::TwoEnds two_{far_};
  OneEnd one_{near_};
};

TEST_F(HandoffComparedTest, EveryShortSequenceOfActsHasTheSameResults) {
  for (const std::string_view request : kRequests) {
    std::vector<int> acts;
    compare_all(request, acts, 3);
  }
  EXPECT_EQ(two_.io->crossings(), 0U);
}

TEST_F(HandoffComparedTest, LongSequencesOfActsHaveTheSameResults) {
  std::mt19937 random{20261120};  // NOLINT(cert-msc51-cpp): the same every time.
  const auto last = static_cast<int>(application_acts().size());
  for (int i = 0; i < 3000 && !HasFailure(); ++i) {
    std::vector<int> acts(4 + random() % 8);
    for (int& act : acts) act = static_cast<int>(random() % static_cast<unsigned>(last + 1));
    compare(kRequests[random() % kRequests.size()], acts);
  }
}

// --- every order of events

// One run: a request under way, and a word of acts and turns.
class Walk {
 public:
  explicit Walk(test::TwoEnds& ends, Transcript& transcript) : ends_{ends}, on_{transcript} {
    test::send_text(client_, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 6\r\n\r\nab");
  }

  // Returns false if there was nothing to do.
  bool step(char what) {
    switch (what) {
      case 'I':
        return turn_until_moved([this] { return ends_.turn_io(); });
      case 'A':
        return turn_until_moved([this] { return ends_.turn_app(); });
      case 'p':
        if (sent_ == 4 || client_.get() < 0) return false;
        sent_ += 2;
        return ::send(client_.get(), "xy", 2, MSG_NOSIGNAL) == 2;
      case 'c':
        if (client_.get() < 0) return false;
        client_.reset();
        return true;
      case 'd':
        if (std::exchange(drained_, true)) return false;
        ends_.server->notify_draining();
        return true;
      default:
        return act(what);
    }
  }

  // Whatever happened: it ends, once, and nothing is left.
  void finish() {
    ends_.settle();
    if (on_.exchange != nullptr && client_.get() >= 0) {
      finish_well();
    } else if (on_.exchange != nullptr) {
      act('a');
    }
    client_.reset();
    ends_.settle();
    EXPECT_EQ(on_.exchange, nullptr);
    EXPECT_LE(on_.begun, 1);  // A peer may leave before anybody saw its request.
    EXPECT_EQ(on_.ended, on_.begun);
    EXPECT_EQ(releases_.made, releases_.done);
    EXPECT_EQ(ends_.io->crossings(), 0U);
    EXPECT_EQ(ends_.server->active(), 0U);
    EXPECT_EQ(ends_.server->connections(), 0U);
    EXPECT_EQ(ends_.app_loop->blocks().outstanding(), 0U);
    EXPECT_EQ(ends_.io_loop->blocks().outstanding(), 0U);
  }

 private:
  // The rest of the body comes, and the answer goes. An application reads again when it is told.
  void finish_well() {
    while (step('p')) {
    }
    for (int reads = 0; on_.exchange != nullptr && on_.input != http::BodyState::kEnd; ++reads) {
      ends_.settle();
      ASSERT_FALSE(on_.waits_for_body) << "nobody says that the body is here";
      ASSERT_LT(reads, 10);
      on_.read();
    }
    EXPECT_EQ(on_.body, "abxyxy");
    act('O');
    ends_.settle();
    const std::string got = received(client_);
    EXPECT_TRUE(got.find(kLarge) != std::string::npos) << got.substr(0, 200);
  }
  // A turn that only runs deferred work has no event. Three in a row without one are none.
  static bool turn_until_moved(const std::function<bool()>& turn) {
    return turn() || turn() || turn();
  }
  bool act(char what) {
    if (on_.exchange == nullptr) return false;
    if (what == 'o' && !std::exchange(started_, true)) (void)on_.exchange->start({});
    if (what == 'O' && !std::exchange(started_, true)) (void)on_.exchange->start({});
    for (const NamedAct& each : application_acts()) {
      if (each.name == what) each.act(on_, releases_);
    }
    return true;
  }

  test::TwoEnds& ends_;
  Transcript& on_;
  Releases releases_;
  Fd client_ = ends_.connect();
  int sent_ = 0;
  bool started_ = false;
  bool drained_ = false;
};

class HandoffWalkTest : public testing::Test {
 protected:
  // Walks every word that begins with `word` and has `more` acts behind it. Those that begin with
  // one that did nothing are left out: a shorter one is the same.
  void walk(std::string& word, int more) {
    transcript_.begun = transcript_.ended = 0;
    transcript_.text.clear();
    transcript_.body.clear();
    transcript_.input = http::BodyState::kPending;
    transcript_.waits_for_body = false;
    bool moved = true;
    {
      SCOPED_TRACE(word);
      Walk run{ends_, transcript_};
      for (const char what : word) moved = run.step(what);
      run.finish();
      ++walks_;
    }
    if (!moved || more == 0 || HasFailure()) return;
    for (const char what : std::string_view{"IAproOacd"}) {
      word.push_back(what);
      walk(word, more - 1);
      word.pop_back();
    }
  }

  Transcript transcript_;
  test::TwoEnds ends_{transcript_};
  int walks_ = 0;
};

TEST_F(HandoffWalkTest, EveryOrderOfEventsEndsOnceAndLeavesNothing) {
  std::string word;
  walk(word, 7);
  EXPECT_GT(walks_, 1000);
  RecordProperty("walks", walks_);
}

}  // namespace
}  // namespace tercel::server
