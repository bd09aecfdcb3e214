// A session over memory, its client and its handler.
#pragma once

#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "http/script.h"
#include "support/h2_client.h"
#include "support/memory_wire.h"
#include "tercel/http/h2_session.h"

namespace tercel::http {

class H2Fixture : public testing::Test {
 protected:
  using Lines = std::vector<std::string>;
  using Settings = std::initializer_list<std::pair<int, std::uint32_t>>;

  H2Fixture() {
    shared_.set_default_fields("t", "", /*with_date=*/true);
    make_session();
  }
  void make_session() {
    session_.reset();
    wire_.forget();
    reader_ = std::make_unique<test::H2Reader>();
    session_ = std::make_unique<H2Session>(wire_, h2_);
    wire_.session = session_.get();
  }
  // What the server sends when it gets this.
  std::string send(const std::string& bytes) {
    wire_.receive(bytes);
    return sent();
  }
  std::string sent() { return reader_->read(wire_.take_sent()); }
  void hello(Settings settings = {}) {
    EXPECT_EQ(send(test::h2_hello(settings) + test::h2_frame(4, test::kAck, 0, "")),
              "0 WINDOW_UPDATE 983041\n");
  }
  void answer_all(std::string text = "hello") {
    script_.act = [text](const Request&, Scripted& one) { one.answer(text); };
  }
  static std::string head(int stream, std::string_view rest = "") {
    return std::to_string(stream) +
           " HEADERS :status=200 server=t date=Sun, 06 Nov 1994 08:49:37 GMT" + std::string{rest} +
           '\n';
  }

  Script script_;
  SessionContext shared_{script_, Limits{}};
  H2Context h2_{shared_, H2Options{}};
  test::MemoryWire wire_;
  std::unique_ptr<test::H2Reader> reader_;
  std::unique_ptr<H2Session> session_;
};

}  // namespace tercel::http
