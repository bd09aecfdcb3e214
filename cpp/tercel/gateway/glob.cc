#include "tercel/gateway/glob.h"

#include <algorithm>

namespace tercel::gateway {

bool is_glob(std::string_view pattern) noexcept {
  return pattern.find_first_of("*?") != std::string_view::npos;
}

std::size_t literal_bytes(std::string_view pattern) noexcept {
  return static_cast<std::size_t>(
      std::ranges::count_if(pattern, [](char c) { return c != '*' && c != '?'; }));
}

// A `*` first takes nothing; when the rest fails the last one takes a byte more. Those before it
// need not: whatever they could take, the last can take in their place.
bool matches(std::string_view pattern, std::string_view name) noexcept {
  constexpr std::size_t kNone = std::string_view::npos;
  if (pattern == "*") return true;
  std::size_t at = 0;
  std::size_t star = kNone;
  std::size_t taken = 0;
  for (std::size_t i = 0; i < name.size();) {
    if (at < pattern.size() && pattern[at] == '*') {
      star = at++;
      taken = i;
    } else if (at < pattern.size() && (pattern[at] == '?' || pattern[at] == name[i])) {
      ++at;
      ++i;
    } else if (star != kNone) {
      at = star + 1;
      i = ++taken;
    } else {
      return false;
    }
  }
  return pattern.find_first_not_of('*', at) == kNone;
}

}  // namespace tercel::gateway
