#include "tercel/base/peer_set.h"

#include <string>

#include <gtest/gtest.h>

namespace tercel {
namespace {

PeerSet set_of(std::string_view text) {
  PeerSet set;
  EXPECT_TRUE(set.add(text)) << text;
  return set;
}

bool has(const PeerSet& set, std::string_view ip) {
  return set.contains(*parse_ip(ip, 4711));
}

constexpr Address kUnixPeer{.kind = AddressKind::kUnix};

TEST(PeerSetTest, IsEmptyAtFirst) {
  for (const PeerSet& set : {PeerSet{}, set_of(""), set_of(" , ,")}) {
    EXPECT_FALSE(has(set, "127.0.0.1"));
    EXPECT_FALSE(has(set, "::1"));
    EXPECT_FALSE(set.contains(kUnixPeer));
    EXPECT_FALSE(set.contains({}));
  }
}

TEST(PeerSetTest, HoldsWhatItsTextNames) {
  const PeerSet set = set_of("127.0.0.1,10.0.0.0/8 , fd00::/8\t,2001:db8::1");
  for (const char* inside : {"127.0.0.1", "10.0.0.0", "10.255.255.255", "fd12::1", "2001:db8::1"}) {
    EXPECT_TRUE(has(set, inside)) << inside;
  }
  for (const char* outside :
       {"127.0.0.2", "9.255.255.255", "11.0.0.0", "fe00::1", "2001:db8::2", "7f00:1::", "a00::"}) {
    EXPECT_FALSE(has(set, outside)) << outside;
  }
  EXPECT_FALSE(set.contains(kUnixPeer));
}

TEST(PeerSetTest, PeersOnUnixSocketsAndEverybodyHaveWords) {
  EXPECT_TRUE(set_of("unix").contains(kUnixPeer));
  EXPECT_FALSE(has(set_of("unix"), "127.0.0.1"));
  const PeerSet everybody = set_of("*");
  EXPECT_TRUE(everybody.contains(kUnixPeer) && everybody.contains({}));
  EXPECT_TRUE(has(everybody, "192.0.2.1") && has(everybody, "2001:db8::1"));
}

TEST(PeerSetTest, AnIpv4AddressInIpv6FormIsTheIpv4Address) {
  EXPECT_TRUE(has(set_of("192.0.2.0/24"), "::ffff:192.0.2.9"));
  EXPECT_TRUE(has(set_of("::ffff:192.0.2.9"), "192.0.2.9"));
  EXPECT_TRUE(has(set_of("::ffff:192.0.2.0/120"), "192.0.2.9"));
  EXPECT_FALSE(has(set_of("::ffff:192.0.2.0/120"), "192.0.3.9"));
  EXPECT_FALSE(has(set_of("::/0"), "192.0.2.9"));
  EXPECT_FALSE(has(set_of("0.0.0.0/0"), "2001:db8::1"));
}

TEST(PeerSetTest, AnythingElseIsRefusedAndAddsNothing) {
  for (const char* text : {"localhost",
                           "10.0.0.1/8",
                           "10.0.0.0/33",
                           "10.0.0.0/",
                           "10.0.0.0/-1",
                           "10.0.0.0/8/8",
                           "10.0.0.0/255.0.0.0",
                           "10.0.0",
                           "::/129",
                           "::1/127",
                           "::ffff:0.0.0.0/95",
                           "[::1]",
                           "::1%lo",
                           "127.0.0.1:80",
                           "127.0.0.01",
                           "unix:",
                           "UNIX",
                           "/run/app.sock",
                           "**",
                           "10.0.0.0 /8",
                           "127.0.0.1 ::1"}) {
    PeerSet set;
    EXPECT_FALSE(set.add(text)) << text;
    EXPECT_FALSE(set.add("192.0.2.1," + std::string{text})) << text;
    EXPECT_FALSE(has(set, "192.0.2.1")) << text;
  }
}

// Every length of a prefix: all ones up to it is inside, and each bit within it matters.
void walk_prefixes(AddressKind kind, std::size_t bits_max) {
  const auto filled = [kind](std::size_t bits) {
    Address address{.kind = kind};
    for (std::size_t i = 0; i < bits; ++i) {
      address.ip[i / 8] = static_cast<std::uint8_t>(address.ip[i / 8] | 0x80U >> i % 8);
    }
    return address;
  };
  for (std::size_t bits = 0; bits <= bits_max; ++bits) {
    std::array<char, Address::kHostBytesMax> text;
    const PeerSet set = set_of(std::string{filled(bits).host(text)} + '/' + std::to_string(bits));
    for (std::size_t flipped = 0; flipped < bits_max; ++flipped) {
      Address peer = filled(bits);
      peer.ip[flipped / 8] = static_cast<std::uint8_t>(peer.ip[flipped / 8] ^ 0x80U >> flipped % 8);
      EXPECT_EQ(set.contains(peer), flipped >= bits) << bits << ' ' << flipped;
    }
    EXPECT_TRUE(set.contains(filled(bits)) && set.contains(filled(bits_max)));
  }
}

TEST(PeerSetTest, EveryPrefixOfIpv4) {
  walk_prefixes(AddressKind::kIpv4, 32);
}

TEST(PeerSetTest, EveryPrefixOfIpv6) {
  walk_prefixes(AddressKind::kIpv6, 128);
}

}  // namespace
}  // namespace tercel
