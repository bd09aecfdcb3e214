// Reads the numbers of a JSON text: integers exactly, the others to the nearest double.
//
// Internal to tercel/json. Source: RFC 8259 section 6. Tested by number_scan_test.cc.
#pragma once

#include <cstdint>
#include <string_view>

#include "tercel/json/fault.h"
#include "tercel/json/node.h"

namespace tercel::json {

// Larger exponents, and smaller ones than its negative, are refused: decimal.h computes with them.
inline constexpr std::int64_t kExponentMax = 999'999'999;

// Nodes that a number takes at most.
inline constexpr int kNumberNodesMax = 2;

struct ScannedNumber {
  const char* at = nullptr;  // Behind the number, or the byte that is wrong.
  FaultKind fault = FaultKind::kNone;
};

// Writes one or two nodes (Node::step says how many) for the number that begins at `at`, which is
// a digit or a minus sign. What may follow a number is the caller's to check.
[[nodiscard]] ScannedNumber scan_number(const char* at, const char* end, Node* node) noexcept;

// Of a number in JSON's grammar. Infinite beyond the doubles, zero below them, with its sign.
[[nodiscard]] double nearest_double(std::string_view number) noexcept;

}  // namespace tercel::json
