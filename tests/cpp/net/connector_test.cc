#include "tercel/net/connector.h"

#include <memory>
#include <optional>
#include <vector>

#include <gtest/gtest.h>

#include "support/connect.h"
#include "support/failing_syscalls.h"
#include "support/manual_clock.h"
#include "support/tcp_listener.h"
#include "support/temporary_directory.h"

namespace tercel::net {
namespace {

using namespace std::chrono_literals;  // NOLINT(google-build-using-namespace): only literals.
using test::Call;

class ConnectorTest : public testing::Test, public Connector::Client {
 protected:
  ConnectorTest() : descriptors_{test::open_descriptors()} {
    loop_ = *Loop::create(clock_, syscalls_);
    connector_.emplace(*loop_, *this);
  }
  void start(const std::vector<Address>& addresses, std::chrono::nanoseconds limit = 5s) {
    connector_->start(addresses, {}, clock_.now() + limit);
  }
  void turn(int times = 4) {
    for (int i = 0; i < times; ++i) {
      ASSERT_TRUE(loop_->wait(1ms));
      loop_->dispatch();
    }
  }
  void pass(std::chrono::nanoseconds time) {
    clock_.advance(time);
    turn();
  }
  void on_connected(std::unique_ptr<Stream> stream) noexcept override {
    stream_ = std::move(stream);
    connector_.reset();  // As the class allows.
  }
  void on_failed(Errc error) noexcept override {
    error_ = error;
    connector_.reset();
  }
  // An address of this machine where nobody listens.
  static Address nobody() {
    test::TcpListener closed;
    return closed.address();
  }

  std::ptrdiff_t descriptors_;
  test::ManualClock clock_;
  test::FailingSyscalls syscalls_;
  std::unique_ptr<Loop> loop_;
  std::optional<Connector> connector_;
  std::unique_ptr<Stream> stream_;
  std::optional<Errc> error_;
};

// Takes connections no more: a further one gets no answer.
struct BlackHole {
  BlackHole() : listener{"127.0.0.3", 0, 0}, first{test::connect_to(listener.address())} {}
  test::TcpListener listener;
  test::Fd first;
};

TEST_F(ConnectorTest, ConnectsAndTellsLater) {
  test::TcpListener listener;
  start({listener.address()});
  EXPECT_EQ(stream_, nullptr);
  turn();
  ASSERT_NE(stream_, nullptr);
  const test::Fd accepted = listener.accept();
  test::send_text(accepted, "hello");
  char bytes[8];
  EXPECT_EQ(stream_->read(bytes).bytes, 5U);
}

TEST_F(ConnectorTest, TakesTheNextAddressAtOnceWhenOneRefuses) {
  test::TcpListener listener;
  start({nobody(), nobody(), listener.address()});
  turn();
  EXPECT_NE(stream_, nullptr);
}

TEST_F(ConnectorTest, TakesTheNextAddressAfterAQuarterOfASecondWhenOneIsSilent) {
  const BlackHole hole;
  test::TcpListener listener;
  start({hole.listener.address(), listener.address()});
  turn();
  EXPECT_EQ(stream_, nullptr);
  pass(Connector::kStagger - 50ms);
  EXPECT_EQ(stream_, nullptr);
  pass(70ms);
  EXPECT_NE(stream_, nullptr);
}

TEST_F(ConnectorTest, FailsWhenAllRefuse) {
  start({nobody(), nobody()});
  turn();
  EXPECT_EQ(error_, Errc::kUpstreamUnreachable);
}

TEST_F(ConnectorTest, FailsWithoutAnAddress) {
  start({});
  turn();
  EXPECT_EQ(error_, Errc::kUpstreamUnreachable);
}

TEST_F(ConnectorTest, FailsAfterItsTimeLimit) {
  const BlackHole hole;
  start({hole.listener.address()}, 3s);
  turn();
  pass(2900ms);
  EXPECT_EQ(error_, std::nullopt);
  pass(150ms);
  EXPECT_EQ(error_, Errc::kUpstreamTimeout);
}

TEST_F(ConnectorTest, ConnectsToAUnixSocket) {
  const test::TemporaryDirectory directory;
  const std::string path = directory.file("socket");
  test::Fd listener{::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)};
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  path.copy(address.sun_path, sizeof address.sun_path - 1);
  ASSERT_EQ(::bind(listener.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
  ASSERT_EQ(::listen(listener.get(), 1), 0);
  connector_->start_unix(path, clock_.now() + 1s);
  turn();
  EXPECT_NE(stream_, nullptr);
}

TEST_F(ConnectorTest, LeavesNoDescriptorBehindWhenItEnds) {
  const BlackHole hole;
  const std::ptrdiff_t before = test::open_descriptors();
  start({hole.listener.address()});
  turn();
  EXPECT_EQ(test::open_descriptors(), before + 1);
  connector_.reset();
  EXPECT_EQ(test::open_descriptors(), before);
}

TEST_F(ConnectorTest, AnyCallMayFail) {
  test::TcpListener listener;
  const std::ptrdiff_t before = test::open_descriptors();
  for (int nth = 1; nth < 12; ++nth) {
    for (std::size_t choice = 0; choice < 3; ++choice) {
      stream_.reset();
      error_.reset();
      connector_.emplace(*loop_, *this);
      syscalls_.fail_any(nth, choice);
      start({listener.address()}, 1s);
      for (int i = 0; i < 4; ++i) {
        (void)loop_->wait(1ms);
        loop_->dispatch();
      }
      syscalls_.fail_any(0);
      if (stream_ == nullptr && !error_) pass(2s);
      EXPECT_TRUE(stream_ != nullptr || error_) << nth << ' ' << choice;
      connector_.reset();
      stream_.reset();
      while (listener.accept().get() >= 0) {
      }
    }
  }
  EXPECT_EQ(test::open_descriptors(), before);
}

}  // namespace
}  // namespace tercel::net
