// Invariants: however a document arrives, what comes out is the same; no more comes out than the
// document and the values that stand in it; a document without markup comes out as it was; what
// came out, rewritten again, comes out as it is.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "s3/rewrite_input.h"

namespace {

using namespace tercel::s3;

std::size_t count(std::string_view text, char c) {
  std::size_t found = 0;
  for (const char each : text) found += each == c ? 1 : 0;
  return found;
}

}  // namespace

// The first byte says in which steps the rest arrives, the second which values there are.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) return 0;
  RewriteValues values{.bucket = "b<", .location = "l", .resource = "r", .endpoint = "e"};
  if (data[1] % 2 == 1) values.key_prefix = "p/";
  values.keys_are_url_encoded = data[1] % 4 >= 2;
  values.known_only = data[1] % 8 >= 4;
  if (data[1] % 16 >= 8) values.hidden_bucket = "prod";
  const std::string_view document{reinterpret_cast<const char*>(data) + 2, size - 2};

  const std::string whole = rewrite_in_steps(values, document, document.size() + 1);
  if (rewrite_in_steps(values, document, 1 + data[0]) != whole) __builtin_trap();
  if (rewrite_split_at(values, document, document.size() * data[0] / 256) != whole) {
    __builtin_trap();
  }
  if (whole == "failed") return 0;
  // "incomplete" is no part of it.
  const std::size_t most = values.hidden_bucket.empty() && values.key_prefix.empty() ? 5 : 70;
  if (whole.size() > document.size() + most * count(document, '<') + 10) __builtin_trap();
  if (count(document, '<') == 0 && whole != document) __builtin_trap();
  // Keys lose a prefix each time.
  if (values.key_prefix.empty() && !whole.ends_with("incomplete") &&
      rewrite_in_steps(values, whole, whole.size() + 1) != whole) {
    __builtin_trap();
  }
  return 0;
}
