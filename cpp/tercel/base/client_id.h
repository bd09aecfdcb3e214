// Whom a limit for each client counts: an IPv4 address, or a /64 of IPv6.
//
// One customer of an access network gets a /64 at least, and may use any address in it: counting
// single ones would count nobody. An IPv4 address in IPv6 form is that IPv4 address. A value.
// Source: RFC 6177, RFC 7934. Tested by client_id_test.cc.
#pragma once

#include <cstdint>
#include <optional>

#include "tercel/base/address.h"

namespace tercel {

enum class ClientId : std::uint64_t {};

// Nothing for an end that has no address: a Unix socket, or an unknown one.
[[nodiscard]] std::optional<ClientId> client_id(const Address& address) noexcept;

}  // namespace tercel
