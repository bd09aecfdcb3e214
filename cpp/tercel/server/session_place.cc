#include "tercel/server/session_place.h"

#include <algorithm>
#include <string_view>

namespace tercel::server {
namespace {

using std::chrono::nanoseconds;

constexpr nanoseconds kTick = std::chrono::seconds{1};

}  // namespace

SessionPlace::~SessionPlace() {
  if (H2Seat* place = h2()) place->home.destroy(place);
}

http::Session* SessionPlace::get() noexcept {
  if (auto* session = std::get_if<http::H1Session>(&session_)) return session;
  H2Seat* const place = h2();
  return place != nullptr ? &place->session : nullptr;
}

H2Seat* SessionPlace::h2() noexcept {
  H2Seat** const place = std::get_if<H2Seat*>(&session_);
  return place != nullptr ? *place : nullptr;
}

// --- the choice

bool SessionPlace::choose(http::Wire& wire, Sessions& sessions) noexcept {
  if (sessions.protocols == Protocols::kHttp2) {
    make_h2(wire, sessions);
    return true;
  }
  if (sessions.protocols == Protocols::kHttp1) {
    make_h1(wire, sessions);
    return true;
  }
  // With TLS, ALPN has the word. Source: RFC 9113 section 3.3.
  if (const TlsInfoRef& tls = wire.endpoints().tls) {
    tls->protocol == "h2" ? make_h2(wire, sessions) : make_h1(wire, sessions);
    return true;
  }
  for (http::Input input = wire.input();;) {
    const std::string_view bytes{input.bytes.data(), input.bytes.size()};
    const std::size_t size = std::min(bytes.size(), http::kH2Preface.size());
    if (!bytes.empty() && bytes.substr(0, size) == http::kH2Preface.substr(0, size)) {
      if (size == http::kH2Preface.size()) {
        // HTTP/1 answers that it does not know this version.
        http::h2_available() ? make_h2(wire, sessions) : make_h1(wire, sessions);
        return true;
      }
    } else if (!bytes.empty()) {
      make_h1(wire, sessions);
      return true;
    }
    const http::Input more = wire.more_input();
    if (more.bytes.size() > bytes.size()) {
      input = more;
      continue;
    }
    if (more.state == http::InputState::kEnded) {
      make_h1(wire, sessions);  // It knows how to answer to that.
      return true;
    }
    wire.enter(more.bytes.empty() ? http::Phase::kIdle : http::Phase::kHead);
    return false;
  }
}

void SessionPlace::make_h1(http::Wire& wire, Sessions& sessions) noexcept {
  const bool drained = draining();
  session_.emplace<http::H1Session>(wire, sessions.h1);
  if (drained) get()->drain();
}

void SessionPlace::make_h2(http::Wire& wire, Sessions& sessions) noexcept {
  const bool drained = draining();
  H2Seat* const place = sessions.h2_seats.make(sessions.h2_seats, wire, sessions.h2);
  if (place == nullptr) {
    wire.reset();
    return;
  }
  session_ = place;
  if (drained) place->session.drain();
}

// --- as http::Session

void SessionPlace::on_input(http::Wire& wire, Sessions& sessions) noexcept {
  if (get() == nullptr && !choose(wire, sessions)) return;
  if (http::Session* session = get()) session->on_input();
}

void SessionPlace::on_sent() noexcept {
  if (http::Session* session = get()) session->on_sent();
}

void SessionPlace::on_input_closed() noexcept {
  if (http::Session* session = get()) session->on_input_closed();
}

// What has not begun is taken for HTTP/1: it says 408, or nothing.
void SessionPlace::on_timeout(http::Wire& wire, Sessions& sessions, Errc error) noexcept {
  if (get() == nullptr) make_h1(wire, sessions);
  get()->on_timeout(error);
}

void SessionPlace::refuse(http::Wire& wire, Sessions& sessions, Errc error) noexcept {
  session_.emplace<http::H1Session>(wire, sessions.h1).refuse(error);
}

void SessionPlace::on_closed(Errc error) noexcept {
  if (http::Session* session = get()) session->on_closed(error);
}

void SessionPlace::drain() noexcept {
  if (auto* unknown = std::get_if<Unknown>(&session_)) unknown->draining = true;
  if (http::Session* session = get()) session->drain();
}

void SessionPlace::notify_draining() noexcept {
  if (http::Session* session = get()) session->notify_draining();
}

nanoseconds SessionPlace::waiting_since() const noexcept {
  if (const auto* session = std::get_if<http::H1Session>(&session_)) {
    return session->waiting_since();
  }
  const auto* place = std::get_if<H2Seat*>(&session_);
  return place != nullptr ? (*place)->session.waiting_since() : nanoseconds{0};
}

nanoseconds SessionPlace::tick_due(http::Phase phase, nanoseconds now) noexcept {
  H2Seat* const place = h2();
  if (place == nullptr) return nanoseconds{0};
  if (phase != http::Phase::kHandler) {
    place->tick_due = nanoseconds{0};
  } else if (place->tick_due == nanoseconds{0}) {
    place->tick_due = now + kTick;
  }
  return place->tick_due;
}

void SessionPlace::on_tick(nanoseconds now) noexcept {
  H2Seat* const place = h2();
  if (place == nullptr) return;
  place->tick_due = nanoseconds{0};
  place->session.on_tick(now);
}

}  // namespace tercel::server
