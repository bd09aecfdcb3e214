// The session of one connection, once it is known which version of HTTP the peer speaks: HTTP/2 if
// ALPN chose it, or, without TLS, if its first bytes are those of RFC 9113 section 3.4; else
// HTTP/1.
//
// HTTP/1's stands right here, because nearly every connection is one and idle most of the time;
// HTTP/2's, which is larger, in a slab of the server. Resource: lives in its connection. Thread:
// the loop's. Tested by session_place_test.cc.
#pragma once

#include <chrono>
#include <variant>

#include "tercel/base/slab.h"
#include "tercel/http/h1_session.h"
#include "tercel/http/h2_session.h"
#include "tercel/http/wire.h"
#include "tercel/server/options.h"

namespace tercel::server {

// What is made for a connection that speaks HTTP/2.
struct H2Seat {
  H2Seat(Slab<H2Seat>& slab, http::Wire& wire, http::H2Context& context) noexcept
      : home{slab}, session{wire, context} {}
  Slab<H2Seat>& home;
  http::H2Session session;
  std::chrono::nanoseconds tick_due{0};
};

// What the connections of a server share.
struct Sessions {
  Sessions(http::Handler& handler, const Options& options) noexcept
      : h1{handler, options.limits}, h2{h1, options.h2}, protocols{options.protocols} {}

  http::H1Context h1;
  http::H2Context h2;
  Slab<H2Seat> h2_seats;
  const Protocols protocols;
};

class SessionPlace {
 public:
  SessionPlace() noexcept = default;
  SessionPlace(const SessionPlace&) = delete;
  SessionPlace& operator=(const SessionPlace&) = delete;
  ~SessionPlace();

  // As http::Session. What is said before there is a session is told to it when it is made, for
  // `wire`; both arguments are the same each time, and outlive it.
  void on_input(http::Wire& wire, Sessions& sessions) noexcept;
  void on_sent() noexcept;
  void on_input_closed() noexcept;
  void on_timeout(http::Wire& wire, Sessions& sessions, Errc error) noexcept;
  // Answers with the error, as HTTP/1, and closes. REQUIRES: there is no session.
  void refuse(http::Wire& wire, Sessions& sessions, Errc error) noexcept;
  void on_closed(Errc error) noexcept;
  void drain() noexcept;
  void notify_draining() noexcept;
  [[nodiscard]] std::chrono::nanoseconds waiting_since() const noexcept;

  // When the session is to be told what time it is; zero: it has no need. `phase` is what it waits
  // for.
  [[nodiscard]] std::chrono::nanoseconds tick_due(http::Phase phase,
                                                  std::chrono::nanoseconds now) noexcept;
  void on_tick(std::chrono::nanoseconds now) noexcept;

 private:
  // Null while nobody knows.
  [[nodiscard]] http::Session* get() noexcept;
  [[nodiscard]] H2Seat* h2() noexcept;
  // Looks at the first bytes. False: more have to come.
  [[nodiscard]] bool choose(http::Wire& wire, Sessions& sessions) noexcept;
  void make_h1(http::Wire& wire, Sessions& sessions) noexcept;
  void make_h2(http::Wire& wire, Sessions& sessions) noexcept;

  // Before the first bytes.
  struct Unknown {
    bool draining;
  };
  [[nodiscard]] bool draining() const noexcept {
    const auto* unknown = std::get_if<Unknown>(&session_);
    return unknown != nullptr && unknown->draining;
  }

  [[no_unique_address]] std::variant<Unknown, http::H1Session, H2Seat*> session_{Unknown{false}};
};

}  // namespace tercel::server
