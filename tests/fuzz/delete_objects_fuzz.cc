// Invariants: however a document arrives, the result is the same; every key that is written begins
// with the prefix and does not climb out of it; what is written is understood again, with as many
// objects.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "tercel/s3/delete_objects.h"

namespace {

using namespace tercel::s3;

constexpr std::string_view kPrefix = "p&q/";
constexpr std::string_view kWritten = "<Key>p&amp;q/";

// Empty: it was refused.
std::string map(std::string_view document, std::size_t step) {
  DeletedKeys keys{kPrefix};
  for (std::size_t at = 0; at < document.size(); at += step) {
    const std::string piece{document.substr(at, step)};
    if (keys.take(piece)) return {};
  }
  return keys.finish() ? std::string{} : keys.document();
}

std::size_t count(std::string_view text, std::string_view part) {
  std::size_t found = 0;
  for (std::size_t at = text.find(part); at != text.npos; at = text.find(part, at + 1)) ++found;
  return found;
}

}  // namespace

// The first byte says in which steps the rest arrives.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 1) return 0;
  const std::string_view document{reinterpret_cast<const char*>(data) + 1, size - 1};
  const std::string whole = map(document, document.size() + 1);
  if (map(document, 1 + data[0]) != whole) __builtin_trap();
  if (whole.empty()) return 0;
  const std::size_t objects = count(whole, "<Object>");
  if (objects == 0 || count(whole, "<Key>") != objects || count(whole, kWritten) != objects) {
    __builtin_trap();
  }
  if (whole.find("/../") != whole.npos || whole.find("/..<") != whole.npos) __builtin_trap();
  if (whole.find("<!") != whole.npos || count(whole, "<?") != 1) __builtin_trap();
  // Again it has the prefix twice, and may be too long for it.
  const std::string again = map(whole, whole.size());
  if (!again.empty() && count(again, "<Key>p&amp;q/p&amp;q/") != objects) __builtin_trap();
  return 0;
}
