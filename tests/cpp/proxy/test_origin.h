// An origin in the hands of a test: a source whose connections are pairs of sockets, the other ends
// of which the test reads and writes.
#pragma once

#include <fcntl.h>
#include <sys/socket.h>

#include <chrono>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "support/descriptors.h"
#include "support/failing_syscalls.h"
#include "support/manual_clock.h"
#include "tercel/base/intrusive_list.h"
#include "tercel/net/socket_stream.h"
#include "tercel/proxy/source.h"

namespace tercel::test {

class TestOrigin final : public proxy::Source, private proxy::UpstreamConnection::Keeper {
 public:
  TestOrigin(net::Loop& loop, FailingSyscalls& syscalls) : loop_{loop}, syscalls_{syscalls} {}
  ~TestOrigin() { EXPECT_EQ(lent, 0) << "a connection was not given back"; }

  // --- what the test decides
  bool at_once = true;  // Else a waiter waits for connect().
  bool small = false;   // The sockets take little before they block.
  Errc refuse{};        // With refuses > 0: why there is no connection.
  int refuses = 0;
  void connect() {
    while (proxy::Waiter* waiter = waiters_.pop_front()) answer(*waiter, proxy::Freshness::kAny);
  }

  // --- what happened
  proxy::Freshness wanted = proxy::Freshness::kAny;  // By the last who asked.
  int lent = 0;
  int acquired = 0;
  int withdrawn = 0;
  int reused = 0;
  int kept = 0;           // Given back as they were.
  int ended = 0;          // Given back spoiled.
  std::vector<Fd> peers;  // In the order of connecting; those that ended stay.

  [[nodiscard]] Fd& peer() { return peers.back(); }
  [[nodiscard]] std::string received() { return receive_all(peer()); }
  // The connection that was made last.
  [[nodiscard]] bool spoiled() const { return connections_.back()->spoiled(); }
  [[nodiscard]] bool has_idle() const { return idle_ != nullptr; }

 private:
  void acquire(proxy::Waiter& waiter, proxy::Freshness freshness) noexcept override {
    ++acquired;
    wanted = freshness;
    if (refuses > 0) {
      --refuses;
      return waiter.on_no_connection(refuse);
    }
    if (!at_once) return waiters_.push_back(waiter);
    answer(waiter, freshness);
  }
  void withdraw(proxy::Waiter& waiter) noexcept override {
    ++withdrawn;
    while (proxy::Waiter* other = waiters_.pop_front()) {
      if (other == &waiter) break;
    }
  }
  void release(proxy::UpstreamConnection& connection) noexcept override {
    --lent;
    EXPECT_TRUE(connection.idle());
    for (auto& mine : connections_) {
      if (mine.get() != &connection) continue;
      if (connection.reusable()) {
        ++kept;
        idle_ = &connection;
      } else {
        ++ended;
        dead_.push_back(std::move(mine));
        // The socket closes now; the memory stays until nothing of it is on the stack.
        dead_.back()->shut();
      }
    }
  }
  void on_unusable(proxy::UpstreamConnection&) noexcept override { idle_ = nullptr; }

  void answer(proxy::Waiter& waiter, proxy::Freshness freshness) {
    ++lent;
    if (idle_ != nullptr && freshness != proxy::Freshness::kNew) {
      ++reused;
      return waiter.on_connection(*std::exchange(idle_, nullptr));
    }
    SocketPair pair = socket_pair();
    EXPECT_EQ(::fcntl(pair.peers.get(), F_SETFL, O_NONBLOCK), 0);
    if (small) {
      const int bytes = 4096;
      ::setsockopt(pair.ours.get(), SOL_SOCKET, SO_SNDBUF, &bytes, sizeof bytes);
    }
    peers.push_back(std::move(pair.peers));
    connections_.push_back(std::make_unique<proxy::UpstreamConnection>(
        loop_, std::make_unique<net::SocketStream>(syscalls_, pair.ours.release()),
        static_cast<proxy::UpstreamConnection::Keeper&>(*this)));
    EXPECT_TRUE(connections_.back()->watch());
    waiter.on_connection(*connections_.back());
  }

  net::Loop& loop_;
  FailingSyscalls& syscalls_;
  IntrusiveList<proxy::Waiter> waiters_;
  std::vector<std::unique_ptr<proxy::UpstreamConnection>> connections_;
  std::vector<std::unique_ptr<proxy::UpstreamConnection>> dead_;
  proxy::UpstreamConnection* idle_ = nullptr;
};

}  // namespace tercel::test
