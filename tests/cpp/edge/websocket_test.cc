#include "tercel/edge/websocket.h"

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

#include "http/websocket_input.h"
#include "support/manual_clock.h"
#include "support/memory_wire.h"
#include "tercel/http/h1_session.h"

namespace tercel::edge {
namespace {

using namespace std::chrono_literals;  // NOLINT(google-build-using-namespace): only literals.
using http::client_frame;
using http::CloseCode;
using http::MessageKind;
using http::Opcode;
using Stage = WebSocketStage;

constexpr std::string_view kAsk =
    "GET /chat HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
constexpr std::string_view kSwitch =
    "HTTP/1.1 101 Switching Protocols\r\nsec-websocket-accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"
    "connection: Upgrade\r\nupgrade: websocket\r\n\r\n";

std::string frame(Opcode opcode, std::string_view payload, bool final = true) {
  return client_frame(payload, {.opcode = opcode, .final = final});
}

// A server's frame, as bytes.
std::string sent(unsigned opcode, std::string_view payload) {
  return std::string{static_cast<char>(0x80U | opcode), static_cast<char>(payload.size())} +
         std::string{payload};
}

std::string closing(unsigned code, std::string_view reason = {}) {
  return std::string{static_cast<char>(code >> 8), static_cast<char>(code & 255U)} +
         std::string{reason};
}

// Makes a socket for each request, and notes what it is told.
class Door final : public http::Handler, public WebSocketObserver {
 public:
  Door(net::Loop& loop, const WebSocketOptions& options) : loop_{loop}, options_{options} {}

  void handle(const http::Request& request, http::Exchange& exchange) noexcept override {
    ASSERT_TRUE(http::asks_for_websocket(request));
    const auto handshake = http::read_handshake(request, options_.deflate);
    if (!handshake) return exchange.abort(handshake.error());
    over = false;
    socket = std::make_unique<WebSocket>(loop_, options_, exchange, *this);
    ASSERT_TRUE(socket->begin(*handshake, request));
  }
  void on_message() noexcept override {
    ++messages;
    if (echo) take_all();
  }
  void on_writable() noexcept override { ++writables; }
  void on_over() noexcept override {
    ASSERT_FALSE(over);
    over = true;
  }

  void take_all() {
    while (socket->has_message()) {
      const std::string text{socket->front().bytes};
      const MessageKind kind = socket->front().kind;
      socket->pop();
      (void)socket->send(kind, http::Payload::borrow(text));
    }
    socket->expect_more();
  }
  // "1000 bye"; empty: not over.
  [[nodiscard]] std::string end() const {
    if (!socket->end()) return {};
    return std::to_string(static_cast<unsigned>(socket->end()->code)) + " " +
           std::string{socket->end()->reason};
  }

  std::unique_ptr<WebSocket> socket;
  int messages = 0;
  int writables = 0;
  bool over = false;
  bool echo = false;

 private:
  net::Loop& loop_;
  const WebSocketOptions& options_;
};

// A WebSocket on an HTTP/1 session over memory.
class WebSocketTest : public testing::Test {
 protected:
  WebSocketTest() { wire_.session = session_.get(); }
  ~WebSocketTest() override {
    session_.reset();
    door_.socket.reset();
    EXPECT_EQ(loop_->blocks().outstanding(), 0U);
    EXPECT_EQ(loop_->timers().armed(), 0U);
  }

  std::string ask(std::string_view fields = {}) {
    wire_.receive(std::string{kAsk} + std::string{fields} + "\r\n");
    return wire_.take_sent();
  }
  std::string accept(std::string_view subprotocol = {}) {
    EXPECT_TRUE(door_.socket->accept(subprotocol, fields_));
    return wire_.take_sent();
  }
  void open() {
    EXPECT_EQ(ask(), "");
    EXPECT_EQ(accept(), kSwitch);
  }
  std::string receive(std::string_view bytes) {
    wire_.receive(bytes);
    return wire_.take_sent();
  }
  std::string pass(std::chrono::nanoseconds time) {
    clock_.advance(time);
    wire_.time += time;
    EXPECT_TRUE(loop_->wait(0ns));
    loop_->dispatch();
    return wire_.take_sent();
  }

