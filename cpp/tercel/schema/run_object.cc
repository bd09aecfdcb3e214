// Objects.
#include "tercel/schema/run.h"

namespace tercel::schema {

bool Run::run_object(const Instruction& instruction, json::Value value, Marks marks) noexcept {
  switch (instruction.op) {
    case Op::kMinProperties:
      return value.size() >= instruction.first || refuse(instruction, value);
    case Op::kMaxProperties:
      return value.size() <= instruction.first || refuse(instruction, value);
    case Op::kMembers:
      return run_members(instruction, value, marks);
    case Op::kPropertyNames:
      return run_names(instruction, value);
    case Op::kRequires:
      return run_requires(instruction, value);
    case Op::kRequiresSchema:
      return !value.find(code_.names[instruction.first]) ||
             evaluate(instruction.second, value, marks);
    default:
      return !value.is_object() || run_unevaluated_members(instruction, value, marks);
  }
}

const Property* Run::find_property(const Members& members, json::Member member) const noexcept {
  std::uint32_t slot = member.key_hash() & members.mask;
  for (;; slot = (slot + 1) & members.mask) {
    const Index index = code_.slots[members.slots + slot];
    if (index == kNoIndex) return nullptr;
    const Property& property = code_.properties[index];
    if (property.hash == member.key_hash() && property.key == member.key()) return &property;
  }
}

bool Run::run_members(const Instruction& instruction, json::Value value, Marks marks) noexcept {
  const Members& members = code_.members[instruction.first];
  bool valid = true;
  std::uint32_t required = 0;
  std::size_t index = 0;
  for (const json::Member member : value.members()) {
    bool evaluated = false;
    const bool member_valid = run_member(members, member, required, evaluated);
    if (evaluated && marks != nullptr) validator_.bits_.set(*marks, index);
    ++index;
    if (member_valid) continue;
    if (!goes_on()) return false;
    valid = false;
  }
  if (required < members.required) return refuse_missing(members, value);
  return valid;
}

bool Run::run_member(const Members& members, json::Member member, std::uint32_t& required,
                     bool& evaluated) noexcept {
  bool valid = true;
  if (const Property* const property = find_property(members, member)) {
    required += property->required ? 1 : 0;
    if (property->declared) {
      evaluated = true;
      valid = evaluate(property->schema, member.value(), nullptr);
    }
  }
  for (Index i = members.patterns; i < members.patterns_end; ++i) {
    const PatternProperty& pattern = code_.patterns[i];
    if (!charge(1)) return false;
    if (!code_.regexes[pattern.regex].found_in(member.key())) continue;
    evaluated = true;
    if (!valid && !goes_on()) return false;
    valid = evaluate(pattern.schema, member.value(), nullptr) && valid;
  }
  if (evaluated || members.additional == kNoIndex) return valid;
  evaluated = true;
  return run_extra(members, member) && valid;
}

bool Run::run_extra(const Members& members, json::Member member) noexcept {
  if (!code_.subschemas[members.additional].never) {
    return evaluate(members.additional, member.value(), nullptr);
  }
  return note({.keyword = Keyword::kAdditionalProperties,
               .value = member.value(),
               .limit = json::Value{members.additional_limit},
               .name = member.key(),
               .schema_location = code_.locations[members.additional_location]});
}

bool Run::refuse_missing(const Members& members, json::Value value) noexcept {
  for (Index i = members.properties; i < members.properties_end && goes_on(); ++i) {
    const Property& property = code_.properties[i];
    if (!property.required || value.find(property.key)) continue;
    note({.keyword = Keyword::kRequired,
          .value = value,
          .limit = json::Value{members.required_limit},
          .name = property.key,
          .schema_location = code_.locations[members.required_location]});
  }
  return false;
}

bool Run::run_names(const Instruction& instruction, json::Value value) noexcept {
  bool valid = true;
  for (const json::Member member : value.members()) {
    if (evaluate(instruction.first, member.name(), nullptr)) continue;
    if (!goes_on()) return false;
    valid = false;
  }
  return valid;
}

bool Run::run_requires(const Instruction& instruction, json::Value value) noexcept {
  if (!charge(instruction.second - instruction.first) ||
      !value.find(code_.names[instruction.first])) {
    return !stopped_;
  }
  bool valid = true;
  for (Index i = instruction.first + 1; i < instruction.second; ++i) {
    if (value.find(code_.names[i])) continue;
    valid = refuse(instruction, value, code_.names[i]);
    if (!goes_on()) return false;
  }
  return valid;
}

bool Run::run_unevaluated_members(const Instruction& instruction, json::Value value,
                                  Marks marks) noexcept {
  bool valid = true;
  std::size_t index = 0;
  const bool never = code_.subschemas[instruction.first].never;
  for (const json::Member member : value.members()) {
    if (validator_.bits_.test(*marks, index++)) continue;
    if (never ? refuse(instruction, member.value(), member.key())
              : evaluate(instruction.first, member.value(), nullptr)) {
      continue;
    }
    if (!goes_on()) return false;
    valid = false;
  }
  validator_.bits_.set_all(*marks);
  return valid;
}

}  // namespace tercel::schema
