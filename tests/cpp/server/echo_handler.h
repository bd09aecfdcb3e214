// A handler for tests: does what the path says.
//
//   /echo     answers with the request body
//   /hello    answers at once
//   /hold     keeps the exchange until the test answers
//   /large    answers with kLargeBytes, pausing when the exchange is not writable
//   /parts    answers in two parts, and calls during_parts() after each
#pragma once

#include <algorithm>
#include <array>
#include <functional>
#include <string_view>
#include <vector>

#include "tercel/base/slab.h"
#include "tercel/http/handler.h"

namespace tercel::test {

class EchoHandler final : public http::Handler {
 public:
  static constexpr std::size_t kLargeBytes = std::size_t{1} << 20;
  static constexpr std::string_view kHello = "hello";

  struct Job final : http::Observer {
    Job(EchoHandler& owning, http::Exchange& answered, std::string_view path) noexcept
        : owner{owning}, exchange{answered}, large{path == "/large"}, hold{path == "/hold"} {}

    void run() noexcept {
      if (large) return send_large();
      if (!hold) read();
    }
    void on_body() noexcept override { run(); }
    void on_writable() noexcept override { run(); }
    void on_notice(http::Notice notice) noexcept override { owner.notices.push_back(notice); }
    void on_end(http::Outcome outcome) noexcept override {
      owner.outcomes.push_back(outcome);
      if (owner.held == this) owner.held = nullptr;
      owner.jobs.destroy(this);
    }

    void read() noexcept {
      for (;;) {
        const http::BodyRead part = exchange.read_body();
        if (bytes + part.bytes.size() <= sizeof body) {
          part.bytes.copy(body + bytes, part.bytes.size());
        }
        bytes += part.bytes.size();
        if (part.state == http::BodyState::kEnd) break;
        if (part.state != http::BodyState::kMore) return;
      }
      owner.body_bytes += bytes;
      if (exchange.start({})) {
        (void)exchange.write(http::Payload::borrow({body, std::min(bytes, sizeof body)}),
                             http::Final::kYes);
      }
    }
    void send_large() noexcept {
      static constexpr std::array<char, 32768> kPart{};
      if (bytes == 0 && !exchange.start({})) return;
      while (exchange.writable()) {
        bytes += kPart.size();
        const bool last = bytes == kLargeBytes;
        (void)exchange.write(http::Payload::borrow({kPart.data(), kPart.size()}),
                             last ? http::Final::kYes : http::Final::kNo);
        if (last) return;
      }
    }

    EchoHandler& owner;
    http::Exchange& exchange;
    bool large;
    bool hold;
    std::size_t bytes = 0;
    char body[4096];
  };

  void handle(const http::Request& request, http::Exchange& exchange) noexcept override {
    ++requests;
    if (request.path == "/hello") {
      if (exchange.start({})) {
        (void)exchange.write(http::Payload::borrow(kHello), http::Final::kYes);
      }
      return;
    }
    if (request.path == "/parts") return answer_in_parts(exchange);
    Job* job = jobs.make(*this, exchange, request.path);
    if (job == nullptr) return exchange.abort(Errc::kNoMemory);
    if (job->hold) held = job;
    exchange.observe(job);
    job->run();
  }

  void answer_in_parts(http::Exchange& exchange) noexcept {
    if (!exchange.start({})) return;
    (void)exchange.write(http::Payload::borrow("part"), http::Final::kNo);
    during_parts();
    (void)exchange.write(http::Payload::borrow("end"), http::Final::kYes);
    during_parts();
  }

  std::function<void()> during_parts;
  Slab<Job> jobs;
  Job* held = nullptr;
  int requests = 0;
  std::size_t body_bytes = 0;
  std::vector<http::Notice> notices;
  std::vector<http::Outcome> outcomes;
};

}  // namespace tercel::test
