#include "tercel/server/session_place.h"

#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include <gtest/gtest.h>

#include "support/memory_wire.h"

namespace tercel::server {
namespace {

using http::kH2Preface;

// Answers at once.
class Hello final : public http::Handler {
 public:
  void handle(const http::Request& request, http::Exchange& exchange) noexcept override {
    versions += request.version == http::Version::kHttp2 ? '2' : '1';
    (void)exchange.start({});
    (void)exchange.write(http::Payload::borrow("hello"), http::Final::kYes);
  }
  std::string versions;
};

// A connection: the place takes its input where a session would.
class SessionPlaceTest : public testing::Test, private http::Session {
 protected:
  void receive(std::string_view bytes) { wire_.receive(bytes); }
  void begin(Protocols protocols) {
    Options options;
    options.protocols = protocols;
    place_.reset();
    sessions_ = std::make_unique<Sessions>(hello_, options);
    place_ = std::make_unique<SessionPlace>();
    wire_.forget();
    wire_.session = this;
  }
  SessionPlaceTest() { begin(Protocols::kAuto); }
  ~SessionPlaceTest() override { place_->on_closed(Errc::kClosed); }

  void on_input() noexcept override { place_->on_input(wire_, *sessions_); }
  void on_sent() noexcept override {}
  void on_input_closed() noexcept override {}
  void on_timeout(Errc) noexcept override {}
  void on_closed(Errc) noexcept override {}
  void drain() noexcept override {}
  void notify_draining() noexcept override {}
  [[nodiscard]] std::chrono::nanoseconds waiting_since() const noexcept override { return {}; }

  Hello hello_;
  std::unique_ptr<Sessions> sessions_;
  test::MemoryWire wire_;
  std::unique_ptr<SessionPlace> place_;
};

constexpr std::string_view kGet = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
constexpr char kSettingsFrame[] = "\0\0\0\4\0\0\0\0\0";

TEST_F(SessionPlaceTest, Http1ByItsFirstByte) {
  receive(kGet);
  EXPECT_TRUE(wire_.sent.starts_with("HTTP/1.1 200 OK\r\n"));
  EXPECT_EQ(sessions_->h2_seats.alive(), 0U);
}

TEST_F(SessionPlaceTest, Http2ByItsPrefaceHoweverItArrives) {
  for (std::size_t cut = 0; cut <= kH2Preface.size(); ++cut) {
    begin(Protocols::kAuto);
    receive(kH2Preface.substr(0, cut));
    EXPECT_EQ(sessions_->h2_seats.alive(), cut == kH2Preface.size() ? 1U : 0U) << cut;
    if (cut < kH2Preface.size()) {
      EXPECT_EQ(wire_.phase, cut == 0 ? http::Phase::kIdle : http::Phase::kHead);
    }
    receive(kH2Preface.substr(cut));
    receive({kSettingsFrame, sizeof kSettingsFrame - 1});
    EXPECT_EQ(sessions_->h2_seats.alive(), 1U) << cut;
    EXPECT_EQ(wire_.sent.substr(3, 1), "\4") << cut;  // SETTINGS.
  }
}

TEST_F(SessionPlaceTest, AMethodThatBeginsLikeThePrefaceIsHttp1) {
  receive("PRI /x HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_EQ(hello_.versions, "1");
}

TEST_F(SessionPlaceTest, APartOfThePrefaceAndNoMoreIsABadRequest) {
  receive("PRI * HT");
  wire_.end_input();
  EXPECT_TRUE(wire_.sent.starts_with("HTTP/1.1 400 "));
  begin(Protocols::kAuto);
  receive("PRI * HT");
  place_->on_timeout(wire_, *sessions_, Errc::kHeadTimeout);
  EXPECT_TRUE(wire_.sent.starts_with("HTTP/1.1 408 "));
}

TEST_F(SessionPlaceTest, VersionsCanBeTurnedOff) {
  begin(Protocols::kHttp1);
  receive(kH2Preface);
  EXPECT_TRUE(wire_.sent.starts_with("HTTP/1.1 505 "));
  begin(Protocols::kHttp2);
  receive(kGet);
  EXPECT_TRUE(hello_.versions.empty());
  EXPECT_TRUE(wire_.closed || wire_.was_reset);
}

TEST_F(SessionPlaceTest, WithTlsAlpnHasTheWord) {
  const auto tls_of = [](const char* protocol) {
    TlsInfo info;
    info.protocol = protocol;
    return TlsInfoRef{std::move(info)};
  };
  wire_.ends.tls = tls_of("h2");
  receive(std::string{kH2Preface}.substr(0, 1));
  EXPECT_EQ(sessions_->h2_seats.alive(), 1U);
  for (const char* protocol : {"http/1.1", ""}) {
    begin(Protocols::kAuto);
    wire_.ends.tls = tls_of(protocol);
    receive(kH2Preface);
    EXPECT_TRUE(wire_.sent.starts_with("HTTP/1.1 505 ")) << protocol;
  }
}

TEST_F(SessionPlaceTest, ADrainBeforeTheFirstByteIsNotForgotten) {
  place_->drain();
  receive(kGet);
  EXPECT_NE(wire_.sent.find("connection: close\r\n"), std::string::npos);
}

TEST_F(SessionPlaceTest, TicksAreForOpenStreams) {
  using namespace std::chrono_literals;
  EXPECT_EQ(place_->tick_due(http::Phase::kHandler, 5s), 0s);
  receive(kH2Preface);
  EXPECT_EQ(place_->tick_due(http::Phase::kIdle, 5s), 0s);
  EXPECT_EQ(place_->tick_due(http::Phase::kHandler, 5s), 6s);
  EXPECT_EQ(place_->tick_due(http::Phase::kHandler, 5500ms), 6s);
  place_->on_tick(6s);
  EXPECT_EQ(place_->tick_due(http::Phase::kHandler, 6s), 7s);
}

}  // namespace
}  // namespace tercel::server
