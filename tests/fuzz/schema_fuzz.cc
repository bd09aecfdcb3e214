// Invariants: compiling and validating end, whatever schema and document are; validating again
// gives the same; collecting errors gives the verdict that stopping at the first does; an invalid
// document has an error, whose path leads to its value.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "tercel/json/parser.h"
#include "tercel/schema/registry.h"
#include "tercel/schema/validator.h"

namespace {

using tercel::KeyedHash;
using namespace tercel::schema;

constexpr std::uint64_t kStepsMax = 100'000;

bool leads_to(tercel::json::Value root, const Error& error) {
  tercel::json::Value at = root;
  for (const Step& step : find_path(root, error.value)) {
    const auto next = find_child(at, step.key ? *step.key : std::to_string(step.index));
    if (!next) return false;
    at = *next;
  }
  // The errors of a key are those of its object.
  return at.node() == error.value.node() || at.is_object();
}

void judge(const Program& program, tercel::json::Value document) {
  static Validator all{{.assert_formats = true, .errors_max = 20, .steps_max = kStepsMax},
                       KeyedHash{1, 2}};
  static Validator first{
      {.collect = Collect::kFirst, .assert_formats = true, .steps_max = kStepsMax},
      KeyedHash{3, 4}};
  const bool valid = all.validate(program, document);
  const bool again = first.validate(program, document);
  const bool ended = all.verdict() <= Verdict::kInvalid && first.verdict() <= Verdict::kInvalid;
  if (ended && valid != again) __builtin_trap();
  if (valid != (all.verdict() == Verdict::kValid)) __builtin_trap();
  if (all.verdict() == Verdict::kInvalid && all.errors().empty()) __builtin_trap();
  if (valid && !all.errors().empty()) __builtin_trap();
  for (const Error& error : all.errors()) {
    if (!leads_to(document, error)) __builtin_trap();
    if (describe(error).empty() || code_of(error).empty()) __builtin_trap();
  }
}

}  // namespace

// A schema and a document, with a zero byte between them. Without one it is both.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view input{reinterpret_cast<const char*>(data), size};
  const std::size_t end = input.find('\0');
  const std::string_view text = end == std::string_view::npos ? input : input.substr(end + 1);
  Registry registry;
  if (!registry.add("fuzz:schema", input.substr(0, end))) {
    if (registry.fault().reason.empty()) __builtin_trap();
    return 0;
  }
  const auto program = registry.compile("fuzz:schema");
  if (!program) {
    if (registry.fault().reason.empty()) __builtin_trap();
    return 0;
  }
  tercel::json::Parser parser{KeyedHash{5, 6}};
  tercel::json::Document document;
  if (parser.parse(text, document)) judge(*program, document.root());
  return 0;
}
