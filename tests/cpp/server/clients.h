// A recorder for tests that notes who asks, and rules that believe X-Forwarded-For of 127.0.0.1.
#pragma once

#include <array>
#include <string>
#include <vector>

#include "tercel/edge/proxy_headers.h"
#include "tercel/http/recorder.h"

namespace tercel::test {

class Clients final : public http::Recorder {
 public:
  Token on_request(const http::Request& request, const http::Endpoints&,
                   std::chrono::nanoseconds) noexcept override {
    std::array<char, Address::kHostBytesMax> text;
    seen.emplace_back(request.client->host(text));
    return nullptr;
  }
  Token on_refused(const http::PartialHead&, const http::Endpoints&) noexcept override {
    return nullptr;
  }
  void on_response(Token, const http::Summary&) noexcept override {}

  std::vector<std::string> seen;
};

inline edge::ProxyRules local_proxy() {
  const std::string name = "x-forwarded-for";
  std::string problem;
  edge::ProxyRules rules{.trusted = {},
                         .fields = *edge::ForwardedFields::parse({&name, 1}, problem)};
  (void)rules.trusted.add("127.0.0.1");
  return rules;
}

}  // namespace tercel::test
