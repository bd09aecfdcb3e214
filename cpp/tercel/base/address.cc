#include "tercel/base/address.h"

#include <arpa/inet.h>  // inet_pton(): text to bytes, no socket.

#include <algorithm>
#include <charconv>
#include <span>

namespace tercel {
namespace {

using Text = std::array<char, Address::kHostBytesMax>;

char* write_ipv4(std::span<const std::uint8_t, 4> bytes, char* at, char* end) noexcept {
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    if (i > 0) *at++ = '.';
    at = std::to_chars(at, end, bytes[i]).ptr;
  }
  return at;
}

using Groups = std::array<std::uint16_t, 8>;

Groups groups_of(const std::array<std::uint8_t, 16>& ip) noexcept {
  Groups groups;
  for (std::size_t i = 0; i < groups.size(); ++i) {
    groups[i] = static_cast<std::uint16_t>(ip[2 * i] << 8 | ip[2 * i + 1]);
  }
  return groups;
}

struct Run {
  std::size_t start = 0;
  std::size_t size = 0;
};

// The longest run of zero groups, the first of several: "::" stands for it, unless it is a single
// group (RFC 5952 sections 4.2.2 and 4.2.3).
Run longest_zero_run(std::span<const std::uint16_t> groups) noexcept {
  Run best;
  Run current;
  for (std::size_t i = 0; i < groups.size(); ++i) {
    current = groups[i] == 0 ? Run{i - current.size, current.size + 1} : Run{};
    if (current.size > best.size) best = current;
  }
  return best.size >= 2 ? best : Run{};
}

// ::ffff:0:0/96 is written with the IPv4 address in its usual form (RFC 5952 section 5).
bool is_ipv4_mapped(const Groups& groups) noexcept {
  return std::all_of(groups.begin(), groups.begin() + 5, [](auto group) { return group == 0; }) &&
         groups[5] == 0xffff;
}

char* write_ipv6(const std::array<std::uint8_t, 16>& ip, char* at, char* end) noexcept {
  const Groups all = groups_of(ip);
  const bool mapped = is_ipv4_mapped(all);
  const auto groups = std::span{all}.first(mapped ? 6 : 8);
  const Run zeros = longest_zero_run(groups);
  for (std::size_t i = 0; i < groups.size(); ++i) {
    if (zeros.size > 0 && i == zeros.start) {
      *at++ = ':';
      *at++ = ':';
      i += zeros.size - 1;
      continue;
    }
    if (i > 0 && at[-1] != ':') *at++ = ':';
    at = std::to_chars(at, end, groups[i], 16).ptr;
  }
  if (!mapped) return at;
  *at++ = ':';
  return write_ipv4(std::span{ip}.last<4>(), at, end);
}

constexpr std::array<std::uint8_t, 12> kIpv4MappedPrefix{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

}  // namespace

Result<Address> parse_ip(std::string_view host, std::uint16_t port) noexcept {
  Text text{};  // inet_pton() reads up to a zero byte.
  if (host.size() >= text.size() || host.find('\0') != std::string_view::npos) {
    return fail(Errc::kAddressInvalid);
  }
  std::copy(host.begin(), host.end(), text.begin());
  Address address{.port = port};
  if (::inet_pton(AF_INET, text.data(), address.ip.data()) == 1) {
    address.kind = AddressKind::kIpv4;
  } else if (::inet_pton(AF_INET6, text.data(), address.ip.data()) == 1) {
    address.kind = AddressKind::kIpv6;
  } else {
    return fail(Errc::kAddressInvalid);
  }
  return address;
}

Address without_mapping(const Address& address) noexcept {
  const bool mapped =
      address.kind == AddressKind::kIpv6 &&
      std::equal(kIpv4MappedPrefix.begin(), kIpv4MappedPrefix.end(), address.ip.begin());
  if (!mapped) return address;
  Address plain{.port = address.port, .kind = AddressKind::kIpv4};
  std::copy_n(address.ip.begin() + kIpv4MappedPrefix.size(), 4, plain.ip.begin());
  return plain;
}

std::string_view Address::host(Text& into) const noexcept {
  char* const begin = into.data();
  char* const end = begin + into.size();
  switch (kind) {
    case AddressKind::kIpv4:
      return {begin, write_ipv4(std::span{ip}.first<4>(), begin, end)};
    case AddressKind::kIpv6:
      return {begin, write_ipv6(ip, begin, end)};
    case AddressKind::kNone:
    case AddressKind::kUnix:
      break;
  }
  return {};
}

}  // namespace tercel
