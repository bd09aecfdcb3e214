// Invariants: a list is always below the prefix, and has it once; what is below it does not climb
// out, as it is and decoded once more; what else was asked is asked.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "tercel/base/percent.h"
#include "tercel/s3/key_prefix.h"
#include "tercel/s3/query.h"

namespace {

using namespace tercel::s3;

constexpr std::string_view kPrefix = "p q/";
constexpr std::string_view kEncoded = "p%20q%2F";

bool climbs(std::string_view text) {
  const std::string slashed = "/" + std::string{text} + "/";
  return slashed.find("/../") != slashed.npos || slashed.find('\0') != slashed.npos;
}

// A plain key is what is left when it is taken for the path of a file.
void check_plain(std::string_view text) {
  if (!is_plain_key(text)) return;
  if (climbs_out(text)) __builtin_trap();
  std::string resolved;
  for (std::string_view rest = text; !rest.empty();) {
    const std::size_t end = rest.find_first_of("/\\");
    const std::string_view segment = rest.substr(0, end);
    if (segment.empty() || segment == ".") __builtin_trap();
    resolved.append(segment);
    if (end == std::string_view::npos) break;
    resolved.push_back(rest[end]);
    rest.remove_prefix(end + 1);
  }
  if (resolved != text) __builtin_trap();
}

void check_below(std::string_view value) {
  if (!value.starts_with(kEncoded)) __builtin_trap();
  std::string decoded{value};
  for (int i = 0; i < 3; ++i) {
    decoded = tercel::percent_decode(decoded, decoded);
    if (climbs(decoded)) __builtin_trap();
  }
}

}  // namespace

// The first byte says which list it is.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 1) return 0;
  constexpr Operation kLists[] = {Operation::kListObjects, Operation::kListObjectsV2,
                                  Operation::kListObjectVersions, Operation::kListMultipartUploads};
  const Operation operation = kLists[data[0] % 4];
  const std::string_view text{reinterpret_cast<const char*>(data) + 1, size - 1};
  check_plain(text);
  Query query;
  if (query.parse(text)) return 0;
  std::string canonical;
  query.write_canonical(Query::Without::kNothing, canonical);
  // What has a name twice is no operation.
  for (std::size_t i = 1; i < query.parts().size(); ++i) {
    if (query.parts()[i].is(query.parts()[i - 1].name)) return 0;
  }
  std::string below;
  if (append_query_below(kPrefix, operation, canonical, below)) return 0;
  Query there;
  if (there.parse(below)) return 0;  // Two more may be too many.
  std::size_t prefixes = 0;
  for (const QueryPart& part : there.parts()) {
    const bool is_prefix = part.name == "prefix";
    prefixes += is_prefix ? 1 : 0;
    const bool is_marker = (operation == Operation::kListObjects && part.name == "marker") ||
                           (operation == Operation::kListObjectsV2 && part.name == "start-after") ||
                           ((operation == Operation::kListObjectVersions ||
                             operation == Operation::kListMultipartUploads) &&
                            part.name == "key-marker");
    if (is_prefix || is_marker) check_below(part.value);
  }
  if (prefixes != 1) __builtin_trap();
  for (const QueryPart& part : query.parts()) {
    if (there.find(part.name) == nullptr && !part.name.empty() && part.encoded &&
        part.name.find('%') == part.name.npos && part.name.find("marker") == part.name.npos &&
        part.name != "start-after") {
      __builtin_trap();
    }
  }
  return 0;
}
