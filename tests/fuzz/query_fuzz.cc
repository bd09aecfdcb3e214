// Invariants: in place and apart agree; the parts of a pair are no longer than they were encoded;
// what is written again, encoded throughout, is read
// as the same pairs; strict takes a part of what lenient takes, with the same result.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tercel/base/utf8.h"
#include "tercel/http/query.h"

namespace {

using namespace tercel;
using namespace tercel::http;
using Pairs = std::vector<std::pair<std::string, std::string>>;

// False: it failed.
bool read(QueryPairs query, Pairs& pairs) {
  QueryPair pair;
  for (;;) {
    const Result<bool> more = query.next(pair);
    if (!more) return false;
    if (!*more) return true;
    if (pair.name_is_utf8 != is_utf8(pair.name)) __builtin_trap();
    if (pair.value_is_utf8 != is_utf8(pair.value)) __builtin_trap();
    pairs.emplace_back(pair.name, pair.value);
  }
}

std::string encode(std::string_view text) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string encoded;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    (encoded += '%').append(1, kDigits[byte >> 4]).append(1, kDigits[byte & 15]);
  }
  return encoded;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text{reinterpret_cast<const char*>(data), size};
  const QueryLimits limits{.pairs_max = size + 1, .bytes_max = size};
  std::string scratch(size, '\0');
  Pairs pairs;
  if (!read({text, scratch, Escapes::kLenient, limits}, pairs)) __builtin_trap();

  std::string in_place = text;
  Pairs again;
  if (!read({in_place, in_place, Escapes::kLenient, limits}, again)) __builtin_trap();
  if (again != pairs) __builtin_trap();

  Pairs strict;
  const bool whole = read({text, scratch, Escapes::kStrict, limits}, strict);
  pairs.resize(whole ? pairs.size() : strict.size());
  if (strict != pairs) __builtin_trap();

  std::string written;
  std::size_t bytes = 0;
  for (const auto& [name, value] : pairs) {
    written += encode(name) + '=' + encode(value) + '&';
    bytes += name.size() + value.size();
  }
  if (bytes > size) __builtin_trap();
  std::string room(written.size(), '\0');
  Pairs reread;
  const QueryLimits wide{.pairs_max = size + 1, .bytes_max = written.size()};
  if (!read({written, room, Escapes::kStrict, wide}, reread)) __builtin_trap();
  if (reread != pairs) __builtin_trap();
  return 0;
}
