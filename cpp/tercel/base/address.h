// An end of a connection as the engine keeps it: small, comparable, printable. No socket header.
// Tested by address_test.cc.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "tercel/base/result.h"

namespace tercel {

enum class AddressKind : std::uint8_t { kNone, kIpv4, kIpv6, kUnix };

// A value. IPv4 is in the first four bytes of `ip`, network order. A peer on a Unix socket has no
// name: kUnix and zeros; the path of a listening socket is kept by the listener.
struct Address {
  std::array<std::uint8_t, 16> ip{};
  std::uint16_t port = 0;  // Host order.
  AddressKind kind = AddressKind::kNone;

  bool operator==(const Address&) const = default;

  static constexpr std::size_t kHostBytesMax = 46;
  // Writes the host without brackets and port ("127.0.0.1", "::1", RFC 5952), or nothing for kNone
  // and kUnix. The view is into `into`.
  [[nodiscard]] std::string_view host(std::array<char, kHostBytesMax>& into) const noexcept;
};
static_assert(sizeof(Address) == 20);

// An IPv4 or IPv6 literal: "127.0.0.1", "::1"; no brackets, no zone. Fails with kAddressInvalid.
[[nodiscard]] Result<Address> parse_ip(std::string_view host, std::uint16_t port) noexcept;

// An IPv4 address in IPv6 form (::ffff:0:0/96) becomes the IPv4 address that it is; any other
// address stays as it is.
[[nodiscard]] Address without_mapping(const Address& address) noexcept;

}  // namespace tercel
