// Question: is validating a body cheap beside reading it, and cheaper than what Python programs
// use? Decides whether the API validates every request. bench/schema.py compares with others on the
// same schemas and documents, those of bench/schemas.
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <string>
#include <string_view>

#include <benchmark/benchmark.h>

#include "json/to_text.h"
#include "tercel/json/parser.h"
#include "tercel/schema/registry.h"
#include "tercel/schema/validator.h"

namespace tercel::schema {
namespace {

constexpr std::string_view kUri = "bench:schema";

// One file: a schema, and a document, which is an array of `repeat` of them unless that is 0.
struct Sample {
  explicit Sample(const std::filesystem::path& path) {
    std::ifstream file{path, std::ios::binary};
    const std::string text{std::istreambuf_iterator<char>{file}, {}};
    json::Parser parser;
    json::Document parsed;
    const json::Value root = *parser.parse(text, parsed);
    schema = json::to_text(*root.find("schema"));
    const std::string one = json::to_text(*root.find("document"));
    const std::int64_t repeat = root.find("repeat")->int64();
    document = repeat == 0 ? one : "[" + one;
    for (std::int64_t i = 1; i < repeat; ++i) (document += ",") += one;
    if (repeat != 0) document += "]";
  }

  std::string schema;
  std::string document;
};

struct Setup {
  explicit Setup(const Sample& sample) {
    if (registry.add(kUri, sample.schema)) {
      if (auto compiled = registry.compile(kUri)) program.emplace(std::move(*compiled));
    }
  }
  Registry registry;
  std::optional<Program> program;
};

void compile(benchmark::State& state, const Sample& sample) {
  for (auto _ : state) {
    const Setup setup{sample};
    if (!setup.program) state.SkipWithError("refused");
  }
}

void validate(benchmark::State& state, const Sample& sample) {
  const Setup setup{sample};
  json::Parser parser;
  json::Document document;
  const json::Value root = *parser.parse(sample.document, document);
  Validator validator;
  for (auto _ : state) {
    if (!validator.validate(*setup.program, root)) state.SkipWithError("invalid");
  }
}

void parse_and_validate(benchmark::State& state, const Sample& sample) {
  const Setup setup{sample};
  json::Parser parser;
  json::Document document;
  Validator validator;
  for (auto _ : state) {
    const Result<json::Value> root = parser.parse(sample.document, document);
    if (!root || !validator.validate(*setup.program, *root)) state.SkipWithError("invalid");
  }
}

}  // namespace
}  // namespace tercel::schema

int main(int argc, char** argv) {
  using namespace tercel::schema;
  benchmark::Initialize(&argc, argv);
  for (const auto& entry : std::filesystem::directory_iterator{TERCEL_BENCH_SCHEMAS}) {
    const Sample sample{entry.path()};
    const auto add = [&](const char* what, void (*measure)(benchmark::State&, const Sample&)) {
      const std::string name = std::string{what} + "/" + entry.path().stem().string();
      benchmark::RegisterBenchmark(
          name.c_str(), [measure, sample](benchmark::State& state) { measure(state, sample); });
    };
    add("compile", compile);
    add("validate", validate);
    add("parse_and_validate", parse_and_validate);
  }
  benchmark::RunSpecifiedBenchmarks();
}
