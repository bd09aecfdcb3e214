// Arrays.
#include <algorithm>
#include <bit>

#include "tercel/json/equal.h"
#include "tercel/schema/run.h"

namespace tercel::schema {
namespace {

// Arrays up to this size compare every two elements.
constexpr std::size_t kPairsMax = 8;

}  // namespace

bool Run::run_array(const Instruction& instruction, json::Value value, Marks marks) noexcept {
  switch (instruction.op) {
    case Op::kMinItems:
      return value.size() >= instruction.first || refuse(instruction, value);
    case Op::kMaxItems:
      return value.size() <= instruction.first || refuse(instruction, value);
    case Op::kUniqueItems:
      return run_unique(instruction, value);
    case Op::kPrefixItems:
      return run_prefix(instruction, value, marks);
    case Op::kContains:
      return run_contains(instruction, value, marks);
    default:
      return !value.is_array() || run_unevaluated_items(instruction, value, marks);
  }
}

bool Run::run_prefix(const Instruction& instruction, json::Value value, Marks marks) noexcept {
  bool valid = true;
  Index at = instruction.first;
  for (const json::Value element : value.elements()) {
    if (at == instruction.second) break;
    if (marks != nullptr) validator_.bits_.set(*marks, at - instruction.first);
    if (!evaluate(code_.lists[at++], element, nullptr)) {
      if (!goes_on()) return false;
      valid = false;
    }
  }
  return valid;
}

bool Run::run_items(const Instruction& instruction, json::Value value, Marks marks) noexcept {
  if (value.size() <= instruction.second) return true;
  if (marks != nullptr) validator_.bits_.set_all(*marks);
  // Where nothing may follow, one error says so.
  if (code_.subschemas[instruction.first].never) return refuse(instruction, value);
  bool valid = true;
  Index skipped = 0;
  for (const json::Value element : value.elements()) {
    if (skipped < instruction.second) {
      ++skipped;
      continue;
    }
    if (!evaluate(instruction.first, element, nullptr)) {
      if (!goes_on()) return false;
      valid = false;
    }
  }
  return valid;
}

bool Run::run_contains(const Instruction& instruction, json::Value value, Marks marks) noexcept {
  const Index* const parts = code_.lists.data() + instruction.first;
  const Index minimum = parts[1];
  const Index maximum = parts[2];
  const bool evaluates = marks != nullptr && parts[3] != 0;
  std::size_t found = 0;
  std::size_t index = 0;
  for (const json::Value element : value.elements()) {
    if (try_branch(parts[0], element, nullptr)) {
      ++found;
      if (evaluates) validator_.bits_.set(*marks, index);
    }
    ++index;
    if (stopped_) return false;
    if (!evaluates && found >= minimum && maximum == kNoIndex) return true;
    if (found > maximum) break;
  }
  return (found >= minimum && found <= maximum) || refuse(instruction, value);
}

bool Run::unique_by_pairs(json::Value array) noexcept {
  std::array<const json::Node*, kPairsMax> seen{};
  std::size_t count = 0;
  for (const json::Value element : array.elements()) {
    for (std::size_t i = 0; i < count; ++i) {
      if (json::equal(json::Value{seen[i]}, element)) return false;
    }
    seen[count++] = element.node();
  }
  return true;
}

bool Run::unique_by_table(json::Value array) noexcept {
  const std::size_t size = std::bit_ceil(array.size() * 2);
  if (!validator_.slots_.reserve(size)) return stop(Verdict::kNoMemory);
  Validator::Slot* const slots = validator_.slots_.data();
  std::fill_n(slots, size, Validator::Slot{.hash = 0, .node = nullptr});
  for (const json::Value element : array.elements()) {
    const std::uint64_t hash = json::hash_value(element, validator_.hash_);
    auto at = static_cast<std::size_t>(hash) & (size - 1);
    for (; slots[at].node != nullptr; at = (at + 1) & (size - 1)) {
      if (slots[at].hash == hash && json::equal(json::Value{slots[at].node}, element)) return false;
    }
    slots[at] = {.hash = hash, .node = element.node()};
  }
  return true;
}

bool Run::run_unique(const Instruction& instruction, json::Value value) noexcept {
  // What is in the elements is looked at as well.
  const auto nodes = static_cast<std::uint64_t>(value.next().node() - value.node());
  if (!charge(nodes)) return false;
  const bool unique = value.size() <= kPairsMax ? unique_by_pairs(value) : unique_by_table(value);
  return unique || refuse(instruction, value);
}

bool Run::run_unevaluated_items(const Instruction& instruction, json::Value value,
                                Marks marks) noexcept {
  bool valid = true;
  std::size_t index = 0;
  const bool never = code_.subschemas[instruction.first].never;
  for (const json::Value element : value.elements()) {
    if (validator_.bits_.test(*marks, index++)) continue;
    if (never ? refuse(instruction, element) : evaluate(instruction.first, element, nullptr)) {
      continue;
    }
    if (!goes_on()) return false;
    valid = false;
  }
  validator_.bits_.set_all(*marks);
  return valid;
}

}  // namespace tercel::schema
