// Peers that are trusted with something, as people write them.
//
//   PeerSet trusted;
//   trusted.add("10.0.0.0/8, ::1, unix");
//   if (trusted.contains(endpoints.peer)) ...
//
// A value, filled at start. An IPv4 address in IPv6 form is the IPv4 address that it is, in the set
// and when asked for. Tested by peer_set_test.cc.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>
#include <vector>

#include "tercel/base/address.h"

namespace tercel {

class PeerSet {
 public:
  // Adds what `text` lists, separated by commas: IP addresses, blocks such as 10.0.0.0/8 or
  // fd00::/8 (no bits behind the prefix), `unix` for every peer on a Unix socket, `*` for every
  // peer. Empty elements say nothing. False, with nothing added, if one of them is none of these.
  [[nodiscard]] bool add(std::string_view text);

  // Cost: linear in what was added.
  [[nodiscard]] bool contains(const Address& peer) const noexcept;

 private:
  using Bits = std::array<std::uint64_t, 2>;  // Of Address::ip, in memory order.
  struct Block {
    Bits network;
    Bits mask;
    AddressKind kind;
  };
  [[nodiscard]] bool add_element(std::string_view text);
  [[nodiscard]] bool add_block(std::string_view text);

  std::vector<Block> blocks_;
  bool unix_ = false;
  bool everybody_ = false;
};

}  // namespace tercel
