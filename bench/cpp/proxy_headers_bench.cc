// Question: what does a request pay for proxy headers when no proxy wrote any, and when one did?
// Decides whether they may be on by default. An address that is trusted costs the same for all.
#include <array>
#include <string>
#include <vector>

#include <benchmark/benchmark.h>

#include "tercel/edge/proxy_headers.h"

namespace tercel::edge {
namespace {

using Fields = std::vector<http::Field>;

const Fields kLoadGenerator{{"host", "127.0.0.1:8000"}};
const Fields kBrowser{{"host", "www.example.org"},
                      {"user-agent", "Mozilla/5.0"},
                      {"accept", "*/*"},
                      {"accept-language", "en-US,en;q=0.5"},
                      {"accept-encoding", "gzip, deflate, br, zstd"},
                      {"referer", "https://www.example.org/index.html"},
                      {"connection", "keep-alive"},
                      {"cookie", "session=0123456789abcdef0123456789abcdef; theme=dark"},
                      {"sec-fetch-dest", "document"},
                      {"sec-fetch-mode", "navigate"},
                      {"upgrade-insecure-requests", "1"}};
const Fields kBehindNginx{{"host", "www.example.org"},
                          {"x-forwarded-for", "192.0.2.1"},
                          {"x-forwarded-proto", "https"},
                          {"user-agent", "Mozilla/5.0"},
                          {"accept", "*/*"}};

void amend(benchmark::State& state, Fields fields) {
  const std::array<std::string, 2> names{"x-forwarded-for", "x-forwarded-proto"};
  std::string problem;
  ProxyRules rules{.trusted = {}, .fields = *ForwardedFields::parse(names, problem)};
  if (!rules.trusted.add("127.0.0.1,::1,unix")) state.SkipWithError("no addresses");
  const ProxyHeaders headers{std::move(rules)};
  const http::Amender& amender = headers;
  const http::Endpoints ends{
      .peer = {.ip = {127, 0, 0, 1}, .port = 5000, .kind = AddressKind::kIpv4}, .local = {}};
  for (auto _ : state) {
    http::Request request;
    Address client;
    request.fields = fields;
    request.client = &ends.peer;
    benchmark::DoNotOptimize(request);
    amender.amend(request, fields, ends, client);
    benchmark::DoNotOptimize(request);
  }
}
BENCHMARK_CAPTURE(amend, load_generator, kLoadGenerator);
BENCHMARK_CAPTURE(amend, browser, kBrowser);
BENCHMARK_CAPTURE(amend, behind_nginx, kBehindNginx);

}  // namespace
}  // namespace tercel::edge
