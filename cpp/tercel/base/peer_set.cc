#include "tercel/base/peer_set.h"

#include <algorithm>
#include <cstddef>
#include <cstring>

#include "tercel/base/parse_number.h"

namespace tercel {
namespace {

constexpr std::size_t kMappedBits = 96;  // Of ::ffff:0:0/96.

std::size_t bits_of(AddressKind kind) noexcept {
  return kind == AddressKind::kIpv4 ? 32 : 128;
}

std::array<std::uint64_t, 2> words(const std::array<std::uint8_t, 16>& ip) noexcept {
  std::array<std::uint64_t, 2> out;
  static_assert(sizeof out == sizeof ip);
  std::memcpy(out.data(), ip.data(), sizeof out);
  return out;
}

// The first `bits` bits.
std::array<std::uint8_t, 16> prefix_mask(std::size_t bits) noexcept {
  std::array<std::uint8_t, 16> mask{};
  for (std::size_t i = 0; i < bits; ++i) {
    mask[i / 8] = static_cast<std::uint8_t>(mask[i / 8] | 0x80U >> i % 8);
  }
  return mask;
}

std::string_view trimmed(std::string_view text) noexcept {
  const std::size_t start = text.find_first_not_of(" \t");
  if (start == std::string_view::npos) return {};
  return text.substr(start, text.find_last_not_of(" \t") - start + 1);
}

}  // namespace

bool PeerSet::add(std::string_view text) {
  PeerSet more = *this;
  while (!text.empty()) {
    const std::size_t comma = std::min(text.find(','), text.size());
    if (!more.add_element(trimmed(text.substr(0, comma)))) return false;
    text.remove_prefix(std::min(comma + 1, text.size()));
  }
  *this = std::move(more);
  return true;
}

bool PeerSet::add_element(std::string_view text) {
  if (text.empty()) return true;
  if (text == "*") return everybody_ = true;
  if (text == "unix") return unix_ = true;
  return add_block(text);
}

bool PeerSet::add_block(std::string_view text) {
  const std::size_t slash = text.find('/');
  const auto written = parse_ip(text.substr(0, slash), 0);
  if (!written) return false;
  const Address network = without_mapping(*written);
  std::size_t bits = bits_of(network.kind);
  if (slash != std::string_view::npos) {
    const auto prefix = parse_decimal(text.substr(slash + 1), bits_of(written->kind));
    if (!prefix) return false;
    bits = *prefix;
    if (network.kind != written->kind) {
      if (bits < kMappedBits) return false;  // It has bits behind the prefix: ffff.
      bits -= kMappedBits;
    }
  }
  const Block block{words(network.ip), words(prefix_mask(bits)), network.kind};
  for (std::size_t i = 0; i < block.mask.size(); ++i) {
    if ((block.network[i] & ~block.mask[i]) != 0) return false;
  }
  blocks_.push_back(block);
  return true;
}

bool PeerSet::contains(const Address& peer) const noexcept {
  if (everybody_) return true;
  if (peer.kind == AddressKind::kUnix) return unix_;
  if (peer.kind == AddressKind::kNone) return false;
  const Address plain = without_mapping(peer);
  const Bits ip = words(plain.ip);
  return std::any_of(blocks_.begin(), blocks_.end(), [&](const Block& block) {
    return block.kind == plain.kind && (ip[0] & block.mask[0]) == block.network[0] &&
           (ip[1] & block.mask[1]) == block.network[1];
  });
}

}  // namespace tercel
