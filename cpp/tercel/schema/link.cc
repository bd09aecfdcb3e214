// The last pass over code: shorter ways, and ways without an end.
#include <optional>
#include <unordered_set>
#include <utility>
#include <vector>

#include "tercel/schema/compiler.h"

namespace tercel::schema {
namespace {

// Calls `visit(Index&)` for each reference to a subschema that judges the same value, but for
// dynamic ones, which lead elsewhere at each time.
template <typename Visit>
void visit_in_place(Code& code, Instruction& instruction, const Visit& visit) {
  switch (instruction.op) {
    case Op::kApply:
    case Op::kNot:
      return visit(instruction.first);
    case Op::kRequiresSchema:
      return visit(instruction.second);
    case Op::kAnyOf:
    case Op::kOneOf:
    case Op::kIf:
      for (Index i = instruction.first; i < instruction.second; ++i) {
        if (code.lists[i] != kNoIndex) visit(code.lists[i]);
      }
      return;
    default:
      return;
  }
}

// The same for each reference to a subschema that judges what is in the value.
template <typename Visit>
void visit_inside(Code& code, Instruction& instruction, const Visit& visit) {
  switch (instruction.op) {
    case Op::kItems:
    case Op::kPropertyNames:
    case Op::kUnevaluatedItems:
    case Op::kUnevaluatedProperties:
      return visit(instruction.first);
    case Op::kContains:
      return visit(code.lists[instruction.first]);
    case Op::kPrefixItems:
      for (Index i = instruction.first; i < instruction.second; ++i) visit(code.lists[i]);
      return;
    case Op::kMembers: {
      Members& members = code.members[instruction.first];
      for (Index i = members.properties; i < members.properties_end; ++i) {
        if (code.properties[i].declared) visit(code.properties[i].schema);
      }
      for (Index i = members.patterns; i < members.patterns_end; ++i) {
        visit(code.patterns[i].schema);
      }
      if (members.additional != kNoIndex) visit(members.additional);
      return;
    }
    default:
      return;
  }
}

// The subschema that this one refers to and does nothing else; kNoIndex when it does more.
Index alias_of(const Code& code, Index index) noexcept {
  const Subschema& schema = code.subschemas[index];
  if (schema.types != types::kAll || schema.never) return kNoIndex;
  if (schema.groups.back() - schema.groups.front() != 1) return kNoIndex;
  const Instruction& only = code.instructions[schema.groups.front()];
  if (only.op != Op::kApply) return kNoIndex;
  // Where dynamic anchors are looked for, it counts which resources were entered.
  const bool same = code.subschemas[only.first].resource == schema.resource;
  return code.anchors.empty() || same ? only.first : kNoIndex;
}

// The constant string that a property must be, if the subschema is that of objects which require
// it.
std::optional<std::string_view> tag_of(const Code& code, Index index,
                                       std::string_view key) noexcept {
  const Subschema& schema = code.subschemas[index];
  if (schema.types != types::kObject) return std::nullopt;
  const auto object = static_cast<std::size_t>(Group::kObject);
  for (Index i = schema.groups[object]; i < schema.groups[object + 1]; ++i) {
    if (code.instructions[i].op != Op::kMembers) continue;
    const Members& members = code.members[code.instructions[i].first];
    for (Index p = members.properties; p < members.properties_end; ++p) {
      const Property& property = code.properties[p];
      if (property.key != key || !property.required || !property.declared) continue;
      const Subschema& constant = code.subschemas[property.schema];
      for (Index c = constant.groups.front(); c < constant.groups.back(); ++c) {
        const Instruction& instruction = code.instructions[c];
        if (instruction.op != Op::kConst) continue;
        const json::Value value{instruction.limit};
        if (value.is_string()) return value.string();
      }
    }
  }
  return std::nullopt;
}

// The names of the properties of a branch, which may tell branches apart.
std::vector<std::string_view> keys_of(const Code& code, Index index) {
  std::vector<std::string_view> keys;
  const Subschema& schema = code.subschemas[index];
  for (Index i = schema.groups.front(); i < schema.groups.back(); ++i) {
    if (code.instructions[i].op != Op::kMembers) continue;
    const Members& members = code.members[code.instructions[i].first];
    for (Index p = members.properties; p < members.properties_end; ++p) {
      keys.push_back(code.properties[p].key);
    }
  }
  return keys;
}

// The branches of an anyOf or oneOf by a property that tells them apart; nothing when none does.
std::optional<Switch> find_switch(const Code& code, const Instruction& instruction) {
  if (instruction.second - instruction.first < 2) return std::nullopt;
  for (const std::string_view key : keys_of(code, code.lists[instruction.first])) {
    Switch found{.key = key, .cases = {}};
    std::unordered_set<std::string_view> tags;
    for (Index i = instruction.first; i < instruction.second; ++i) {
      const auto tag = tag_of(code, code.lists[i], key);
      if (!tag || !tags.insert(*tag).second) break;
      found.cases.push_back({.tag = *tag, .schema = code.lists[i]});
    }
    if (found.cases.size() == instruction.second - instruction.first) return found;
  }
  return std::nullopt;
}

void make_switch(Code& code, Instruction& instruction) {
  if (instruction.op != Op::kAnyOf && instruction.op != Op::kOneOf) return;
  if (std::optional<Switch> found = find_switch(code, instruction)) {
    code.switches.push_back(std::move(*found));
    instruction.op = Op::kSwitch;
    instruction.first = static_cast<Index>(code.switches.size() - 1);
  }
}

// Finds a cycle of references in place. Depth first, with a stack of its own.
class CycleFinder {
 public:
  explicit CycleFinder(Code& code) : code_{code}, states_(code.subschemas.size(), kUnseen) {}

