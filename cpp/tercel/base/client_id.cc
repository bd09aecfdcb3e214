#include "tercel/base/client_id.h"

#include <algorithm>
#include <array>
#include <span>

namespace tercel {
namespace {

// Of IPv4 addresses, where IPv6 ones have the upper half of their prefix. It is in ::/8, which the
// IETF reserves: no client comes from there.
constexpr std::uint64_t kIpv4Prefix = std::uint64_t{1} << 32;

constexpr std::array<std::uint8_t, 12> kIpv4Mapped{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

std::uint64_t big_endian(std::span<const std::uint8_t> bytes) noexcept {
  std::uint64_t value = 0;
  for (const std::uint8_t byte : bytes) value = value << 8 | byte;
  return value;
}

ClientId ipv4_client(std::span<const std::uint8_t> bytes) noexcept {
  return ClientId{kIpv4Prefix | big_endian(bytes)};
}

}  // namespace

std::optional<ClientId> client_id(const Address& address) noexcept {
  const std::span all{address.ip};
  switch (address.kind) {
    case AddressKind::kIpv4:
      return ipv4_client(all.first<4>());
    case AddressKind::kIpv6:
      if (std::ranges::equal(all.first<12>(), kIpv4Mapped)) return ipv4_client(all.last<4>());
      return ClientId{big_endian(all.first<8>())};
    case AddressKind::kNone:
    case AddressKind::kUnix:
      break;
  }
  return std::nullopt;
}

}  // namespace tercel