  WebSocketOptions options_;
  test::ManualClock clock_;
  std::unique_ptr<net::Loop> loop_ = *net::Loop::create(clock_, net::system_calls());
  Door door_{*loop_, options_};
  test::MemoryWire wire_;
  http::H1Context context_ = [this] { return http::H1Context{door_, http::Limits{}}; }();
  std::unique_ptr<http::H1Session> session_ = [this] {
    context_.set_default_fields("", "", /*with_date=*/false);
    return std::make_unique<http::H1Session>(wire_, context_);
  }();
  std::vector<http::Field> fields_;
};

// --- the handshake

TEST_F(WebSocketTest, SwitchesWhenItIsAcceptedAndNotBefore) {
  EXPECT_EQ(ask(), "");
  EXPECT_EQ(door_.socket->stage(), Stage::kConnecting);
  EXPECT_EQ(door_.socket->send(MessageKind::kText, http::Payload::borrow("x")).error(),
            Errc::kIllegalStep);
  EXPECT_EQ(accept(), kSwitch);
  EXPECT_EQ(door_.socket->stage(), Stage::kOpen);
  EXPECT_EQ(door_.socket->accept({}, fields_).error(), Errc::kIllegalStep);
  EXPECT_EQ(door_.socket->deny({.status = 403, .fields = {}}).error(), Errc::kIllegalStep);
  EXPECT_EQ(wire_.phase, http::Phase::kTunnel);
}

TEST_F(WebSocketTest, TakesASubprotocolThatWasOffered) {
  ask("Sec-WebSocket-Protocol: a, b\r\nSec-WebSocket-Protocol: c\r\n");
  EXPECT_EQ(door_.socket->accept("d", fields_).error(), Errc::kBadSubprotocol);
  EXPECT_EQ(door_.socket->accept("a,b", fields_).error(), Errc::kBadSubprotocol);
  EXPECT_NE(accept("c").find("sec-websocket-protocol: c\r\n"), std::string::npos);
}

TEST_F(WebSocketTest, RefusesFieldsThatAreItsOwn) {
  ask();
  fields_ = {{"Sec-WebSocket-Extensions", "x"}};
  EXPECT_EQ(door_.socket->accept({}, fields_).error(), Errc::kBadResponseField);
  fields_.clear();
  EXPECT_EQ(accept(), kSwitch);
}

TEST_F(WebSocketTest, AnswersWithAnotherResponse) {
  ask();
  EXPECT_EQ(door_.socket->deny({.status = 101, .fields = {}}).error(), Errc::kBadResponseStatus);
  ASSERT_TRUE(door_.socket->deny({.status = 403, .fields = {}}));
  ASSERT_TRUE(door_.socket->write_denial(http::Payload::borrow("no"), http::Final::kYes));
  EXPECT_EQ(wire_.take_sent(), "HTTP/1.1 403 Forbidden\r\ncontent-length: 2\r\n\r\nno");
  EXPECT_TRUE(door_.over);
  EXPECT_EQ(door_.socket->accept({}, fields_).error(), Errc::kClosed);
  EXPECT_FALSE(wire_.closed);
}

TEST_F(WebSocketTest, SaysWhichVersionItSpeaks) {
  wire_.receive(
      "GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
      "Sec-WebSocket-Version: 8\r\n\r\n");
  const std::string answer = wire_.take_sent();
  EXPECT_TRUE(answer.starts_with("HTTP/1.1 426 ")) << answer;
  EXPECT_NE(answer.find("\r\nsec-websocket-version: 13\r\n"), std::string::npos);
}

TEST_F(WebSocketTest, GivesTheApplicationTimeToAccept) {
  ask();
  EXPECT_EQ(pass(29s), "");
  EXPECT_TRUE(pass(2s).starts_with("HTTP/1.1 503 "));
  EXPECT_TRUE(door_.over);
  EXPECT_EQ(door_.end(), "1006 ");
}

// --- messages

TEST_F(WebSocketTest, EchoesHoweverTheBytesArrive) {
  door_.echo = true;
  const std::string input = frame(Opcode::kText, "Hello") + frame(Opcode::kBinary, "\xff") +
                            frame(Opcode::kText, "Wor", false) + frame(Opcode::kPing, "?") +
                            frame(Opcode::kContinuation, "ld");
  open();
  for (const char byte : input) receive({&byte, 1});
  wire_.sent.clear();
  const std::string answer = sent(1, "Hello") + sent(2, "\xff") + sent(1, "World") + sent(10, "?");
  std::string stepped;
  for (const char byte : input) stepped += receive({&byte, 1});
  EXPECT_EQ(stepped, sent(1, "Hello") + sent(2, "\xff") + sent(10, "?") + sent(1, "World"));
  // All at once: messages are told when all of it is read.
  EXPECT_EQ(receive(input), sent(10, "?") + sent(1, "Hello") + sent(2, "\xff") + sent(1, "World"));
}

TEST_F(WebSocketTest, StopsReadingWhenTheQueueIsFull) {
  open();
  for (std::size_t i = 0; i < options_.queue_messages_max; ++i) receive(frame(Opcode::kText, "m"));
  // Neither the ping nor the message behind it is read.
  EXPECT_EQ(receive(frame(Opcode::kPing, "p") + frame(Opcode::kText, "last")), "");
  for (std::size_t i = 0; i < options_.queue_messages_max / 2 - 1; ++i) door_.socket->pop();
  EXPECT_EQ(wire_.take_sent(), "");
  door_.socket->pop();
  EXPECT_EQ(wire_.take_sent(), sent(10, "p"));
  std::size_t left = 0;
  std::string last;
  for (; door_.socket->has_message(); ++left) {
    last = door_.socket->front().bytes;
    door_.socket->pop();
  }
  EXPECT_EQ(left, options_.queue_messages_max / 2 + 1);
  EXPECT_EQ(last, "last");
}

TEST_F(WebSocketTest, TellsOfMessagesOnceUntilTheyAreTaken) {
  open();
  receive(frame(Opcode::kText, "a"));
  receive(frame(Opcode::kText, "b"));
  EXPECT_EQ(door_.messages, 1);
  door_.take_all();
  receive(frame(Opcode::kText, "c"));
  EXPECT_EQ(door_.messages, 2);
}

TEST_F(WebSocketTest, HoldsPongsBackFromAPeerThatDoesNotRead) {
  open();
  wire_.unsent = 1 << 20;
  const std::string longest(http::kControlBytesMax, 'p');
  for (int i = 0; i < 1000; ++i) EXPECT_EQ(receive(frame(Opcode::kPing, longest)), "");
  EXPECT_EQ(receive(frame(Opcode::kPing, "last")), "");
  EXPECT_LE(loop_->blocks().outstanding(), 2U);
  wire_.unsent = 0;
  session_->on_sent();
  door_.socket->on_writable();
  const std::string pongs = wire_.take_sent();
  EXPECT_LE(pongs.size(), WebSocket::kPongBytes);
  EXPECT_TRUE(pongs.ends_with(sent(10, "last")));
}

TEST_F(WebSocketTest, SendsMessagesOfEverySize) {
  open();
  for (const std::size_t bytes : {0U, 125U, 126U, 4096U, 4097U, 65'535U, 65'536U, 70'000U}) {
    const std::string message(bytes, 'm');
    ASSERT_TRUE(door_.socket->send(MessageKind::kText, http::Payload::borrow(message)));
    EXPECT_TRUE(http::receive_in_steps(wire_.take_sent(), 1000, {.role = http::Role::kClient}) ==
                "text \"" + message + "\"\n")
        << bytes;
  }
}

TEST_F(WebSocketTest, CompressesForWhoOffersIt) {
  door_.echo = true;
  ask("Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n");
  EXPECT_NE(
      accept().find("sec-websocket-extensions: permessage-deflate; server_max_window_bits=12; "
                    "client_max_window_bits=12\r\n"),
      std::string::npos);
  EXPECT_EQ(receive(client_frame(std::string_view{"\xf2\x48\xcd\xc9\xc9\x07\x00", 7},
                                 {.compressed = true})),
            sent(1, "Hello"));
  const std::string text(5000, 't');
  const std::string answer = receive(frame(Opcode::kText, text));
  EXPECT_LT(answer.size(), 100U);
  EXPECT_EQ(http::receive_in_steps(answer, 10, {.role = http::Role::kClient, .deflate = true}),
            "text \"" + text + "\"\n");
}

// --- the end

TEST_F(WebSocketTest, AnswersTheCloseOfThePeer) {
  open();
  receive(frame(Opcode::kText, "left"));
  EXPECT_EQ(receive(frame(Opcode::kClose, closing(3000, "bye")) + frame(Opcode::kText, "late")),
            sent(8, closing(3000)));
  EXPECT_TRUE(wire_.closed);
  EXPECT_TRUE(door_.over);
  EXPECT_EQ(door_.end(), "3000 bye");
  EXPECT_EQ(door_.socket->front().bytes, "left");
  EXPECT_EQ(door_.socket->send(MessageKind::kText, http::Payload::borrow("x")).error(),
            Errc::kClosed);
  EXPECT_EQ(door_.socket->close({.code = CloseCode::kNormal, .reason = {}}).error(), Errc::kClosed);
  door_.socket->pop();
}

TEST_F(WebSocketTest, WaitsForThePeerWhenItClosesFirst) {
  open();
  receive(frame(Opcode::kText, "unread"));
  ASSERT_TRUE(door_.socket->close({.code = CloseCode::kGoingAway, .reason = "r"}));
  EXPECT_EQ(wire_.take_sent(), sent(8, closing(1001, "r")));
  EXPECT_FALSE(door_.socket->has_message());
  EXPECT_EQ(receive(frame(Opcode::kText, "ignored") + frame(Opcode::kPing, "")), "");
  EXPECT_EQ(door_.end(), "");
  EXPECT_EQ(receive(frame(Opcode::kClose, closing(1001))), "");
  EXPECT_EQ(door_.end(), "1001 ");
  EXPECT_TRUE(wire_.closed && door_.over);
  EXPECT_EQ(door_.socket->send(MessageKind::kText, http::Payload::borrow("x")).error(),
            Errc::kIllegalStep);
}

TEST_F(WebSocketTest, DoesNotWaitForEver) {
  open();
  ASSERT_TRUE(door_.socket->close({.code = CloseCode::kNormal, .reason = {}}));
  pass(9s);
  EXPECT_FALSE(door_.over);
  pass(2s);
  EXPECT_TRUE(wire_.closed && door_.over);
  EXPECT_EQ(door_.end(), "1006 the peer did not close in time");
}

TEST_F(WebSocketTest, TellsAnEndWithoutAWord) {
  open();
  wire_.end_input();
  EXPECT_EQ(door_.end(), "1006 ");
  EXPECT_TRUE(door_.over);
  EXPECT_EQ(wire_.take_sent(), "");
}

TEST_F(WebSocketTest, ClosesWithWhatThePeerDidWrong) {
  open();
  EXPECT_EQ(receive(frame(Opcode::kText, "\xff")), sent(8, closing(1007, "text is not UTF-8")));
  EXPECT_EQ(door_.end(), "1007 text is not UTF-8");
  EXPECT_TRUE(wire_.closed && door_.over);
}

// What came before can be answered.
TEST_F(WebSocketTest, FailsBehindTheMessagesThatWereRight) {
  const std::string input = frame(Opcode::kText, "right") + "\xf2\x80";
  door_.echo = true;
  open();
  EXPECT_EQ(receive(input), sent(1, "right") + sent(8, closing(1002, "malformed frame")));
  EXPECT_EQ(door_.end(), "1002 malformed frame");
}

TEST_F(WebSocketTest, FailsInTimeWhoeverTakesTheMessages) {
  open();
  EXPECT_EQ(receive(frame(Opcode::kText, "right") + "\xf2\x80"), "");
  EXPECT_EQ(door_.end(), "");
  EXPECT_EQ(pass(11s), sent(8, closing(1002, "malformed frame")));
  EXPECT_EQ(door_.socket->front().bytes, "right");
  door_.socket->pop();
}

TEST_F(WebSocketTest, ClosesWithWhatTheApplicationSaysAlsoWhenThePeerWasWrong) {
  open();
  receive(frame(Opcode::kText, "right") + "\xf2\x80");
  ASSERT_TRUE(door_.socket->close({.code = CloseCode::kNormal, .reason = {}}));
  EXPECT_EQ(wire_.take_sent(), sent(8, closing(1000)));
  EXPECT_TRUE(door_.over);
  EXPECT_EQ(door_.end(), "1002 malformed frame");
}

TEST_F(WebSocketTest, SaysThatTheServerRestarts) {
  open();
  receive(frame(Opcode::kText, "left"));
  session_->notify_draining();
  EXPECT_EQ(wire_.take_sent(), sent(8, closing(1012, "the server is restarting")));
  EXPECT_EQ(door_.end(), "1012 the server is restarting");
  EXPECT_EQ(door_.socket->front().bytes, "left");
  EXPECT_EQ(door_.socket->send(MessageKind::kText, http::Payload::borrow("x")).error(),
            Errc::kClosed);
  receive(frame(Opcode::kClose, closing(1012)));
  EXPECT_TRUE(door_.over);
  door_.socket->pop();
}

TEST_F(WebSocketTest, RefusesAHandshakeWhenTheServerRestarts) {
  ask();
  session_->notify_draining();
  EXPECT_TRUE(wire_.take_sent().starts_with("HTTP/1.1 503 "));
  EXPECT_EQ(door_.end(), "1012 the server is restarting");
}

TEST_F(WebSocketTest, EndsWithItsExchange) {
  open();
  session_->on_closed(Errc::kReset);
  EXPECT_TRUE(door_.over);
  EXPECT_EQ(door_.end(), "1006 ");
}

// --- time

TEST_F(WebSocketTest, AsksAnIdlePeerAndGivesItTime) {
  open();
  EXPECT_EQ(pass(19s), "");
  EXPECT_EQ(pass(2s), sent(9, ""));
  receive(frame(Opcode::kPong, ""));
  EXPECT_EQ(pass(21s), sent(9, ""));
  // Anything is a sign of life.
  receive(frame(Opcode::kText, "x"));
  EXPECT_EQ(pass(21s), sent(9, ""));
  EXPECT_EQ(pass(21s), sent(8, closing(1011, "keepalive ping timeout")));
  EXPECT_EQ(door_.end(), "1006 keepalive ping timeout");
  door_.socket->pop();
}

// Nobody could have seen its pong.
TEST_F(WebSocketTest, DoesNotBlameAPeerThatIsNotRead) {
  open();
  EXPECT_EQ(pass(21s), sent(9, ""));
  for (std::size_t i = 0; i < options_.queue_messages_max; ++i) receive(frame(Opcode::kText, ""));
  EXPECT_EQ(pass(21s), sent(9, ""));
  EXPECT_EQ(receive(frame(Opcode::kPong, "")), "");
  EXPECT_EQ(pass(21s), sent(9, ""));
  EXPECT_EQ(door_.end(), "");
  door_.take_all();
  (void)wire_.take_sent();
  receive(frame(Opcode::kPong, ""));
  EXPECT_EQ(pass(21s), sent(9, ""));
}

TEST_F(WebSocketTest, CutsOffAMessageThatDribbles) {
  open();
  const std::string message = frame(Opcode::kBinary, std::string(100'000, 'x'));
  receive(message.substr(0, 10));
  std::string answer;
  int seconds = 0;
  for (std::size_t at = 10; answer.empty() && seconds < 100; ++at, ++seconds) {
    answer = receive(message.substr(at, 1)) + pass(1s);
    if (answer == sent(9, "")) answer.clear();
  }
  EXPECT_EQ(answer, sent(8, closing(1008, "a message took too long")));
  EXPECT_GE(seconds, 29);
  EXPECT_LE(seconds, 32);
}

// A fragmented message that is never finished: pings between do not help.
TEST_F(WebSocketTest, CutsOffAMessageThatIsNeverFinished) {
  open();
  receive(frame(Opcode::kText, "begin", false));
  for (int i = 0; i < 29; ++i) {
    EXPECT_EQ(receive(frame(Opcode::kPing, "")), sent(10, ""));
    pass(1s);
  }
  EXPECT_EQ(pass(2s), sent(8, closing(1008, "a message took too long")));
}

TEST_F(WebSocketTest, LetsALongHonestMessageThrough) {
  open();
  const std::string payload(100'000, 'x');
  const std::string message = frame(Opcode::kBinary, payload);
  for (std::size_t at = 0; at < message.size(); at += 1000) {
    receive(message.substr(at, 1000));
    pass(2s);
  }
  ASSERT_TRUE(door_.socket->has_message());
  EXPECT_EQ(door_.socket->front().bytes, payload);
  door_.socket->pop();
}

// A turn belongs to all peers.
TEST_F(WebSocketTest, LeavesTheOthersATurn) {
  open();
  ASSERT_TRUE(door_.socket->close({.code = CloseCode::kNormal, .reason = {}}));
  (void)wire_.take_sent();
  wire_.arrival_bytes = 10'000;
  std::string flood;
  while (flood.size() < 1'000'000) flood += frame(Opcode::kBinary, std::string(1000, 'x'));
  flood += frame(Opcode::kClose, "");
  wire_.receive(flood);
  EXPECT_FALSE(door_.over);
  for (int turns = 0; turns < 5 && !door_.over; ++turns) pass(20ms);
  EXPECT_TRUE(door_.over);
}

// A few bytes that are inflated to many, and what is behind them.
TEST_F(WebSocketTest, LeavesTheOthersATurnWhileItInflates) {
  ask("Sec-WebSocket-Extensions: permessage-deflate\r\n");
  accept();
  codec::Deflater deflater;
  ASSERT_TRUE(deflater.open(9, 15));
  const std::string large(8'000'000, 'z');
  const std::string bytes = client_frame(http::packed(deflater, large), {.compressed = true}) +
                            frame(Opcode::kText, "behind");
  ASSERT_LT(bytes.size(), 16'000U);
  receive(bytes);
  int turns = 1;
  for (; turns < 100 && !door_.socket->has_message(); ++turns) pass(1ms);
  EXPECT_GE(turns, 6);
  EXPECT_LE(turns, 32);  // Of the loop, not of its clock.
  ASSERT_TRUE(door_.socket->has_message());
  EXPECT_EQ(door_.socket->front().bytes, large);
  door_.socket->pop();
  pass(20ms);
  ASSERT_TRUE(door_.socket->has_message());
  EXPECT_EQ(door_.socket->front().bytes, "behind");
  door_.socket->pop();
  EXPECT_EQ(loop_->blocks().outstanding(), 0U);
}

// Each of them is a small part of what may be inflated at once.
TEST_F(WebSocketTest, StopsReadingWhenSmallMessagesAreInflatedToMany) {
  ask("Sec-WebSocket-Extensions: permessage-deflate\r\n");
  accept();
  codec::Deflater deflater;
  ASSERT_TRUE(deflater.open(9, 15));
  const std::string text(100'000, 'z');
  std::string bytes;
  for (int i = 0; i < 50; ++i) {
    bytes += client_frame(http::packed(deflater, text), {.compressed = true});
  }
  ASSERT_LT(bytes.size(), 16'000U);
  receive(bytes);
  for (int i = 0; i < 5; ++i) pass(20ms);
  EXPECT_LT(loop_->blocks().outstanding(), 6U);  // Two messages, and what is left of the input.
  for (int i = 0; i < 50; ++i) {
    ASSERT_TRUE(door_.socket->has_message()) << i;
    EXPECT_EQ(door_.socket->front().bytes, text);
    door_.socket->pop();
    pass(20ms);
  }
  EXPECT_FALSE(door_.socket->has_message());
  EXPECT_EQ(loop_->blocks().outstanding(), 0U);
}

// Whoever leaves in the middle of it leaves nothing behind.
TEST_F(WebSocketTest, EndsWhileItInflates) {
  ask("Sec-WebSocket-Extensions: permessage-deflate\r\n");
  accept();
  codec::Deflater deflater;
  ASSERT_TRUE(deflater.open(9, 15));
  receive(client_frame(http::packed(deflater, std::string(8'000'000, 'z')), {.compressed = true}));
  EXPECT_GT(loop_->blocks().outstanding(), 0U);
  session_->on_closed(Errc::kReset);
  EXPECT_TRUE(door_.over);
  EXPECT_EQ(door_.end(), "1006 ");
}

TEST_F(WebSocketTest, HoldsNothingWhenIdle) {
  door_.echo = true;
  open();
  receive(frame(Opcode::kText, "x"));
  receive(frame(Opcode::kPing, "x"));
  receive(frame(Opcode::kText, std::string(100'000, 'x')));
  EXPECT_EQ(loop_->blocks().outstanding(), 0U);
}

}  // namespace
}  // namespace tercel::edge
