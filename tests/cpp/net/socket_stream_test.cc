#include "tercel/net/socket_stream.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/mman.h>

#include <csignal>
#include <memory>
#include <numeric>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "support/descriptors.h"
#include "support/failing_syscalls.h"
#include "tercel/net/stream_place.h"

namespace tercel::net {
namespace {

using test::Call;
using test::FailingSyscalls;
using test::Fd;
using test::send_text;
using test::socket_pair;
using test::SocketPair;

std::vector<iovec> pieces_of(const std::vector<std::string>& texts) {
  std::vector<iovec> pieces;
  for (const std::string& text : texts) {
    pieces.push_back({const_cast<char*>(text.data()), text.size()});
  }
  return pieces;
}

// A file in memory with these bytes.
Fd file_with(std::string_view bytes) {
  Fd file{::memfd_create("test", MFD_CLOEXEC)};
  EXPECT_EQ(::write(file.get(), bytes.data(), bytes.size()), static_cast<ssize_t>(bytes.size()));
  return file;
}

class SocketStreamTest : public testing::Test {
 protected:
  SocketStreamTest() {
    std::signal(SIGPIPE, SIG_IGN);  // As write_file() requires.
    SocketPair pair = socket_pair();
    stream_ = std::make_unique<SocketStream>(syscalls_, pair.ours.release());
    peer_ = std::move(pair.peers);
  }
  // Closes the stream and returns all that the peer has got.
  std::string received() {
    stream_.reset();
    return test::receive_all(peer_);
  }
  IoResult write(const std::vector<std::string>& texts) { return stream_->write(pieces_of(texts)); }

