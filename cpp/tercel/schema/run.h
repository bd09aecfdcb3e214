// One validation: a program, a value, and the state between them.
//
// Internal to tercel/schema. Recursive, as programs and documents are; `depth_` has a limit.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "tercel/json/value.h"
#include "tercel/schema/code.h"
#include "tercel/schema/validator.h"

namespace tercel::schema {

// The types that a kind of value may be of.
inline constexpr std::array<std::uint8_t, 10> kTypeOfKind{
    types::kNull,    types::kBoolean, types::kBoolean, types::kInteger, types::kInteger,
    types::kInteger, types::kNumber,  types::kString,  types::kArray,   types::kObject};

class Run {
 public:
  Run(Validator& validator, const Code& code) noexcept
      : validator_{validator}, code_{code}, options_{validator.options_} {}

  [[nodiscard]] bool run(json::Value value) noexcept;

 private:
  // What of a value was evaluated by subschemas in place. Null: nobody asks.
  using Marks = const BitStack::Set*;

  // The resources that were entered on the way here, the innermost first.
  struct Scope {
    const Scope* outer;
    Index resource;
  };

  // --- run.cc
  // Each returns whether the value is valid; if not, the errors are noted unless quiet_.
  [[nodiscard]] bool evaluate(Index index, json::Value value, Marks marks) noexcept {
    const Subschema& schema = code_.subschemas[index];
    ++steps_;
    if (!admits(schema.types, value)) return !quiet_ && refuse_type(schema, value);
    return schema.simple() || evaluate_rest(schema, value, marks);
  }
  [[nodiscard]] bool evaluate_rest(const Subschema& schema, json::Value value,
                                   Marks marks) noexcept;
  [[nodiscard]] bool run_groups(const Subschema& schema, json::Value value, Marks marks) noexcept;
  [[nodiscard, gnu::noinline]] bool run_tracking(const Subschema& schema, json::Value value,
                                                 Marks marks) noexcept;
  [[nodiscard]] bool run_range(Index begin, Index end, json::Value value, Marks marks) noexcept;
  [[nodiscard]] bool run_one(const Instruction& instruction, json::Value value,
                             Marks marks) noexcept;
  [[nodiscard]] static bool admits(std::uint8_t mask, json::Value value) noexcept {
    const std::uint8_t bits = kTypeOfKind[static_cast<std::size_t>(value.kind())];
    const auto common = static_cast<std::uint8_t>(mask & bits);
    // A decimal may be an integer or a fraction.
    return common == bits || (common != 0 && admits_decimal(common, value));
  }
  [[nodiscard]] static bool admits_decimal(std::uint8_t common, json::Value value) noexcept;
  [[nodiscard, gnu::noinline]] bool refuse_type(const Subschema& schema,
                                                json::Value value) noexcept;
  // Notes an error; always false.
  bool refuse(const Instruction& instruction, json::Value value,
              std::string_view name = {}) noexcept {
    return !quiet_ && note_refusal(instruction, value, name);
  }
  [[gnu::noinline]] bool note_refusal(const Instruction& instruction, json::Value value,
                                      std::string_view name) noexcept;
  bool note(const Error& error) noexcept;
  // After a failure: whether to look for more of them.
  [[nodiscard]] bool goes_on() const noexcept { return !quiet_ && !full_ && !stopped_; }
  bool stop(Verdict verdict) noexcept;
  [[nodiscard]] bool charge(std::uint64_t steps) noexcept;

  // Apart, so that the loop over instructions has a small frame: it is on the stack at each level.
#define TERCEL_APART [[nodiscard, gnu::noinline]]

  // --- run_any.cc
  // Without noting errors; marks count only if it is valid.
  TERCEL_APART bool try_branch(Index index, json::Value value, Marks marks) noexcept;
  TERCEL_APART bool run_any_of(const Instruction& instruction, json::Value value,
                               Marks marks) noexcept;
  TERCEL_APART bool run_one_of(const Instruction& instruction, json::Value value,
                               Marks marks) noexcept;
  TERCEL_APART bool run_switch(const Instruction& instruction, json::Value value,
                               Marks marks) noexcept;
  TERCEL_APART bool refuse_branches(const Instruction& instruction, json::Value value) noexcept;
  TERCEL_APART bool run_if(const Instruction& instruction, json::Value value, Marks marks) noexcept;
  TERCEL_APART Index dynamic_target(const Instruction& instruction) const noexcept;
  TERCEL_APART bool in_enum(const Instruction& instruction, json::Value value) const noexcept;

  // --- run_values.cc
  // Below 0, 0 or above 0, as the number is to the limit.
  [[nodiscard]] static int compare(const Instruction& instruction, json::Value value) noexcept {
    // Doubles that differ are in the order of the numbers that they are nearest to.
    const double number = value.float64();
    if (number < instruction.number) return -1;
    return number > instruction.number ? 1 : compare_exactly(instruction, value);
  }
  [[nodiscard, gnu::noinline]] static int compare_exactly(const Instruction& instruction,
                                                          json::Value value) noexcept;
  TERCEL_APART bool run_string(const Instruction& instruction, json::Value value) noexcept;

  // --- run_array.cc
  TERCEL_APART bool run_array(const Instruction& instruction, json::Value value,
                              Marks marks) noexcept;
  TERCEL_APART bool run_prefix(const Instruction& instruction, json::Value value,
                               Marks marks) noexcept;
  TERCEL_APART bool run_items(const Instruction& instruction, json::Value value,
                              Marks marks) noexcept;
  TERCEL_APART bool run_contains(const Instruction& instruction, json::Value value,
                                 Marks marks) noexcept;
  TERCEL_APART bool run_unique(const Instruction& instruction, json::Value value) noexcept;
  TERCEL_APART bool unique_by_pairs(json::Value array) noexcept;
  TERCEL_APART bool unique_by_table(json::Value array) noexcept;
  TERCEL_APART bool run_unevaluated_items(const Instruction& instruction, json::Value value,
                                          Marks marks) noexcept;

  // --- run_object.cc
  // Of the walk over the members of one object.
  struct MemberState {
    Index expected;              // The property that the next member is likely to be.
    std::uint32_t required = 0;  // How many required ones were seen.
  };
  TERCEL_APART bool run_object(const Instruction& instruction, json::Value value,
                               Marks marks) noexcept;
  TERCEL_APART bool run_members(const Instruction& instruction, json::Value value,
                                Marks marks) noexcept;
  [[nodiscard]] bool run_member(const Members& members, json::Member member, MemberState& state,
                                bool& evaluated) noexcept;
  [[nodiscard]] bool run_extra(const Members& members, json::Member member) noexcept;
  TERCEL_APART bool refuse_missing(const Members& members, json::Value value) noexcept;
  [[nodiscard]] const Property* find_property(const Members& members, json::Member member,
                                              Index& expected) const noexcept;
  TERCEL_APART bool run_names(const Instruction& instruction, json::Value value) noexcept;
  TERCEL_APART bool run_requires(const Instruction& instruction, json::Value value) noexcept;
  TERCEL_APART bool run_unevaluated_members(const Instruction& instruction, json::Value value,
                                            Marks marks) noexcept;

#undef TERCEL_APART

  Validator& validator_;
  const Code& code_;
  const ValidateOptions& options_;
  const Scope* scope_ = nullptr;
  std::uint64_t steps_ = 0;
  std::uint32_t depth_ = 0;
  bool quiet_ = false;
  bool full_ = false;
  bool stopped_ = false;
};

}  // namespace tercel::schema
