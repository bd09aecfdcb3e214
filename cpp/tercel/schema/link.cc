// The last pass over code: shorter ways, and ways without an end.
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
      for (Index i = members.patterns; i < members.patterns_end; ++i)
        visit(code.patterns[i].schema);
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
  return kNoIndex;
}

}  // namespace tercel::schema
