#include "tercel/edge/hidden_values.h"

#include <algorithm>
#include <cstring>

#include "tercel/base/percent.h"

namespace tercel::edge {
namespace {

constexpr std::string_view kStars = "***";

constexpr char lower(char c) noexcept {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c;
}

bool is_name(std::string_view raw, std::string_view name) noexcept {
  while (!raw.empty() && !name.empty()) {
    if (lower(take_decoded(raw)) != lower(name.front())) return false;
    name.remove_prefix(1);
  }
  return raw.empty() && name.empty();
}

}  // namespace

std::size_t hide_values(std::span<char> text, std::span<const std::string_view> names) noexcept {
  const std::string_view all{text.data(), text.size()};
  std::size_t left = std::min(all.find('?'), all.size());
  std::size_t next = left;
  const auto keep = [&](std::size_t bytes) {
    std::memmove(text.data() + left, text.data() + next, bytes);
    left += bytes;
    next += bytes;
  };
  // A '?' or '&' comes next, and a parameter behind it.
  while (next < all.size() && all[next] != ' ') {
    const std::size_t end = std::min(all.find_first_of("& ", next + 1), all.size());
    const std::string_view pair = all.substr(next + 1, end - next - 1);
    const std::size_t equals = std::min(pair.find('='), pair.size());
    const auto is_hidden = [name = pair.substr(0, equals)](std::string_view hidden) {
      return is_name(name, hidden);
    };
    if (equals == pair.size() || std::ranges::none_of(names, is_hidden)) {
      keep(end - next);
      continue;
    }
    keep(1 + equals + 1);
    left += kStars.copy(text.data() + left, end - next);
    next = end;
  }
  keep(all.size() - next);
  return left;
}

}  // namespace tercel::edge
