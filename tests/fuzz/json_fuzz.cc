// Invariants: a text that is taken is written and read as an equal value with the same hash, and
// again the same bytes; taken with duplicate keys refused, it is taken without; a fault lies within
// the text.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "json/to_text.h"
#include "tercel/json/equal.h"
#include "tercel/json/parser.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace tercel::json;
  static Parser parser{tercel::KeyedHash{1, 2}};
  // Memory of exactly this size, so that AddressSanitizer sees the first byte beyond.
  const auto bytes = std::make_unique<char[]>(size);
  std::copy(data, data + size, bytes.get());
  const std::string_view text{bytes.get(), size};

  Document document;
  if (!parser.parse(text, document)) {
    if (parser.fault().kind == FaultKind::kNone || parser.fault().offset > size) __builtin_trap();
    if (describe(parser.fault().kind).empty()) __builtin_trap();
    if (parser.parse(text, document, {.duplicates = DuplicatePolicy::kRefuse})) __builtin_trap();
    return 0;
  }
  const std::string written = to_text(document.root());
  Document again;
  if (!parser.parse(written, again, {.duplicates = DuplicatePolicy::kRefuse})) __builtin_trap();
  if (to_text(again.root()) != written) __builtin_trap();
  // Decimals are written as their nearest double, so equality is asked of what was written.
  Document copy;
  if (!parser.parse(written, copy, {.text = TextPolicy::kCopy})) __builtin_trap();
  const tercel::KeyedHash hash{3, 4};
  if (!equal(again.root(), copy.root())) __builtin_trap();
  if (hash_value(again.root(), hash) != hash_value(copy.root(), hash)) __builtin_trap();
  return 0;
}
