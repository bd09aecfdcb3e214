#include "tercel/server/service.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <memory>
#include <string>

#include <gtest/gtest.h>

#include "server/echo_handler.h"
#include "support/connect.h"
#include "support/descriptors.h"
#include "support/failing_syscalls.h"

namespace tercel::server {
namespace {

using namespace std::chrono_literals;  // NOLINT(google-build-using-namespace): only literals.
using test::Fd;

// Counts on the loop that it was given to.
struct CountingRecorder final : http::Recorder {
  Token on_request(const http::Request&, const http::Endpoints&,
                   std::chrono::nanoseconds) noexcept override {
    ++requests;
    return nullptr;
  }
  Token on_refused(const http::PartialHead&, const http::Endpoints&) noexcept override {
    return nullptr;
  }
  void on_response(Token, const http::Summary&) noexcept override { ++responses; }
  int requests = 0;
  int responses = 0;
};

// The parameter: how many threads.
class ServiceTest : public testing::TestWithParam<std::size_t> {
 protected:
  void SetUp() override {
    service_ = *Service::create(*loop_, handler_, {}, GetParam());
    for (std::size_t i = 0; i < service_->loops(); ++i) service_->record(i, &recorders_[i]);
    auto socket = net::ListenSocket::tcp(syscalls_, "127.0.0.1", 0, {});
    ASSERT_TRUE(socket);
    ASSERT_TRUE(service_->listen(*std::move(socket)));
    ASSERT_TRUE(service_->start());
  }
  template <typename Condition>
  bool turn_until(Condition done) {
    const auto end = clock_.now() + 20s;
    while (!done()) {
      if (clock_.now() > end) return false;
      EXPECT_TRUE(loop_->wait(1ms));
      loop_->dispatch();
    }
    return true;
  }

  const SteadyClock clock_;
  test::FailingSyscalls syscalls_;
  test::EchoHandler handler_;
  std::array<CountingRecorder, 2> recorders_;
  std::unique_ptr<net::Loop> loop_ = *net::Loop::create(clock_, syscalls_);
  std::unique_ptr<Service> service_;
};

TEST_P(ServiceTest, ServesRecordsAndEndsInTheSameWay) {
  EXPECT_EQ(service_->loops(), std::max<std::size_t>(GetParam(), 1));
  EXPECT_EQ(service_->alone() != nullptr, GetParam() == 0);
  ASSERT_EQ(service_->listeners(), 1U);
  const Address address = service_->listener(0).address();
  const Fd answered = test::connect_to(address);
  test::send_text(answered, "GET /hello HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
  std::string text;
  ASSERT_TRUE(turn_until([&] {
    char bytes[1024];
    const ssize_t count = ::recv(answered.get(), bytes, sizeof bytes, MSG_DONTWAIT);
    if (count > 0) text.append(bytes, static_cast<std::size_t>(count));
    return count == 0;
  }));
  EXPECT_NE(text.find("200 OK"), std::string::npos);
  const Fd held = test::connect_to(address);
  test::send_text(held, "GET /hold HTTP/1.1\r\nHost: a\r\n\r\n");
  ASSERT_TRUE(turn_until([&] { return handler_.held != nullptr && service_->active() == 1; }));

  service_->drain();
  EXPECT_LT(test::connect_to(address).get(), 0);
  service_->notify_draining();
  EXPECT_TRUE(turn_until([&] { return !handler_.notices.empty(); }));
  // Neither touches a handler: what is held stays so.
  EXPECT_TRUE(service_->stop());
  EXPECT_NE(handler_.held, nullptr);
  service_->close();
  EXPECT_EQ(handler_.jobs.alive(), 0U);
  EXPECT_EQ(service_->connections(), 0U);
  EXPECT_EQ(service_->active(), 0U);
  EXPECT_EQ(recorders_[0].requests + recorders_[1].requests, 2);
  EXPECT_EQ(recorders_[0].responses + recorders_[1].responses, 2);
}

INSTANTIATE_TEST_SUITE_P(Threads, ServiceTest, testing::Values(0, 1, 2),
                         [](const auto& test) { return std::to_string(test.param); });

}  // namespace
}  // namespace tercel::server
