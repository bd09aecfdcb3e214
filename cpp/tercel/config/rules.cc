#include "tercel/config/rules.h"

#include <algorithm>
#include <array>
#include <string>
#include <string_view>

#include "tercel/base/parse_number.h"
#include "tercel/base/peer_set.h"
#include "tercel/config/bind.h"
#include "tercel/config/mount.h"

namespace tercel::config {
bool is_bind(std::string_view text) {
  return parse_bind(text).has_value();
}

bool is_descriptor(std::string_view text) {
  constexpr std::uint64_t kIntMax = 0x7FFF'FFFF;
  return parse_decimal(text, kIntMax).has_value();
}

bool is_something(std::string_view text) {
  return !text.empty();
}

bool is_root_path(std::string_view text) {
  if (text.empty()) return true;
  const auto ordinary = [](unsigned char c) {
    return c > ' ' && c != '?' && c != '#' && c != 0x7F;
  };
  return text.front() == '/' && text.back() != '/' &&
         std::all_of(text.begin(), text.end(), ordinary);
}

bool is_peers(std::string_view text) {
  return PeerSet{}.add(text);
}

bool is_header(std::string_view text) {
  constexpr std::string_view kToken =
      "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
  constexpr std::array<std::string_view, 6> kOwn{
      "connection", "content-length", "keep-alive", "transfer-encoding", "trailer", "upgrade"};
  const std::size_t colon = text.find(':');
  if (colon == 0 || colon == std::string_view::npos) return false;
  std::string name{text.substr(0, colon)};
  if (name.find_first_not_of(kToken) != std::string::npos) return false;
  for (char& c : name) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  if (std::find(kOwn.begin(), kOwn.end(), name) != kOwn.end()) return false;
  const auto ordinary = [](char c) { return (c >= ' ' && c <= '~') || c == '\t'; };
  const std::string_view value = text.substr(colon + 1);
  return std::all_of(value.begin(), value.end(), ordinary);
}

bool is_mount(std::string_view text) {
  return parse_mount(text).has_value();
}

}  // namespace tercel::config
