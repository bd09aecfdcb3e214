#include "tercel/http/url.h"

#include <algorithm>

#include "tercel/base/parse_number.h"
#include "tercel/base/percent.h"
#include "tercel/http/chars.h"
#include "tercel/http/scan.h"

namespace tercel::http {
namespace {

constexpr std::uint64_t kPortMax = 65535;

bool valid_reg_name(std::string_view text) noexcept {
  const bool in_set =
      std::all_of(text.begin(), text.end(), [](char c) { return c == '%' || kRegName.has(c); });
  return !text.empty() && in_set && valid_percent_encoding(text);
}

// Four decimal numbers up to 255, without leading zeros: RFC 3986 section 3.2.2.
bool valid_ipv4(std::string_view text) noexcept {
  for (int part = 0; part < 4; ++part) {
    const std::size_t dot = part < 3 ? text.find('.') : text.size();
    if (dot == std::string_view::npos) return false;
    const std::string_view number = text.substr(0, dot);
    if (number.size() > 1 && number.front() == '0') return false;
    if (!parse_decimal(number, 255)) return false;
    text.remove_prefix(std::min(dot + 1, text.size()));
  }
  return true;
}

bool valid_hex_group(std::string_view text) noexcept {
  return !text.empty() && text.size() <= 4 &&
         std::all_of(text.begin(), text.end(), [](char c) { return hex_value(c) >= 0; });
}

// How many of the eight 16-bit groups the ':'-separated `text` makes, the last of which may be an
// IPv4 address if `ipv4_may_end_it`; -1 when it is malformed.
int count_ipv6_groups(std::string_view text, bool ipv4_may_end_it) noexcept {
  int groups = 0;
  while (!text.empty()) {
    const std::size_t colon = text.find(':');
    const std::string_view group = text.substr(0, colon);
    const bool last = colon == std::string_view::npos;
    if (last && ipv4_may_end_it && valid_ipv4(group)) return groups + 2;
    if (!valid_hex_group(group)) return -1;
    ++groups;
    if (last) return groups;
    text.remove_prefix(colon + 1);
    if (text.empty()) return -1;  // Ends in a single colon.
  }
  return groups;
}

bool valid_ipv6(std::string_view text) noexcept {
  const std::size_t gap = text.find("::");
  if (gap == std::string_view::npos) return count_ipv6_groups(text, true) == 8;
  const int before = count_ipv6_groups(text.substr(0, gap), false);
  const int after = count_ipv6_groups(text.substr(gap + 2), true);
  return before >= 0 && after >= 0 && before + after <= 7;
}

// Nothing, or a colon and perhaps digits.
bool valid_port_part(std::string_view text) noexcept {
  if (text.size() <= 1) return text.empty() || text.front() == ':';
  return text.front() == ':' && parse_decimal(text.substr(1), kPortMax).has_value();
}

}  // namespace

bool valid_authority(std::string_view text) noexcept {
  if (text.starts_with('[')) {
    const std::size_t close = text.find(']');
    return close != std::string_view::npos && valid_ipv6(text.substr(1, close - 1)) &&
           valid_port_part(text.substr(close + 1));
  }
  // Nearly every host ends here, or at the colon of its port.
  const char* const end = text.data() + text.size();
  const char* const plain = scan::find<scan::HostEnd>(text.data(), end);
  const auto plain_bytes = static_cast<std::size_t>(plain - text.data());
  if (plain == end) return !text.empty();
  if (*plain == ':') return plain_bytes != 0 && valid_port_part(text.substr(plain_bytes));
  const std::size_t colon = std::min(text.find(':'), text.size());
  return valid_reg_name(text.substr(0, colon)) && valid_port_part(text.substr(colon));
}

}  // namespace tercel::http