  Index find() {
    for (Index start = 0; start < states_.size(); ++start) {
      if (states_[start] != kUnseen) continue;
      stack_.push_back(start);
      while (!stack_.empty()) {
        if (const Index endless = step(); endless != kNoIndex) return endless;
      }
    }
    return kNoIndex;
  }

 private:
  enum State : std::uint8_t { kUnseen, kOpen, kDone };

  Index step() {
    const Index at = stack_.back();
    if (states_[at] != kUnseen) {
      states_[at] = kDone;
      stack_.pop_back();
      return kNoIndex;
    }
    states_[at] = kOpen;
    Index endless = kNoIndex;
    const Subschema& schema = code_.subschemas[at];
    for (Index i = schema.groups.front(); i < schema.groups.back(); ++i) {
      visit_in_place(code_, code_.instructions[i], [this, &endless](Index next) {
        if (states_[next] == kOpen) endless = next;
        if (states_[next] == kUnseen) stack_.push_back(next);
      });
    }
    return endless;
  }

  Code& code_;
  std::vector<State> states_;
  std::vector<Index> stack_;
};

}  // namespace

Index link(Code& code) {
  if (const Index endless = CycleFinder{code}.find(); endless != kNoIndex) return endless;
  // There is no cycle, so each way has an end. Where a way was gone before, it is short.
  std::vector<Index> ends(code.subschemas.size(), kNoIndex);
  const auto shorten = [&code, &ends](Index& reference) {
    Index end = reference;
    for (Index next = end; next != kNoIndex; next = alias_of(code, end)) {
      end = ends[next] != kNoIndex ? ends[next] : next;
    }
    for (Index at = reference; at != end && ends[at] != end;) {
      const Index next = alias_of(code, at);
      ends[at] = end;
      at = next;
    }
    reference = end;
  };
  for (Instruction& instruction : code.instructions) {
    visit_in_place(code, instruction, shorten);
    visit_inside(code, instruction, shorten);
  }
  shorten(code.root);
  for (Instruction& instruction : code.instructions) make_switch(code, instruction);
  return kNoIndex;
}

}  // namespace tercel::schema
