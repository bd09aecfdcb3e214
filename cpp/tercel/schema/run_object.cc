// Objects.
#include <cstring>

#include "tercel/schema/run.h"

namespace tercel::schema {

bool Run::run_object(const Instruction& instruction, json::Value value, Marks marks) noexcept {
  switch (instruction.op) {
    case Op::kMinProperties:
      return value.size() >= instruction.first || refuse(instruction, value);
    case Op::kMaxProperties:
      return value.size() <= instruction.first || refuse(instruction, value);
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

namespace {

template <typename Word>
bool same_ends(std::string_view a, std::string_view b) noexcept {
  Word words[4];
  std::memcpy(&words[0], a.data(), sizeof(Word));
  std::memcpy(&words[1], b.data(), sizeof(Word));
  std::memcpy(&words[2], a.data() + a.size() - sizeof(Word), sizeof(Word));
  std::memcpy(&words[3], b.data() + b.size() - sizeof(Word), sizeof(Word));
  return ((words[0] ^ words[1]) | (words[2] ^ words[3])) == 0;
}

// Most keys are short, and a call to compare them costs more than they do.
bool same_text(std::string_view a, std::string_view b) noexcept {
  const std::size_t size = a.size();
  if (size != b.size()) return false;
  if (size > 16) return a == b;
  if (size >= 8) return same_ends<std::uint64_t>(a, b);
  if (size >= 4) return same_ends<std::uint32_t>(a, b);
  return size == 0 || (a[0] == b[0] && a[size / 2] == b[size / 2] && a[size - 1] == b[size - 1]);
}

bool is_of(const Property& property, json::Member member) noexcept {
  return property.hash == member.key_hash() && same_text(property.key, member.key());
}

}  // namespace

// Members are often in the order of the schema: the property behind the one before is tried first.
const Property* Run::find_property(const Members& members, json::Member member,
                                   Index& expected) const noexcept {
  if (expected < members.properties_end && is_of(code_.properties[expected], member)) {
    return &code_.properties[expected++];
  }
  std::uint32_t slot = member.key_hash() & members.mask;
  for (;; slot = (slot + 1) & members.mask) {
    const Index index = code_.slots[members.slots + slot];
    if (index == kNoIndex) return nullptr;
    if (!is_of(code_.properties[index], member)) continue;
    expected = index + 1;
    return &code_.properties[index];
  }
}

bool Run::run_members(const Instruction& instruction, json::Value value, Marks marks) noexcept {
  const Members& members = code_.members[instruction.first];
  bool valid = true;
  MemberState state{.expected = members.properties};
  std::size_t index = 0;
  for (const json::Member member : value.members()) {
    bool evaluated = false;
    const bool member_valid = run_member(members, member, state, evaluated);
    if (evaluated && marks != nullptr) validator_.bits_.set(*marks, index);
    ++index;
    if (member_valid) continue;
    if (!goes_on()) return false;
    valid = false;
  }
  if (state.required < members.required) return refuse_missing(members, value);
  return valid;
}

bool Run::run_member(const Members& members, json::Member member, MemberState& state,
                     bool& evaluated) noexcept {
  bool valid = true;
  if (const Property* const property = find_property(members, member, state.expected)) {
    state.required += property->required ? 1 : 0;
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
