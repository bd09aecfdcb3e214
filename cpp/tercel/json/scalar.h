// Values that no JSON text was parsed into: the parameters of a request, which are then validated
// and converted like those of a body.
//
//   std::array<json::Node, 2> nodes;
//   if (!json::make_number(nodes.data(), "19.99")) ...
//   const json::Value price{nodes.data()};
//
// Each function fills the first nodes of what it is given, and the texts stay where they are: both
// outlive the value. Tested by api/convert_test.cc.
#pragma once

#include <cstdint>
#include <string_view>

#include "tercel/json/node.h"
#include "tercel/json/number_scan.h"

namespace tercel::json {

// Nodes that a scalar takes at most.
inline constexpr std::size_t kScalarNodesMax = kNumberNodesMax;

// REQUIRES: `text` is UTF-8 and shorter than 4 GiB.
inline void make_string(Node* node, std::string_view text) noexcept {
  *node = Node{.text = text.data(),
               .size = static_cast<std::uint32_t>(text.size()),
               .kind = Kind::kString,
               .step = 1,
               .key_hash = 0};
}

inline void make_boolean(Node* node, bool value) noexcept {
  *node = Node{.integer = 0,
               .size = 0,
               .kind = value ? Kind::kTrue : Kind::kFalse,
               .step = 1,
               .key_hash = 0};
}

inline void make_integer(Node* node, std::int64_t value) noexcept {
  *node = Node{.integer = value, .size = 0, .kind = Kind::kInteger, .step = 1, .key_hash = 0};
}

// All of `text` in JSON's grammar. False: it is not, and the nodes are undefined.
[[nodiscard]] inline bool make_number(Node* nodes, std::string_view text) noexcept {
  if (text.empty() || (text[0] != '-' && (text[0] < '0' || text[0] > '9'))) return false;
  const char* const end = text.data() + text.size();
  const ScannedNumber scanned = scan_number(text.data(), end, nodes);
  return scanned.fault == FaultKind::kNone && scanned.at == end;
}

// An array of `count` elements, whose `nodes` nodes follow `head`. REQUIRES: below 4 Gi of them.
inline void make_array(Node* head, std::size_t count, std::size_t nodes) noexcept {
  *head = Node{.count = count,
               .size = static_cast<std::uint32_t>(nodes + 1),
               .kind = Kind::kArray,
               .step = 0,
               .key_hash = 0};
}

}  // namespace tercel::json
