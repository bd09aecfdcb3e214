// A handler whose answers take several turns of the loop, to be cut off in the middle.
#pragma once

#include <array>
#include <cstddef>
#include <random>
#include <string>

#include "tercel/base/slab.h"
#include "tercel/http/handler.h"
#include "tercel/net/loop.h"

namespace tercel::server {

// Of an answer to /later.
inline constexpr std::size_t kLaterBytes = 9000;

// As EchoHandler; /later answers in pieces, one a turn of the loop; /abort does the same and gives
// up at a random one.
class LaterHandler final : public http::Handler {
 public:
  LaterHandler(net::Loop& loop, http::Handler& others) noexcept : loop_{loop}, others_{others} {}
  void handle(const http::Request& request, http::Exchange& exchange) noexcept override {
    if (request.path != "/later" && request.path != "/abort") {
      return others_.handle(request, exchange);
    }
    const int aborts_at = request.path == "/abort" ? static_cast<int>(random_() % 5) : -1;
    Later* later = jobs.make(*this, exchange, aborts_at);
    if (later == nullptr) return exchange.abort(Errc::kNoMemory);
    exchange.observe(later);
    loop_.defer(*later);
  }

  struct Later final : http::Observer, net::Deferred {
    Later(LaterHandler& owning, http::Exchange& answered, int aborting) noexcept
        : owner{owning}, exchange{answered}, aborts_at{aborting} {}
    void run_deferred() noexcept override {
      if (step == aborts_at) return exchange.abort(Errc::kOverloaded);
      constexpr std::array<http::Field, 1> kLength{{{"content-length", "9000"}}};
      if (step == 0) (void)exchange.start({.status = 200, .fields = kLength, .trailers = false});
      if (++step < 4) owner.loop_.defer(*this);
      const auto final = step == 4 ? http::Final::kYes : http::Final::kNo;
      (void)exchange.write(step == 4 ? http::Payload{} : owned(), final);
    }
    [[nodiscard]] http::Payload owned() const noexcept {
      ++owner.made;
      return http::Payload::own(owner.text, &owner.released,
                                [](void* count) noexcept { ++*static_cast<int*>(count); });
    }
    void on_body() noexcept override {}
    void on_writable() noexcept override {}
    void on_notice(http::Notice) noexcept override {}
    void on_end(http::Outcome) noexcept override { owner.jobs.destroy(this); }
    LaterHandler& owner;
    http::Exchange& exchange;
    const int aborts_at;  // A step; -1: none.
    int step = 0;
  };

  Slab<Later> jobs;
  int made = 0;
  int released = 0;
  const std::string text = std::string(kLaterBytes / 3, 'l');

 private:
  net::Loop& loop_;
  http::Handler& others_;
  std::mt19937 random_;
};

}  // namespace tercel::server
