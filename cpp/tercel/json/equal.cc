#include "tercel/json/equal.h"

#include <algorithm>
#include <compare>
#include <cstddef>

#include "tercel/json/decimal.h"
#include "tercel/json/storage.h"

namespace tercel::json {
namespace {

// Objects of more members, in another order, are compared in the order of their keys.
constexpr std::size_t kFindMax = 16;

bool equal_elements(Value a, Value b) noexcept {
  if (a.size() != b.size()) return false;
  auto other = b.elements().begin();
  for (const Value element : a.elements()) {
    if (!equal(element, *other)) return false;
    ++other;
  }
  return true;
}

bool same_order(Value a, Value b) noexcept {
  auto other = b.members().begin();
  for (const Member member : a.members()) {
    if (member.key_hash() != (*other).key_hash() || member.key() != (*other).key()) return false;
    ++other;
  }
  return true;
}

bool equal_by_find(Value a, Value b) noexcept {
  for (const Member member : a.members()) {
    const std::optional<Value> other = b.find(member.key());
    if (!other || !equal(member.value(), *other)) return false;
  }
  return true;
}

bool sort_keys(Value object, Storage<Member>& sorted) noexcept {
  if (!sorted.reserve(object.size())) return false;
  Member* at = sorted.data();
  for (const Member member : object.members()) *at++ = member;
  std::sort(sorted.data(), sorted.data() + object.size(),
            [](Member x, Member y) { return x.key() < y.key(); });
  return true;
}

bool equal_by_order(Value a, Value b) noexcept {
  Storage<Member> a_sorted;
  Storage<Member> b_sorted;
  // Without memory it takes longer.
  if (!sort_keys(a, a_sorted) || !sort_keys(b, b_sorted)) return equal_by_find(a, b);
  return std::equal(
      a_sorted.data(), a_sorted.data() + a.size(), b_sorted.data(),
      [](Member x, Member y) { return x.key() == y.key() && equal(x.value(), y.value()); });
}

bool equal_members(Value a, Value b) noexcept {
  if (a.size() != b.size()) return false;
  if (same_order(a, b)) {
    auto other = b.members().begin();
    for (const Member member : a.members()) {
      if (!equal(member.value(), (*other).value())) return false;
      ++other;
    }
    return true;
  }
  return a.size() > kFindMax ? equal_by_order(a, b) : equal_by_find(a, b);
}

}  // namespace

bool equal(Value a, Value b) noexcept {
  if (a.node() == b.node()) return true;
  if (a.is_number()) return b.is_number() && std::is_eq(compare_numbers(a, b));
  if (a.kind() != b.kind()) return false;
  switch (a.kind()) {
    case Kind::kString:
      return a.string() == b.string();
    case Kind::kArray:
      return equal_elements(a, b);
    case Kind::kObject:
      return equal_members(a, b);
    default:
      return true;
  }
}

std::uint64_t hash_value(Value value, const KeyedHash& hash) noexcept {
  if (value.is_number()) return hash_number(value, hash);
  // Inverted, so that a kind is not the integer of its number.
  const std::uint64_t seed = ~hash(static_cast<std::uint64_t>(value.kind()));
  switch (value.kind()) {
    case Kind::kString:
      return hash(value.string());
    case Kind::kArray: {
      std::uint64_t result = hash(seed ^ value.size());
      for (const Value element : value.elements()) {
        result = hash(result ^ hash_value(element, hash));
      }
      return result;
    }
    case Kind::kObject: {
      // A sum, as the order of members does not count.
      std::uint64_t result = hash(seed ^ value.size());
      for (const Member member : value.members()) {
        result += hash(hash(member.key()) + hash_value(member.value(), hash) * 3);
      }
      return result;
    }
    default:
      return seed;
  }
}

}  // namespace tercel::json
