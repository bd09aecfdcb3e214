// Combinations of subschemas, and lists of values.
#include "tercel/json/equal.h"
#include "tercel/schema/enum_hash.h"
#include "tercel/schema/run.h"

namespace tercel::schema {

bool Run::try_branch(Index index, json::Value value, Marks marks) noexcept {
  const bool was_quiet = quiet_;
  quiet_ = true;
  bool valid = false;
  if (marks == nullptr) {
    valid = evaluate(index, value, nullptr);
  } else {
    BitStack& bits = validator_.bits_;
    BitStack::Set own{};
    if (bits.push(marks->bits, own)) {
      valid = charge(marks->bits / 64) && evaluate(index, value, &own);
      if (valid) bits.merge(*marks, own);
      bits.pop(own);
    } else {
      stop(Verdict::kNoMemory);
    }
  }
  quiet_ = was_quiet;
  return valid;
}

bool Run::run_any_of(const Instruction& instruction, json::Value value, Marks marks) noexcept {
  bool valid = false;
  for (Index i = instruction.first; i < instruction.second; ++i) {
    if (!try_branch(code_.lists[i], value, marks)) continue;
    valid = true;
    // Where marks are kept, each branch that is valid adds its own.
    if (marks == nullptr) return true;
  }
  return valid || refuse_branches(instruction, value);
}

bool Run::run_one_of(const Instruction& instruction, json::Value value, Marks marks) noexcept {
  unsigned valid = 0;
  for (Index i = instruction.first; i < instruction.second && valid < 2; ++i) {
    valid += try_branch(code_.lists[i], value, marks) ? 1 : 0;
  }
  if (valid == 1) return true;
  return valid == 0 ? refuse_branches(instruction, value) : refuse(instruction, value);
}

bool Run::run_switch(const Instruction& instruction, json::Value value, Marks marks) noexcept {
  const Switch& cases = code_.switches[instruction.first];
  // All branches are objects that have the property.
  const auto tag = value.is_object() ? value.find(cases.key) : std::nullopt;
  if (tag && tag->is_string()) {
    for (const Switch::Case& each : cases.cases) {
      if (each.tag == tag->string()) return evaluate(each.schema, value, marks);
    }
  }
  return refuse(instruction, value);
}

// No branch is valid. If the type of the value leaves one that is meant, its errors say more.
bool Run::refuse_branches(const Instruction& instruction, json::Value value) noexcept {
  if (!goes_on()) return false;
  Index meant = kNoIndex;
  for (Index i = instruction.first; i < instruction.second; ++i) {
    if (!admits(code_.subschemas[code_.lists[i]].types, value)) continue;
    if (meant != kNoIndex) return refuse(instruction, value);
    meant = code_.lists[i];
  }
  if (meant == kNoIndex) return refuse(instruction, value);
  return evaluate(meant, value, nullptr);
}

bool Run::run_if(const Instruction& instruction, json::Value value, Marks marks) noexcept {
  const Index* const parts = code_.lists.data() + instruction.first;
  const bool holds = try_branch(parts[0], value, marks);
  const Index next = parts[holds ? 1 : 2];
  return !stopped_ && (next == kNoIndex || evaluate(next, value, marks));
}

// The outermost resource on the way here that has the anchor.
Index Run::dynamic_target(const Instruction& instruction) const noexcept {
  Index target = instruction.second;
  for (const Scope* scope = scope_; scope != nullptr; scope = scope->outer) {
    for (const DynamicAnchor::Target& each : code_.anchors[instruction.first].targets) {
      if (each.resource == scope->resource) target = each.schema;
    }
  }
  return target;
}

bool Run::in_enum(const Instruction& instruction, json::Value value) const noexcept {
  if (instruction.op == Op::kEnum) {
    for (const json::Value each : json::Value{instruction.limit}.elements()) {
      if (json::equal(each, value)) return true;
    }
    return false;
  }
  const auto& slots = code_.enums[instruction.first].slots;
  auto slot = static_cast<std::size_t>(json::hash_value(value, kEnumHash)) & (slots.size() - 1);
  for (; slots[slot] != nullptr; slot = (slot + 1) & (slots.size() - 1)) {
    if (json::equal(json::Value{slots[slot]}, value)) return true;
  }
  return false;
}

}  // namespace tercel::schema
