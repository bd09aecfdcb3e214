// Question: what does a typed request pay for its query, its form and its upload? Decides whether
// they may be read before Python is asked, for every request.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <benchmark/benchmark.h>

#include "tercel/http/multipart.h"
#include "tercel/http/query.h"

namespace tercel::http {
namespace {

constexpr std::string_view kPlain = "limit=20&offset=40&sort=name&verbose=true";
constexpr std::string_view kEncoded =
    "q=caf%C3%A9+au+lait&filter=price%3E10%2Cprice%3C20&tag=a%26b&city=%D0%9C%D0%BE%D1%81%D0%BA%D0%"
    "B2"
    "%D0%B0&page=3";

void read_query(benchmark::State& state, std::string_view text) {
  std::vector<char> scratch(text.size());
  for (auto _ : state) {
    QueryPairs pairs{text, scratch};
    QueryPair pair;
    for (auto more = pairs.next(pair); more && *more; more = pairs.next(pair)) {
      benchmark::DoNotOptimize(pair);
    }
  }
  state.SetBytesProcessed(static_cast<std::int64_t>(text.size()) * state.iterations());
}
BENCHMARK_CAPTURE(read_query, plain, kPlain);
BENCHMARK_CAPTURE(read_query, encoded, kEncoded);

constexpr std::string_view kBoundary = "----WebKitFormBoundary7MA4YWxkTrZu0gW";

std::string part(std::string_view name, std::string_view data) {
  return "--" + std::string{kBoundary} + "\r\nContent-Disposition: form-data; name=\"" +
         std::string{name} + "\"\r\n\r\n" + std::string{data} + "\r\n";
}

std::string last() {
  return "--" + std::string{kBoundary} + "--\r\n";
}

// In pieces of the size in which a connection reads.
void read_form(benchmark::State& state, const std::string& body) {
  constexpr std::size_t kPieceBytes = 64 * 1024;
  const MultipartLimits limits;
  std::vector<char> memory(MultipartParser::memory_bytes(limits));
  for (auto _ : state) {
    MultipartParser parser{kBoundary, limits, memory};
    for (std::size_t at = 0; at < body.size(); at += kPieceBytes) {
      std::string_view piece = std::string_view{body}.substr(at, kPieceBytes);
      auto event = parser.next(piece);
      for (; event != MultipartParser::Event::kNeedMore; event = parser.next(piece)) {
        if (event == MultipartParser::Event::kFailed) return state.SkipWithError("failed");
        benchmark::DoNotOptimize(parser.data().data());
      }
    }
    if (!parser.complete()) return state.SkipWithError("incomplete");
  }
  state.SetBytesProcessed(static_cast<std::int64_t>(body.size()) * state.iterations());
}

std::string repeated(std::string_view text, std::size_t bytes) {
  std::string all;
  while (all.size() < bytes) all += text;
  return all;
}

constexpr std::size_t kMebi = 1024 * 1024;
// Three fields; a file of bytes that are no text; one of text with the line ends of a form; the
// worst that a client can send for a search.
BENCHMARK_CAPTURE(read_form, fields,
                  part("user", "larry") + part("email", "larry@example.org") + part("ok", "1") +
                      last());
BENCHMARK_CAPTURE(read_form, mebibyte_of_bytes,
                  part("file", repeated("\x01\x80\xfe\x7f 0123456789", kMebi)) + last());
BENCHMARK_CAPTURE(read_form, mebibyte_of_lines,
                  part("file", repeated("A line of text, as long as many others are.\r\n", kMebi)) +
                      last());
BENCHMARK_CAPTURE(read_form, mebibyte_of_almost_boundaries,
                  part("file", repeated("\r\n------WebKitFormBoundary7MA4YWxkTrZu0?W", kMebi)) +
                      last());

}  // namespace
}  // namespace tercel::http
