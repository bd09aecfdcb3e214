// Accepts connections on one bound socket, and survives a process that is out of descriptors.
//
// On EMFILE, ENFILE, ENOBUFS or ENOMEM it stops watching for kPause, so a full process neither
// spins nor forgets the clients in the backlog. pause() and resume() do the same for a limit of
// connections. Loops that share a socket and wait get connections in turn; in a burst, who is
// quick. A peer that vanished before it was accepted costs nothing. Resource: owned by whoever
// serves; Thread: the loop's. Source: accept(2). Tested by listener_test.cc.
#pragma once

#include <chrono>
#include <memory>

#include "tercel/base/address.h"
#include "tercel/base/result.h"
#include "tercel/net/listen_socket.h"
#include "tercel/net/loop.h"

namespace tercel::net {

class Listener final : private Watcher, private Timer {
 public:
  static constexpr std::chrono::milliseconds kPause{100};
  // Connections accepted per event, at most.
  static constexpr int kAcceptsMax = 64;
  // The same on a socket that other loops accept from too: each connection woke one of them, and
  // who is awake must not take what the others were woken for.
  static constexpr int kSharedAcceptsMax = 1;
  // Connections that close() accepts, at most: the length of a usual backlog (net.core.somaxconn).
  static constexpr int kLastAcceptsMax = 4096;

  // Gets each new connection. May pause and close the listener, not destroy it.
  class Sink {
   public:
    // The sink takes over `fd`, a socket: it does not block, TCP_NODELAY is set, close-on-exec too,
    // and it is not yet watched. An IPv4 peer of an IPv6 socket has an IPv4 address.
    virtual void on_accept(int fd, const Address& peer, Listener& from) noexcept = 0;
    // Accepting failed with errno `error`, for lack of descriptors or memory, or because somebody
    // else closed the socket; it is tried again after kPause.
    virtual void on_starved(int error) noexcept = 0;

   protected:
    ~Sink() = default;
  };

  // `loop` and `sink` outlive it. Accepts nothing before start().
  Listener(Loop& loop, ListenSocket socket, Sink& sink) noexcept;
  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;
  ~Listener() override;

  // Fails with kNoMemory or kSystem.
  [[nodiscard]] Result<void> start() noexcept;
  // What comes meanwhile waits in the kernel's backlog.
  void pause() noexcept;
  void resume() noexcept;
  // As if accepting had failed: for a sink that lacks what it needs for a connection. Else it would
  // take connection after connection, each soon over, from other processes that could serve them.
  void starve(int error) noexcept;
  // Stops accepting for good and closes the socket. If start() was called, connections in the
  // kernel's backlog are accepted first, as long as there are descriptors.
  void close() noexcept;
  [[nodiscard]] const ListenSocket& socket() const noexcept { return socket_; }

 private:
  enum class State : std::uint8_t { kIdle, kStarted, kClosed };
  enum class AcceptResult : std::uint8_t { kAccepted, kSkipped, kNone, kStarved };
  void on_ready(std::uint32_t readiness) noexcept override;
  void on_timer() noexcept override;
  [[nodiscard]] Result<void> watch() noexcept;
  void unwatch() noexcept;
  void queue_up_again() noexcept;
  [[nodiscard]] bool watched() const noexcept { return id_ != WatchId::kNone; }
  [[nodiscard]] AcceptResult accept_one() noexcept;

  Loop& loop_;
  ListenSocket socket_;
  Sink& sink_;
  WatchId id_ = WatchId::kNone;
  State state_ = State::kIdle;
  bool paused_ = false;
};

}  // namespace tercel::net
