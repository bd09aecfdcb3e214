// Equality of JSON values, and a hash that agrees with it.
//
// Numbers are equal when they are as numbers: 1, 1.0 and 10e-1 are one value, and 0.1 is not
// 0.10000000000000001. Objects are equal whatever the order of their members. Recursion is as deep
// as the values, which Parser limits. Source: JSON Schema 2020-12 core, section 4.2.2.
// Tested by equal_test.cc.
#pragma once

#include <cstdint>

#include "tercel/base/keyed_hash.h"
#include "tercel/json/value.h"

namespace tercel::json {

// Cost: O(n log n) in the nodes of either, whoever wrote them.
[[nodiscard]] bool equal(Value a, Value b) noexcept;

// The same for equal values. Without the key nobody can make values that differ fall together.
[[nodiscard]] std::uint64_t hash_value(Value value, const KeyedHash& hash) noexcept;

}  // namespace tercel::json
