// One validation: a program, a value, and the state between them.
//
// Internal to tercel/schema. Recursive, as programs and documents are; `depth_` has a limit.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "tercel/json/value.h"
#include "tercel/schema/code.h"
#include "tercel/schema/validator.h"

namespace tercel::schema {

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
    if (!admits(schema.types, value)) return refuse_type(schema, value);
    return schema.simple() || evaluate_rest(schema, value, marks);
  }
  [[nodiscard]] bool evaluate_rest(const Subschema& schema, json::Value value,
                                   Marks marks) noexcept;
  [[nodiscard]] bool run_groups(const Subschema& schema, json::Value value, Marks marks) noexcept;
  [[nodiscard]] bool run_tracking(const Subschema& schema, json::Value value, Marks marks) noexcept;
  [[nodiscard]] bool run_range(Index begin, Index end, json::Value value, Marks marks) noexcept;
  [[nodiscard]] bool run_one(const Instruction& instruction, json::Value value,
                             Marks marks) noexcept;
  [[nodiscard]] static bool admits(std::uint8_t types, json::Value value) noexcept;
  [[nodiscard]] bool refuse_type(const Subschema& schema, json::Value value) noexcept;
  // Notes an error; always false.
  bool refuse(const Instruction& instruction, json::Value value,
              std::string_view name = {}) noexcept;
  bool note(const Error& error) noexcept;
  // After a failure: whether to look for more of them.
  [[nodiscard]] bool goes_on() const noexcept { return !quiet_ && !full_ && !stopped_; }
  bool stop(Verdict verdict) noexcept;
  [[nodiscard]] bool charge(std::uint64_t steps) noexcept;

  // --- run_any.cc
  // Without noting errors; marks count only if it is valid.
  [[nodiscard]] bool try_branch(Index index, json::Value value, Marks marks) noexcept;
  [[nodiscard]] bool run_any_of(const Instruction& instruction, json::Value value,
                                Marks marks) noexcept;
  [[nodiscard]] bool run_one_of(const Instruction& instruction, json::Value value,
                                Marks marks) noexcept;
  [[nodiscard]] bool refuse_branches(const Instruction& instruction, json::Value value) noexcept;
  [[nodiscard]] bool run_if(const Instruction& instruction, json::Value value,
                            Marks marks) noexcept;
  [[nodiscard]] Index dynamic_target(const Instruction& instruction) const noexcept;
  [[nodiscard]] bool in_enum(const Instruction& instruction, json::Value value) const noexcept;

  // --- run_values.cc
  [[nodiscard]] bool run_number(const Instruction& instruction, json::Value value) noexcept;
  [[nodiscard]] bool run_string(const Instruction& instruction, json::Value value) noexcept;

  // --- run_array.cc
  [[nodiscard]] bool run_array(const Instruction& instruction, json::Value value,
                               Marks marks) noexcept;
  [[nodiscard]] bool run_prefix(const Instruction& instruction, json::Value value,
                                Marks marks) noexcept;
  [[nodiscard]] bool run_items(const Instruction& instruction, json::Value value,
                               Marks marks) noexcept;
  [[nodiscard]] bool run_contains(const Instruction& instruction, json::Value value,
                                  Marks marks) noexcept;
  [[nodiscard]] bool run_unique(const Instruction& instruction, json::Value value) noexcept;
  [[nodiscard]] bool unique_by_pairs(json::Value array) noexcept;
  [[nodiscard]] bool unique_by_table(json::Value array) noexcept;
  [[nodiscard]] bool run_unevaluated_items(const Instruction& instruction, json::Value value,
                                           Marks marks) noexcept;

  // --- run_object.cc
  [[nodiscard]] bool run_object(const Instruction& instruction, json::Value value,
                                Marks marks) noexcept;
  [[nodiscard]] bool run_members(const Instruction& instruction, json::Value value,
                                 Marks marks) noexcept;
  [[nodiscard]] bool run_member(const Members& members, json::Member member,
                                std::uint32_t& required, bool& evaluated) noexcept;
  [[nodiscard]] bool run_extra(const Members& members, json::Member member) noexcept;
  [[nodiscard]] bool refuse_missing(const Members& members, json::Value value) noexcept;
  [[nodiscard]] const Property* find_property(const Members& members,
                                              json::Member member) const noexcept;
  [[nodiscard]] bool run_names(const Instruction& instruction, json::Value value) noexcept;
  [[nodiscard]] bool run_requires(const Instruction& instruction, json::Value value) noexcept;
  [[nodiscard]] bool run_unevaluated_members(const Instruction& instruction, json::Value value,
                                             Marks marks) noexcept;

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
