// A gateway between a client, whose connection is memory, and a backend that listens on this
// machine; the test is the policy.
#pragma once

#include <fcntl.h>

#include <chrono>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "proxy/relay_fixture.h"
#include "s3/sigv4_request.h"
#include "support/tcp_listener.h"
#include "tercel/gateway/handler.h"
#include "tercel/http/chars.h"
#include "tercel/s3/signature.h"

namespace tercel::gateway {

// Keeps what it is asked until the test answers.
class TestPolicy final : public Policy {
 public:
  void ask(std::unique_ptr<Inquiry> inquiry) noexcept override {
    log += describe(inquiry->question);
    asked.push_back(std::move(inquiry));
  }
  void answer(Answer answer) {
    ASSERT_FALSE(asked.empty());
    std::unique_ptr<Inquiry> inquiry = std::move(asked.front());
    asked.erase(asked.begin());
    inquiry->answer = std::move(answer);
    reply(std::move(inquiry));
  }
  std::vector<std::unique_ptr<Inquiry>> asked;
  std::string log;  // "key AK;" "may IDENTITY OPERATION BUCKET/KEY;" "with IDENTITY BUCKET;" "where
                    // BUCKET;"

 private:
  static std::string describe(const Question& question) {
    switch (question.kind) {
      case Question::Kind::kKey:
        return "key " + question.access_key + ";";
      case Question::Kind::kDecision:
        return "may " + question.identity + " " + question.operation + " " + question.bucket + "/" +
               question.key + ";";
      case Question::Kind::kCredentials:
        return "with " + question.identity + " " + question.bucket + ";";
      case Question::Kind::kBucket:
        return "where " + question.bucket + ";";
      case Question::Kind::kBudget:
        return "budget;";
    }
    return "";
  }
};

inline std::chrono::seconds test_time = s3::kTestNow;  // Of the wall clock.

class HandlerFixture : public test::RelayFixture {
 protected:
  static constexpr std::chrono::nanoseconds kLong = std::chrono::hours{1};

  HandlerFixture() { test_time = s3::kTestNow; }
  ~HandlerFixture() override {
    if (session_ != nullptr) session_->on_closed(Errc::kClosed);
    settle();
    session_.reset();
    peer_.reset();
    handler_.reset();
    settle();
    EXPECT_EQ(loop_->blocks().outstanding(), 0U);
  }

  static SharedConst<Credentials> hmac(std::string access_key, std::string_view secret) {
    return SharedConst{
        Credentials{Verdict::kYes, Hmac{std::move(access_key), SecretText{secret}, {}}}};
  }
  Backend backend(CredentialsFrom from = CredentialsFrom::kHmac) {
    Backend backend;
    backend.secure = false;
    backend.host = "127.0.0.1";
    backend.port = listener_.address().port;
    backend.credentials_from = from;
    backend.pool_key = "one";
    backend.shared_credentials = hmac("BACK", "back-secret");
    if (from == CredentialsFrom::kBearer) {
      backend.shared_credentials =
          SharedConst{Credentials{Verdict::kYes, Bearer{SecretText{"token"}}}};
    }
    return backend;
  }
  static SharedConst<Config> config(
      std::initializer_list<std::pair<std::string_view, Backend>> rules,
      std::string_view region = {}) {
    Config config;
    config.region = region;
    for (const auto& [name, backend] : rules) EXPECT_FALSE(config.buckets.add(name, backend));
    return SharedConst{std::move(config)};
  }
  void serve(std::initializer_list<std::pair<std::string_view, Backend>> rules,
             std::string_view region = {}) {
    serve(config(rules, region));
  }
  void serve(SharedConst<Config> config) {
    gateway_ = std::make_unique<Gateway>(std::move(config), 100);
    auto made =
        Handler::create(*loop_, *gateway_, policy_, {}, []() noexcept { return test_time; });
    ASSERT_TRUE(made);
    handler_ = *std::move(made);
    open(*handler_);
  }

