// Invariants: bytes that are taken are a document that JSON can write, and Parser reads as an equal
// one; taken with duplicate keys refused, they are taken without; a fault lies within the bytes.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "json/to_text.h"
#include "tercel/json/equal.h"
#include "tercel/json/msgpack_reader.h"
#include "tercel/json/parser.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace tercel::json;
  static MsgpackReader reader{tercel::KeyedHash{1, 2}};
  static Parser parser{tercel::KeyedHash{1, 2}};
  // Memory of exactly this size, so that AddressSanitizer sees the first byte beyond.
  const auto bytes = std::make_unique<char[]>(size);
  std::copy(data, data + size, bytes.get());
  const std::string_view text{bytes.get(), size};

  Document document;
  if (!reader.read(text, document)) {
    if (reader.fault().kind == FaultKind::kNone || reader.fault().offset > size) __builtin_trap();
    if (describe(reader.fault().kind).empty()) __builtin_trap();
    if (reader.read(text, document, {.duplicates = DuplicatePolicy::kRefuse})) __builtin_trap();
    return 0;
  }
  const std::string written = to_text(document.root());
  Document again;
  if (!parser.parse(written, again, {.duplicates = DuplicatePolicy::kRefuse})) __builtin_trap();
  if (!equal(document.root(), again.root())) __builtin_trap();
  const tercel::KeyedHash hash{3, 4};
  if (hash_value(document.root(), hash) != hash_value(again.root(), hash)) __builtin_trap();
  return 0;
}
