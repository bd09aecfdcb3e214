// A handler that a test scripts: it keeps the exchanges, and notes what each is told.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

#include "tercel/http/handler.h"

namespace tercel::http {

// Of one request.
class Scripted final : public Observer {
 public:
  Scripted(Exchange& given, std::string name_of_it, std::vector<std::string>& lines)
      : exchange{&given}, name{std::move(name_of_it)}, log{lines} {}

  void on_body() noexcept override {
    note("body");
    if (read_on_body) read();
  }
  void on_writable() noexcept override {
    note("writable");
    if (write_on) write_on();
  }
  void on_notice(Notice notice) noexcept override {
    note(notice == Notice::kDraining ? "draining" : "input closed");
  }
  void on_end(Outcome outcome) noexcept override {
    constexpr const char* kNames[] = {"complete", "peer gone", "aborted"};
    note(kNames[static_cast<int>(outcome)]);
    if (works_on) place = exchange->keep_place();
    exchange = nullptr;
  }

  // Reads what there is of the body, and notes how it ended.
  void read() {
    for (;;) {
      const BodyRead part = exchange->read_body();
      body.append(part.bytes);
      if (part.state == BodyState::kMore) continue;
      constexpr const char* kNames[] = {"", "end", "pending", "failed"};
      note(kNames[static_cast<int>(part.state)]);
      if (part.state == BodyState::kEnd) {
        for (const Field& field : exchange->request_trailers()) {
          note("trailer " + std::string{field.name} + "=" + std::string{field.value});
        }
        if (on_read) on_read();
      }
      return;
    }
  }
  void answer(std::string_view text) {
    ASSERT_TRUE(exchange->start({}));
    ASSERT_TRUE(exchange->write(Payload::borrow(text), Final::kYes));
  }
  void note(const std::string& what) { log.push_back(name + " " + what); }

  Exchange* exchange;
  std::string name;
  std::string body;
  std::vector<std::string>& log;
  std::function<void()> write_on;
  std::function<void()> on_read;
  bool read_on_body = true;
  bool works_on = false;
  Place* place = nullptr;
};

class Script final : public Handler {
 public:
  using Act = std::function<void(const Request&, Scripted&)>;

  void handle(const Request& request, Exchange& given) noexcept override {
    const std::string name{request.target};
    log.push_back(std::string{request.method} + " " + name);
    all.push_back(std::make_unique<Scripted>(given, name, log));
    given.observe(all.back().get());
    if (act) act(request, *all.back());
  }
  // The last that began with this target.
  [[nodiscard]] Scripted& of(std::string_view name) {
    for (auto it = all.rbegin(); it != all.rend(); ++it) {
      if ((*it)->name == name) return **it;
    }
    ADD_FAILURE() << "no request for " << name;
    return *all.front();
  }
  [[nodiscard]] std::vector<std::string> take_log() { return std::exchange(log, {}); }

  Act act;
  std::vector<std::unique_ptr<Scripted>> all;
  std::vector<std::string> log;
};

}  // namespace tercel::http
