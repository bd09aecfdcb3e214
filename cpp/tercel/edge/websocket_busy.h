// Internal to edge/websocket*.cc.
#pragma once

#include "tercel/edge/websocket.h"

namespace tercel::edge {

// Whoever calls the socket from outside: nothing of it is on the stack any more when the observer
// hears that it is over, and may destroy it.
class WebSocket::Busy {
 public:
  explicit Busy(WebSocket& socket) noexcept : socket_{socket} { ++socket.busy_; }
  Busy(const Busy&) = delete;
  Busy& operator=(const Busy&) = delete;
  ~Busy() {
    if (--socket_.busy_ > 0 || !socket_.over_) return;
    socket_.over_ = false;
    socket_.observer_.on_over();
  }

 private:
  WebSocket& socket_;
};

}  // namespace tercel::edge
