// Question: does reading a request body or writing a response weigh anything beside the handler in
// Python (tens of microseconds)? Decides whether bodies may be validated before the handler runs.
#include <cstddef>
#include <string>
#include <string_view>

#include <benchmark/benchmark.h>

#include "tercel/json/parser.h"
#include "tercel/json/writer.h"

namespace tercel::json {
namespace {

constexpr std::string_view kOrder =
    R"({"id": 4711, "customer": {"name": "J\u00fcrgen M\u00fcller", "email": "jm@example.org", )"
    R"("address": {"street": "Hauptstrasse 1", "city": "Berlin", "zip": "10115"}}, "items": [)"
    R"({"sku": "A-1", "quantity": 2, "price": 19.99}, {"sku": "B-22", "quantity": 1, "price": 5.0}, )"
    R"({"sku": "C-333", "quantity": 10, "price": 0.75}], "paid": true, "note": null, )"
    R"("tags": ["new", "gift", "express"]})";

std::string orders(int count) {
  std::string text = "[";
  for (int i = 0; i < count; ++i) (text += i > 0 ? "," : "") += kOrder;
  return text + "]";
}

std::string numbers(std::string_view number) {
  std::string text = "[1";
  for (int i = 0; i < 10000; ++i) (text += ",") += number;
  return text + "]";
}

void parse(benchmark::State& state, const std::string& text) {
  Parser parser;
  Document document;
  for (auto _ : state) {
    const Result<Value> root = parser.parse(text, document);
    if (!root) state.SkipWithError("refused");
    benchmark::DoNotOptimize(document);
  }
  state.SetBytesProcessed(static_cast<std::int64_t>(text.size()) * state.iterations());
}
BENCHMARK_CAPTURE(parse, order, std::string{kOrder});
BENCHMARK_CAPTURE(parse, orders_1000, orders(1000));
BENCHMARK_CAPTURE(parse, integers, numbers("1234567"));
BENCHMARK_CAPTURE(parse, prices, numbers("1234.56"));
BENCHMARK_CAPTURE(parse, decimals_17_digits, numbers("0.12345678901234567"));

void write_order(benchmark::State& state) {
  BlockPool pool;
  Writer writer{pool};
  for (auto _ : state) {
    writer.clear();
    writer.begin_object();
    writer.key("id");
    writer.integer(4711);
    writer.key("name");
    writer.string("J\xC3\xBCrgen M\xC3\xBCller");
    writer.key("items");
    writer.begin_array();
    for (int i = 0; i < 3; ++i) {
      writer.begin_object();
      writer.key("sku");
      writer.string("C-333");
      writer.key("price");
      static_cast<void>(writer.number(19.99));
      writer.end_object();
    }
    writer.end_array();
    writer.end_object();
    benchmark::DoNotOptimize(writer.view().data());
  }
  state.SetBytesProcessed(static_cast<std::int64_t>(writer.size()) * state.iterations());
}
BENCHMARK(write_order);

}  // namespace
}  // namespace tercel::json
