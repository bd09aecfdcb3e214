// Question: does finding a route weigh anything beside the rest of a request (about 5 us), and does
// it depend on how many routes there are? Decides whether the router may stay a tree of segments.
//
// A lookup is one of the requests, in turn. Its instructions, and about ten of the loop: the figure
// "Collected" of this, divided by kLookups:
//   valgrind --tool=callgrind --toggle-collect='*look_up*' router_bench --benchmark_filter=NAME
#include <array>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include <benchmark/benchmark.h>

#include "github_routes.h"
#include "tercel/route/router_builder.h"

namespace tercel::route {
namespace {

constexpr std::int64_t kLookups = 1'000'000;

struct Request {
  std::string_view method, path;
};

Request parse(std::string_view text) {
  const std::size_t space = text.find(' ');
  return {text.substr(0, space), text.substr(space + 1)};
}

void add(RouterBuilder& builder, std::string_view text, benchmark::State& state) {
  const auto [method, path] = parse(text);
  if (auto problem = builder.add({.method = method, .path = path})) {
    state.SkipWithError(problem->c_str());
  }
}

[[gnu::noinline]] void look_up(benchmark::State& state, const Router& router,
                               const std::vector<Request>& requests) {
  std::array<char, 16'384> decoded;
  Match match{decoded};
  std::size_t i = 0;
  for (auto _ : state) {
    const Request& request = requests[i];
    benchmark::DoNotOptimize(router.find(request.method, request.path, match));
    benchmark::ClobberMemory();
    if (++i == requests.size()) i = 0;
  }
}

void github(benchmark::State& state) {
  RouterBuilder builder;
  for (const std::string_view text : bench::kGithubRoutes) add(builder, text, state);
  std::vector<Request> requests;
  for (const std::string_view text : bench::kGithubRequests) requests.push_back(parse(text));
  look_up(state, std::move(builder).compile(), requests);
}
BENCHMARK(github)->Iterations(kLookups);

// The longest of the requests, and the shortest.
void github_one(benchmark::State& state, std::string_view request) {
  RouterBuilder builder;
  for (const std::string_view text : bench::kGithubRoutes) add(builder, text, state);
  look_up(state, std::move(builder).compile(), {parse(request)});
}
BENCHMARK_CAPTURE(github_one, user, "GET /user")->Iterations(kLookups);
BENCHMARK_CAPTURE(github_one, issue, "GET /repos/octocat/hello-world/issues/1347")
    ->Iterations(kLookups);
BENCHMARK_CAPTURE(github_one, encoded, "GET /repos/octo%63at/hello-world/issues/1347")
    ->Iterations(kLookups);
BENCHMARK_CAPTURE(github_one, compare, "GET /repos/octocat/hello-world/compare/v1.0.0...v1.1.0")
    ->Iterations(kLookups);

// As many routes as the argument says, all of them siblings with a field below: the same request
// for each, so that nothing but their number differs.
void siblings(benchmark::State& state) {
  RouterBuilder builder;
  for (std::int64_t i = 0; i < state.range(0); ++i) {
    add(builder, "GET /api/resource" + std::to_string(i) + "/{id:int}/detail", state);
  }
  look_up(state, std::move(builder).compile(), {parse("GET /api/resource7/1347/detail")});
}
BENCHMARK(siblings)->Arg(10)->Arg(100)->Arg(1000)->Arg(10'000)->Iterations(kLookups);

// GitHub's table so often, each below a prefix of its own, and requests all over it: here the
// caches of the processor count.
void githubs(benchmark::State& state) {
  RouterBuilder builder;
  std::vector<std::string> texts;
  const auto prefixed = [](std::string_view text, std::int64_t i) {
    const auto [method, path] = parse(text);
    return std::string{method} + " /v" + std::to_string(i) + std::string{path};
  };
  for (std::int64_t i = 0; i < state.range(0); ++i) {
    for (const std::string_view text : bench::kGithubRoutes) {
      add(builder, prefixed(text, i), state);
    }
    for (const std::string_view text : bench::kGithubRequests) texts.push_back(prefixed(text, i));
  }
  std::vector<Request> requests;
  for (const std::string& text : texts) requests.push_back(parse(text));
  look_up(state, std::move(builder).compile(), requests);
}
BENCHMARK(githubs)->Arg(1)->Arg(3)->Arg(30)->Iterations(kLookups);

// Paths of so many bytes that go as far as they can in GitHub's table and fail: linear, or not?
void hostile(benchmark::State& state, std::string_view start, std::string_view unit) {
  RouterBuilder builder;
  for (const std::string_view text : bench::kGithubRoutes) add(builder, text, state);
  std::string path{start};
  while (path.size() < static_cast<std::size_t>(state.range(0))) path += unit;
  look_up(state, std::move(builder).compile(), {{"GET", path}});
  state.SetBytesProcessed(static_cast<std::int64_t>(path.size()) * state.iterations());
}
BENCHMARK_CAPTURE(hostile, dots, "/repos/a/b/compare/", ".. .")->Arg(1024)->Arg(16'000);
BENCHMARK_CAPTURE(hostile, slashes, "/repos/a/b/", "/")->Arg(1024)->Arg(16'000);
BENCHMARK_CAPTURE(hostile, percent, "/repos/a/b/compare/", "%2E%2E%20")->Arg(1024)->Arg(16'000);
BENCHMARK_CAPTURE(hostile, names, "/repos/a/b/issues/1/", "a/")->Arg(1024)->Arg(16'000);

}  // namespace
}  // namespace tercel::route
