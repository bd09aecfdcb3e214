// Keywords that concern numbers and strings, and those that count.
#include <cmath>

#include "tercel/json/decimal.h"
#include "tercel/schema/compiler.h"

namespace tercel::schema {
namespace {

// A number of things, which no document has more than kNoIndex of. Nothing: it is none.
std::optional<Index> to_count(json::Value value) noexcept {
  if (!value.is_number() || !json::is_integral(value)) return std::nullopt;
  const double number = value.float64();
  if (number < 0) return std::nullopt;
  return number >= kNoIndex ? kNoIndex : static_cast<Index>(number);
}

}  // namespace

bool Compiler::count_keyword(Group group, Op op, Keyword keyword) {
  if (!has(keyword)) return true;
  const std::optional<Index> count = to_count(get(keyword));
  if (!count) return refuse(keyword, "this must be an integer that is not negative");
  emit(group, op, keyword, *count);
  return true;
}

bool Compiler::compile_numbers() {
  constexpr struct {
    Keyword keyword;
    Op op;
  } kLimits[] = {{Keyword::kMinimum, Op::kMinimum},
                 {Keyword::kMaximum, Op::kMaximum},
                 {Keyword::kExclusiveMinimum, Op::kExclusiveMinimum},
                 {Keyword::kExclusiveMaximum, Op::kExclusiveMaximum}};
  for (const auto& [keyword, op] : kLimits) {
    if (!has(keyword)) continue;
    if (!get(keyword).is_number()) return refuse(keyword, "this must be a number");
    emit(Group::kNumber, op, keyword).number = get(keyword).float64();
  }
  if (!has(Keyword::kMultipleOf)) return true;
  const json::Value value = get(Keyword::kMultipleOf);
  const std::optional<json::Divisor> divisor =
      value.is_number() ? json::Divisor::from(value) : std::nullopt;
  if (!divisor) {
    return refuse(Keyword::kMultipleOf,
                  "this must be a number above zero with at most 19 significant digits");
  }
  code_->divisors.push_back(*divisor);
  emit(Group::kNumber, Op::kMultipleOf, Keyword::kMultipleOf,
       static_cast<Index>(code_->divisors.size() - 1));
  return true;
}

bool Compiler::compile_strings() {
  if (!count_keyword(Group::kString, Op::kMinLength, Keyword::kMinLength) ||
      !count_keyword(Group::kString, Op::kMaxLength, Keyword::kMaxLength)) {
    return false;
  }
  if (has(Keyword::kPattern)) {
    if (!get(Keyword::kPattern).is_string()) {
      return refuse(Keyword::kPattern, "this must be a string");
    }
    const std::optional<Index> compiled = regex(Keyword::kPattern, get(Keyword::kPattern).string());
    if (!compiled) return false;
    emit(Group::kString, Op::kPattern, Keyword::kPattern, *compiled);
  }
  if (!has(Keyword::kFormat)) return true;
  if (!get(Keyword::kFormat).is_string()) return refuse(Keyword::kFormat, "this must be a string");
  // What is not known says nothing about a value.
  if (const auto format = find_format(get(Keyword::kFormat).string())) {
    emit(Group::kString, Op::kFormat, Keyword::kFormat, static_cast<Index>(*format),
         site_.resource->dialect.asserts_formats ? 1 : 0);
  }
  return true;
}

bool Compiler::compile_array() {
  if (!count_keyword(Group::kArray, Op::kMinItems, Keyword::kMinItems) ||
      !count_keyword(Group::kArray, Op::kMaxItems, Keyword::kMaxItems)) {
    return false;
  }
  if (has(Keyword::kUniqueItems)) {
    const json::Value value = get(Keyword::kUniqueItems);
    if (!value.is_boolean()) return refuse(Keyword::kUniqueItems, "this must be a boolean");
    if (value.boolean()) emit(Group::kArray, Op::kUniqueItems, Keyword::kUniqueItems);
  }
  return compile_items() && compile_contains();
}

bool Compiler::compile_contains() {
  if (!has(Keyword::kContains)) return true;
  Index minimum = 1;
  Index maximum = kNoIndex;
  for (const Keyword keyword : {Keyword::kMinContains, Keyword::kMaxContains}) {
    if (!has(keyword)) continue;
    const std::optional<Index> count = to_count(get(keyword));
    if (!count) return refuse(keyword, "this must be an integer that is not negative");
    (keyword == Keyword::kMinContains ? minimum : maximum) = *count;
  }
  const Index schema = child(Keyword::kContains);
  const bool evaluates = site_.resource->dialect.draft == Draft::k2020;
  const auto begin = static_cast<Index>(code_->lists.size());
  code_->lists.insert(code_->lists.end(), {schema, minimum, maximum, evaluates ? 1U : 0U});
  emit(Group::kArray, Op::kContains, Keyword::kContains, begin, begin + 4);
  return true;
}

}  // namespace tercel::schema