  static std::string text_of(const s3::TestRequest& request, std::string_view body = "") {
    std::string text = request.method + " " + request.path;
    if (!request.query.empty()) text += "?" + request.query;
    text += " HTTP/1.1\r\n";
    for (const auto& [name, value] : request.headers) text += name + ": " + value + "\r\n";
    if (!body.empty()) text += "content-length: " + std::to_string(body.size()) + "\r\n";
    return text + "\r\n" + std::string{body};
  }
  // What the client got by now.
  std::string send(std::string_view text) {
    wire_.receive(text);
    settle();
    return wire_.take_sent();
  }
  std::string send(const s3::TestRequest& request, std::string_view body = "") {
    return send(text_of(request, body));
  }
  std::string reply(Answer answer) {
    policy_.answer(std::move(answer));
    settle();
    return wire_.take_sent();
  }
  std::string reply_key(std::string identity = "alice", std::string_view token = "") {
    return reply({FrontKey{Verdict::kYes, SecretText{s3::kTestSecret}, SecretText{token},
                           std::move(identity)},
                  kLong, kLong});
  }
  std::string reply_yes(Scope scope = Scope::kRequest) {
    return reply({Decision{Verdict::kYes, scope, ""}, kLong, kLong});
  }
  // The whole way to the backend, whose request is returned.
  std::string pass_through(const s3::TestRequest& request, std::string_view body = "") {
    EXPECT_EQ(send(request, body), "");
    while (!policy_.asked.empty()) {
      const bool is_key = policy_.asked.front()->question.kind == Question::Kind::kKey;
      EXPECT_EQ(is_key ? reply_key() : reply_yes(), "");
    }
    return at_backend();
  }

  bool connected() {
    settle();
    if (test::Fd next = listener_.accept(); next.get() >= 0) {
      peer_ = std::move(next);
      EXPECT_EQ(::fcntl(peer_.get(), F_SETFL, O_NONBLOCK), 0);
      settle();
    }
    return peer_.get() >= 0;
  }
  std::string at_backend() { return connected() ? test::receive_all(peer_) : ""; }
  std::string answer_from_backend(std::string_view text) {
    test::send_text(peer_, text);
    settle();
    return wire_.take_sent();
  }
  // Whether the head was signed with the secret of the access key.
  static bool is_signed_by(std::string_view text, std::string_view access_key,
                           std::string_view secret) {
    if (text.empty()) return false;
    const auto line_end = [&text] { return std::min(text.find("\r\n"), text.size()); };
    std::string_view line = text.substr(0, line_end());
    http::Request request;
    request.method = line.substr(0, line.find(' '));
    line.remove_prefix(request.method.size() + 1);
    request.target = line.substr(0, line.find(' '));
    request.path = request.target.substr(0, request.target.find('?'));
    request.query = request.target.substr(std::min(request.path.size() + 1, request.target.size()));
    std::vector<http::Field> fields;
    for (text.remove_prefix(line_end() + 2); line_end() != 0; text.remove_prefix(line_end() + 2)) {
      line = text.substr(0, line_end());
      const std::size_t colon = line.find(": ");
      fields.push_back({line.substr(0, colon), line.substr(colon + 2)});
    }
    request.fields = fields;
    s3::Query query;
    s3::Claim claim;
    std::vector<char> scratch(request.query.size());
    EXPECT_FALSE(query.parse(request.query));
    if (s3::read_claim(request, query, {.now = test_time}, scratch, claim)) return false;
    const auto digest = s3::canonical_digest(claim.canonical(request, query));
    const s3::SigningKey key{secret, claim.stamp().date(), claim.region};
    return claim.access_key == access_key && digest &&
           s3::view(s3::sign(key, claim.stamp(), *digest)) == claim.signature;
  }
  static bool has(std::string_view text, std::string_view part) {
    return text.find(part) != std::string_view::npos;
  }

  test::TcpListener listener_;
  test::Fd peer_;
  TestPolicy policy_;
  std::unique_ptr<Gateway> gateway_;
  std::unique_ptr<Handler> handler_;
};

}  // namespace tercel::gateway
