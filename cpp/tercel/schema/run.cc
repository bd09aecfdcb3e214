#include "tercel/schema/run.h"

#include <array>

#include "tercel/json/equal.h"

namespace tercel::schema {
namespace {

// The groups that a kind of value has besides those of all.
constexpr std::array<Group, 10> kGroupOfKind{
    Group::kAny,    Group::kAny,    Group::kAny,    Group::kNumber, Group::kNumber,
    Group::kNumber, Group::kNumber, Group::kString, Group::kArray,  Group::kObject};

std::size_t kind_index(json::Value value) noexcept {
  return static_cast<std::size_t>(value.kind());
}

}  // namespace

bool Run::admits_decimal(std::uint8_t common, json::Value value) noexcept {
  return json::is_integral(value) == (common == types::kInteger);
}

bool Run::run(json::Value value) noexcept {
  const bool valid = evaluate(code_.root, value, nullptr);
  if (!stopped_) validator_.verdict_ = valid ? Verdict::kValid : Verdict::kInvalid;
  return valid && !stopped_;
}

bool Run::stop(Verdict verdict) noexcept {
  if (!stopped_) validator_.verdict_ = verdict;
  stopped_ = true;
  return false;
}

bool Run::charge(std::uint64_t steps) noexcept {
  steps_ += steps;
  return steps_ <= options_.steps_max || stop(Verdict::kTooCostly);
}

bool Run::note(const Error& error) noexcept {
  if (quiet_ || full_ || stopped_) return false;
  const std::uint32_t most = options_.collect == Collect::kFirst ? 1 : options_.errors_max;
  if (validator_.error_count_ == most) {
    validator_.truncated_ = true;
    full_ = true;
    return false;
  }
  if (!validator_.errors_.reserve(most)) return stop(Verdict::kNoMemory);
  validator_.errors_.data()[validator_.error_count_++] = error;
  full_ = options_.collect == Collect::kFirst;
  return false;
}

bool Run::note_refusal(const Instruction& instruction, json::Value value,
                       std::string_view name) noexcept {
  return note({.keyword = instruction.keyword,
               .value = value,
               .limit = json::Value{instruction.limit},
               .name = name,
               .schema_location = code_.locations[instruction.location]});
}

bool Run::refuse_type(const Subschema& schema, json::Value value) noexcept {
  return note({.keyword = schema.never ? Keyword::kNone : Keyword::kType,
               .value = value,
               .limit = json::Value{schema.limit},
               .name = {},
               .schema_location = code_.locations[schema.location]});
}

bool Run::evaluate_rest(const Subschema& schema, json::Value value, Marks marks) noexcept {
  if (stopped_) return false;
  if (depth_ >= options_.depth_max) return stop(Verdict::kTooDeep);
  if (steps_ > options_.steps_max) return stop(Verdict::kTooCostly);
  ++depth_;
  bool valid = false;
  if (code_.anchors.empty() || (scope_ != nullptr && scope_->resource == schema.resource)) {
    valid = run_groups(schema, value, marks);
  } else {
    const Scope inner{.outer = scope_, .resource = schema.resource};
    scope_ = &inner;
    valid = run_groups(schema, value, marks);
    scope_ = inner.outer;
  }
  --depth_;
  return valid && !stopped_;
}

bool Run::run_groups(const Subschema& schema, json::Value value, Marks marks) noexcept {
  if (schema.tracks && (value.is_array() || value.is_object())) {
    return run_tracking(schema, value, marks);
  }
  const auto any = static_cast<std::size_t>(Group::kAny);
  const auto own = static_cast<std::size_t>(kGroupOfKind[kind_index(value)]);
  bool valid = true;
  if (own != any) {
    valid = run_range(schema.groups[own], schema.groups[own + 1], value, marks);
    if (!valid && !goes_on()) return false;
  }
  const Index begin = schema.groups[any];
  const Index end = schema.groups[any + 1];
  return (begin == end || run_range(begin, end, value, marks)) && valid;
}

// With marks of its own: what was evaluated outside does not count inside, but the other way round.
bool Run::run_tracking(const Subschema& schema, json::Value value, Marks outer) noexcept {
  BitStack& bits = validator_.bits_;
  BitStack::Set own{};
  if (!charge(value.size() / 64)) return false;
  if (!bits.push(value.size(), own)) return stop(Verdict::kNoMemory);
  const auto group = static_cast<std::size_t>(kGroupOfKind[kind_index(value)]);
  const auto any = static_cast<std::size_t>(Group::kAny);
  bool valid = run_range(schema.groups[group], schema.groups[group + 1], value, &own);
  if (valid || goes_on()) {
    valid = run_range(schema.groups[any], schema.groups[any + 1], value, &own) && valid;
  }
  // What a failed subschema would have evaluated is not known: its errors are enough.
  if (valid) valid = run_range(schema.groups[any + 1], schema.groups[any + 2], value, &own);
  if (valid && outer != nullptr) bits.merge(*outer, own);
  bits.pop(own);
  return valid;
}

bool Run::run_range(Index begin, Index end, json::Value value, Marks marks) noexcept {
  bool valid = true;
  for (Index i = begin; i < end; ++i) {
    if (run_one(code_.instructions[i], value, marks)) continue;
    if (!goes_on()) return false;
    valid = false;
  }
  return valid;
}

bool Run::run_one(const Instruction& instruction, json::Value value, Marks marks) noexcept {
  switch (instruction.op) {
    case Op::kApply:
      return evaluate(instruction.first, value, marks);
    case Op::kApplyDynamic:
      return evaluate(dynamic_target(instruction), value, marks);
    case Op::kAnyOf:
      return run_any_of(instruction, value, marks);
    case Op::kOneOf:
      return run_one_of(instruction, value, marks);
    case Op::kSwitch:
      return run_switch(instruction, value, marks);
    case Op::kNot:
      return !try_branch(instruction.first, value, nullptr) || refuse(instruction, value);
    case Op::kIf:
      return run_if(instruction, value, marks);
    case Op::kConst:
      return json::equal(json::Value{instruction.limit}, value) || refuse(instruction, value);
    case Op::kEnum:
    case Op::kEnumTable:
      return in_enum(instruction, value) || refuse(instruction, value);
    case Op::kMinimum:
      return compare(instruction, value) >= 0 || refuse(instruction, value);
    case Op::kMaximum:
      return compare(instruction, value) <= 0 || refuse(instruction, value);
    case Op::kExclusiveMinimum:
      return compare(instruction, value) > 0 || refuse(instruction, value);
    case Op::kExclusiveMaximum:
      return compare(instruction, value) < 0 || refuse(instruction, value);
    case Op::kMultipleOf:
      return code_.divisors[instruction.first].divides(value) || refuse(instruction, value);
    case Op::kMinLength:
    case Op::kMaxLength:
    case Op::kPattern:
    case Op::kFormat:
      return run_string(instruction, value) || refuse(instruction, value);
    case Op::kMembers:
      return run_members(instruction, value, marks);
    case Op::kItems:
      return run_items(instruction, value, marks);
    case Op::kMinItems:
    case Op::kMaxItems:
    case Op::kUniqueItems:
    case Op::kPrefixItems:
    case Op::kContains:
    case Op::kUnevaluatedItems:
      return run_array(instruction, value, marks);
    default:
      return run_object(instruction, value, marks);
  }
}

}  // namespace tercel::schema
