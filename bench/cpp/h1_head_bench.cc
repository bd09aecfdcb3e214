// Question: does reading a head or writing one weigh anything beside the system calls of a request
// (about 5 us)? Decides whether the parser may stay simple.
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include <benchmark/benchmark.h>

#include "tercel/http/h1_body.h"
#include "tercel/http/h1_head.h"
#include "tercel/http/h1_writer.h"

namespace tercel::http {
namespace {

constexpr std::string_view kLoadGenerator =
    "GET / HTTP/1.1\r\n"
    "Host: 127.0.0.1:8000\r\n"
    "\r\n";

constexpr std::string_view kBrowser =
    "GET /static/app.js?v=20 HTTP/1.1\r\n"
    "Host: www.example.org\r\n"
    "User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0\r\n"
    "Accept: text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8\r\n"
    "Accept-Language: en-US,en;q=0.5\r\n"
    "Accept-Encoding: gzip, deflate, br, zstd\r\n"
    "Referer: https://www.example.org/index.html\r\n"
    "Connection: keep-alive\r\n"
    "Cookie: session=0123456789abcdef0123456789abcdef; theme=dark\r\n"
    "Sec-Fetch-Dest: document\r\n"
    "Sec-Fetch-Mode: navigate\r\n"
    "Upgrade-Insecure-Requests: 1\r\n"
    "\r\n";

void parse_head(benchmark::State& state, std::string_view text) {
  const Limits limits;
  HeadBuffer fields;
  std::vector<char> bytes(text.size());
  for (auto _ : state) {
    text.copy(bytes.data(), bytes.size());  // Names as they arrive, not yet in lower case.
    benchmark::DoNotOptimize(bytes.data());
    HeadResult head = parse_request_head(bytes, 0, limits, fields);
    benchmark::DoNotOptimize(head);
  }
  state.SetBytesProcessed(static_cast<std::int64_t>(text.size()) * state.iterations());
}
BENCHMARK_CAPTURE(parse_head, load_generator, kLoadGenerator);
BENCHMARK_CAPTURE(parse_head, browser, kBrowser);

void write_response_head(benchmark::State& state) {
  const Field fields[] = {{"content-type", "application/json"}, {"x-request-id", "0123456789"}};
  const Response response{.status = 200, .fields = fields};
  const std::string_view prefix = "date: Sun, 06 Nov 1994 08:49:37 GMT\r\nserver: tercel\r\n";
  std::vector<char> out(head_bytes_bound(response) + prefix.size() + kFramingBytesMax);
  for (auto _ : state) {
    Result<HeadFacts> facts = inspect(response);
    benchmark::DoNotOptimize(facts);
    char* end = write_head(out.data(), response, prefix);
    end = write_content_length(end, 27);
    benchmark::DoNotOptimize(end);
    benchmark::ClobberMemory();
  }
}
BENCHMARK(write_response_head);

// Chunks of the size in bytes that the argument names.
void decode_chunks(benchmark::State& state) {
  const auto chunk_bytes = static_cast<std::size_t>(state.range(0));
  char line[kChunkLineBytesMax];
  std::string input;
  while (input.size() < 64 * 1024) {
    input.append(line, write_chunk_line(line, chunk_bytes)).append(chunk_bytes, 'x').append("\r\n");
  }
  input += kLastChunk;
  const Limits limits;
  HeadBuffer fields;
  for (auto _ : state) {
    BodyDecoder decoder = BodyDecoder::chunked();
    for (std::span<char> rest{input}; !decoder.done();) {
      const BodyPart part = decoder.decode(rest, limits, fields);
      benchmark::DoNotOptimize(part.data.data());
      rest = rest.subspan(part.consumed);
    }
  }
  state.SetBytesProcessed(static_cast<std::int64_t>(input.size()) * state.iterations());
}
BENCHMARK(decode_chunks)->Arg(1)->Arg(64)->Arg(4096);

}  // namespace
}  // namespace tercel::http