  FailingSyscalls syscalls_;
  std::unique_ptr<SocketStream> stream_;
  Fd peer_;
  std::array<char, 100> buffer_{};
};

TEST_F(SocketStreamTest, ReadsUntilTheEnd) {
  EXPECT_EQ(stream_->read(buffer_).state, IoState::kAgain);
  send_text(peer_, "hello");
  const IoResult result = stream_->read(buffer_);
  EXPECT_EQ(result.state, IoState::kDone);
  EXPECT_EQ(std::string_view(buffer_.data(), result.bytes), "hello");
  ::shutdown(peer_.get(), SHUT_WR);
  EXPECT_EQ(stream_->read(buffer_).state, IoState::kEnd);
  EXPECT_EQ(stream_->read(buffer_).state, IoState::kEnd);
}

TEST_F(SocketStreamTest, WritesPiecesInOrder) {
  EXPECT_EQ(write({"one"}).bytes, 3U);
  EXPECT_EQ(write({"two", "", "three"}).bytes, 8U);
  EXPECT_EQ(received(), "onetwothree");
}

TEST_F(SocketStreamTest, MorePiecesThanTheKernelTakesAreWrittenInParts) {
  std::vector<std::string> texts;
  std::string all;
  for (int i = 0; i < IOV_MAX + 10; ++i) all += texts.emplace_back(std::to_string(i));
  std::vector<iovec> pieces = pieces_of(texts);
  const IoResult result = stream_->write(pieces);
  EXPECT_EQ(result.state, IoState::kDone);
  EXPECT_EQ(stream_->write(std::span{pieces}.subspan(IOV_MAX)).state, IoState::kDone);
  EXPECT_EQ(received(), all);
}

TEST_F(SocketStreamTest, AFullSocketSaysAgainAndLosesNothing) {
  const std::string chunk(100'000, 'x');
  std::size_t sent = 0;
  IoResult result{};
  while ((result = write({chunk})).state == IoState::kDone) sent += result.bytes;
  EXPECT_EQ(result.state, IoState::kAgain);
  EXPECT_EQ(result.bytes, 0U);
  EXPECT_GT(sent, 0U);
  std::string seen;
  std::thread reader{[&] { seen = test::receive_all(peer_); }};
  stream_.reset();
  reader.join();
  EXPECT_EQ(seen.size(), sent);
}

TEST_F(SocketStreamTest, SendsPartOfAFile) {
  const Fd file = file_with("0123456789");
  const IoResult result = stream_->write_file(file.get(), 2, 5);
  EXPECT_EQ(result.state, IoState::kDone);
  EXPECT_EQ(result.bytes, 5U);
  EXPECT_EQ(stream_->write_file(file.get(), 8, 5).bytes, 2U);
  EXPECT_EQ(received(), "2345689");
}

TEST_F(SocketStreamTest, AFileThatIsShorterThanSaidEnds) {
  const Fd file = file_with("0123456789");
  for (const std::uint64_t offset : {10ULL, 11ULL, 1ULL << 40}) {
    EXPECT_EQ(stream_->write_file(file.get(), offset, 5).state, IoState::kEnd) << offset;
  }
  EXPECT_EQ(received(), "");
}

TEST_F(SocketStreamTest, AFileThatTheKernelCannotSendIsCopied) {
  std::string bytes(100'000, ' ');
  std::iota(bytes.begin(), bytes.end(), '\0');
  const Fd file = file_with(bytes);
  syscalls_.fail(Call::kSendfile, EINVAL, 1, 1000);
  std::size_t sent = 0;
  while (sent < bytes.size()) {
    const IoResult result = stream_->write_file(file.get(), sent, bytes.size());
    ASSERT_EQ(result.state, IoState::kDone);
    sent += result.bytes;
  }
  EXPECT_EQ(stream_->write_file(file.get(), sent, 1).state, IoState::kEnd);
  syscalls_.fail(Call::kPread, EIO);
  EXPECT_EQ(stream_->write_file(file.get(), 0, 1).state, IoState::kFailed);
  EXPECT_EQ(received(), bytes);
}

// Everything in steps of one byte: what arrives is the same.
TEST_F(SocketStreamTest, ShortTransfersLoseNothing) {
  syscalls_.limit_bytes(1);
  const std::string text = "short reads and writes";
  const Fd file = file_with(text);
  for (std::size_t sent = 0; sent < text.size();) {
    const IoResult result =
        write({text.substr(sent, 3), text.substr(std::min(sent + 3, text.size()))});
    ASSERT_EQ(result.bytes, 1U);
    sent += result.bytes;
  }
  for (std::size_t sent = 0; sent < text.size();) {
    sent += stream_->write_file(file.get(), sent, text.size() - sent).bytes;
  }
  send_text(peer_, text);
  std::string read;
  while (read.size() < text.size()) {
    ASSERT_EQ(stream_->read(buffer_).bytes, 1U);
    read.push_back(buffer_[0]);
  }
  EXPECT_EQ(read, text);
  EXPECT_EQ(received(), text + text);
}

TEST_F(SocketStreamTest, AnInterruptedCallIsRepeated) {
  const Fd file = file_with("file");
  for (const Call call : {Call::kRecv, Call::kSend, Call::kSendmsg, Call::kSendfile}) {
    syscalls_.fail(call, EINTR, 1, 3);
  }
  send_text(peer_, "x");
  EXPECT_EQ(stream_->read(buffer_).bytes, 1U);
  EXPECT_EQ(write({"one"}).bytes, 3U);
  EXPECT_EQ(write({"two", "three"}).bytes, 8U);
  EXPECT_EQ(stream_->write_file(file.get(), 0, 4).bytes, 4U);
  EXPECT_EQ(received(), "onetwothreefile");
}

TEST_F(SocketStreamTest, EveryDocumentedErrorIsAgainOrFailed) {
  const Fd file = file_with("file");
  const auto check = [&](Call call, auto operation) {
    for (const int error : test::documented_errors(call)) {
      if (error == EINTR || error == EINVAL) continue;  // Repeated; done in another way.
      syscalls_.fail(call, error);
      const IoResult result = operation();
      EXPECT_EQ(result.bytes, 0U);
      EXPECT_EQ(result.state, error == EAGAIN ? IoState::kAgain : IoState::kFailed)
          << name_of(call) << ' ' << error;
    }
  };
  check(Call::kRecv, [&] { return stream_->read(buffer_); });
  check(Call::kSend, [&] { return write({"x"}); });
  check(Call::kSendmsg, [&] { return write({"x", "y"}); });
  check(Call::kSendfile, [&] { return stream_->write_file(file.get(), 0, 4); });
}

TEST_F(SocketStreamTest, APeerThatIsGoneFailsAndDoesNotKillTheProcess) {
  const Fd file = file_with("file");
  peer_.reset();
  std::signal(SIGPIPE, SIG_DFL);
  EXPECT_EQ(write({"x"}).state, IoState::kFailed);
  EXPECT_EQ(write({"x", "y"}).state, IoState::kFailed);
  std::signal(SIGPIPE, SIG_IGN);
  EXPECT_EQ(stream_->write_file(file.get(), 0, 4).state, IoState::kFailed);
}

TEST_F(SocketStreamTest, AfterShutdownThePeerMayStillSend) {
  stream_->shutdown_write();
  EXPECT_EQ(test::receive_all(peer_), "");
  send_text(peer_, "late");
  EXPECT_EQ(stream_->read(buffer_).bytes, 4U);
  EXPECT_EQ(write({"x"}).state, IoState::kFailed);
}

TEST_F(SocketStreamTest, TheDescriptorIsClosedWithTheStream) {
  const int number = stream_->descriptor();
  EXPECT_GE(::fcntl(number, F_GETFD), 0);
  stream_.reset();
  EXPECT_LT(::fcntl(number, F_GETFD), 0);
}

// A connected pair over TCP: a Unix socket has no reset.
SocketPair tcp_pair() {
  const Fd listener{::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t bytes = sizeof address;
  auto* generic = reinterpret_cast<sockaddr*>(&address);
  EXPECT_EQ(::bind(listener.get(), generic, bytes), 0);
  EXPECT_EQ(::listen(listener.get(), 1), 0);
  EXPECT_EQ(::getsockname(listener.get(), generic, &bytes), 0);
  SocketPair pair{Fd{::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)}, Fd{}};
  EXPECT_EQ(::connect(pair.ours.get(), generic, bytes), 0);
  pair.peers = Fd{::accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC)};
  return pair;
}

TEST(StreamPlaceTest, HoldsASocketInPlaceOrAnyOtherStream) {
  for (const bool in_place : {true, false}) {
    SocketPair pair = socket_pair();
    const int fd = pair.ours.release();
    StreamPlace place;
    if (in_place) {
      place.open(system_calls(), fd);
    } else {
      place.open(std::make_unique<SocketStream>(system_calls(), fd));
    }
    EXPECT_EQ(place->descriptor(), fd);
    test::send_text(pair.peers, "x");
    std::array<char, 10> buffer;
    EXPECT_EQ((*place).read(buffer).bytes, 1U);
    place.close();
    EXPECT_EQ(::read(pair.peers.get(), buffer.data(), buffer.size()), 0);
  }
}

// An application that closes a descriptor twice closes ours, and the next connection has its
// number.
TEST_F(SocketStreamTest, OnceItsNumberIsAnotherConnectionsItDoesNothingToThat) {
  const int number = stream_->descriptor();
  ::close(number);
  SocketPair next = socket_pair();
  const int made = next.ours.release();
  ASSERT_EQ(made == number ? made : ::dup2(made, number), number);
  if (made != number) ::close(made);
  auto other = std::make_unique<SocketStream>(syscalls_, number);
  send_text(next.peers, "for the other");
  const int calls = syscalls_.calls(Call::kClose);
  std::array<char, 20> buffer;
  EXPECT_EQ(stream_->read(buffer).state, IoState::kFailed);
  EXPECT_EQ(write({"secret"}).state, IoState::kFailed);
  EXPECT_EQ(write({"in", "pieces"}).state, IoState::kFailed);
  const Fd file = file_with("of the first");
  EXPECT_EQ(stream_->write_file(file.get(), 0, 5).state, IoState::kFailed);
  stream_->shutdown_write();
  stream_->reset_on_close();
  stream_.reset();
  EXPECT_EQ(syscalls_.calls(Call::kClose), calls);
  EXPECT_EQ(other->read(buffer).bytes, std::string_view{"for the other"}.size());
  EXPECT_EQ(other->write(pieces_of({"answer"})).bytes, 6U);
  other.reset();
  EXPECT_EQ(test::receive_all(next.peers), "answer");
}

TEST(SocketStreamOverTcpTest, ResetOnCloseIsSeenAsAReset) {
  for (const bool reset : {false, true}) {
    SocketPair pair = tcp_pair();
    {
      SocketStream stream{system_calls(), pair.ours.release()};
      if (reset) stream.reset_on_close();
    }
    char byte = 0;
    const ssize_t result = ::read(pair.peers.get(), &byte, 1);
    EXPECT_EQ(result, reset ? -1 : 0);
    if (reset) {
      EXPECT_EQ(errno, ECONNRESET);
    }
  }
}

TEST(SocketStreamOverTcpTest, AResetByThePeerFailsTheRead) {
  SocketPair pair = tcp_pair();
  SocketStream stream{system_calls(), pair.ours.release()};
  const linger reset{1, 0};
  ::setsockopt(pair.peers.get(), SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
  pair.peers.reset();
  std::array<char, 10> buffer;
  EXPECT_EQ(stream.read(buffer).state, IoState::kFailed);
}

}  // namespace
}  // namespace tercel::net
