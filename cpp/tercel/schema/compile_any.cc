// Keywords that concern every value: references, combinations, type, const and enum.
#include <algorithm>

#include "tercel/json/equal.h"
#include "tercel/schema/compiler.h"
#include "tercel/schema/enum_hash.h"
#include "tercel/schema/uri.h"

namespace tercel::schema {
namespace {

// From so many values on, an enum is a table.
constexpr std::size_t kEnumTableMin = 9;

std::uint8_t type_bits(std::string_view name) noexcept {
  if (name == "null") return types::kNull;
  if (name == "boolean") return types::kBoolean;
  if (name == "integer") return types::kInteger;
  if (name == "number") return types::kNumber;
  if (name == "string") return types::kString;
  if (name == "array") return types::kArray;
  return name == "object" ? types::kObject : std::uint8_t{0};
}

}  // namespace

bool Compiler::compile_type() {
  if (!has(Keyword::kType)) return true;
  const json::Value value = get(Keyword::kType);
  std::uint8_t mask = 0;
  const auto add = [&mask](json::Value name) {
    const std::uint8_t bits = name.is_string() ? type_bits(name.string()) : std::uint8_t{0};
    mask |= bits;
    return bits != 0;
  };
  bool known = !value.is_array() || value.size() > 0;
  if (value.is_array()) {
    for (const json::Value name : value.elements()) known = known && add(name);
  } else {
    known = add(value);
  }
  if (!known) return refuse(Keyword::kType, "this must be the name of a type, or an array of them");
  const Index location = location_of(Keyword::kType);
  Subschema& made = code_->subschemas[site_.index];
  made.types = mask;
  made.location = location;
  made.limit = value.node();
  return true;
}

bool Compiler::compile_enum() {
  if (has(Keyword::kConst)) emit(Group::kAny, Op::kConst, Keyword::kConst);
  if (!has(Keyword::kEnum)) return true;
  const json::Value values = get(Keyword::kEnum);
  if (!values.is_array()) return refuse(Keyword::kEnum, "this must be an array");
  if (values.size() < kEnumTableMin) {
    emit(Group::kAny, Op::kEnum, Keyword::kEnum);
    return true;
  }
  EnumTable table;
  std::size_t size = 2;
  while (size < values.size() * 2) size *= 2;
  table.slots.resize(size, nullptr);
  for (const json::Value value : values.elements()) {
    auto slot = static_cast<std::size_t>(json::hash_value(value, kEnumHash)) & (size - 1);
    while (table.slots[slot] != nullptr) slot = (slot + 1) & (size - 1);
    table.slots[slot] = value.node();
  }
  code_->enums.push_back(std::move(table));
  emit(Group::kAny, Op::kEnumTable, Keyword::kEnum, static_cast<Index>(code_->enums.size() - 1));
  return true;
}

bool Compiler::compile_any() {
  if (!compile_refs() || !compile_branches(Keyword::kAllOf, Op::kApply) ||
      !compile_branches(Keyword::kAnyOf, Op::kAnyOf) ||
      !compile_branches(Keyword::kOneOf, Op::kOneOf)) {
    return false;
  }
  if (has(Keyword::kNot)) emit(Group::kAny, Op::kNot, Keyword::kNot, child(Keyword::kNot));
  return compile_condition();
}

bool Compiler::compile_branches(Keyword keyword, Op op) {
  if (!has(keyword)) return true;
  const std::optional<Index> begin = children(keyword);
  if (!begin) return false;
  const auto end = static_cast<Index>(code_->lists.size());
  if (op != Op::kApply) {
    emit(Group::kAny, op, keyword, *begin, end);
    return true;
  }
  for (Index i = *begin; i < end; ++i) emit(Group::kAny, op, keyword, code_->lists[i]);
  return true;
}

bool Compiler::compile_condition() {
  if (!has(Keyword::kIf)) return true;
  const Index condition = child(Keyword::kIf);
  const Index then = has(Keyword::kThen) ? child(Keyword::kThen) : kNoIndex;
  const Index otherwise = has(Keyword::kElse) ? child(Keyword::kElse) : kNoIndex;
  const auto begin = static_cast<Index>(code_->lists.size());
  code_->lists.insert(code_->lists.end(), {condition, then, otherwise});
  emit(Group::kAny, Op::kIf, Keyword::kIf, begin, begin + 3);
  return true;
}

bool Compiler::compile_refs() {
  for (const Keyword keyword : {Keyword::kRef, Keyword::kDynamicRef, Keyword::kRecursiveRef}) {
    if (has(keyword) && !compile_reference(keyword)) return false;
  }
  return true;
}

bool Compiler::compile_reference(Keyword keyword) {
  if (!get(keyword).is_string()) return refuse(keyword, "this must be a string");
  const std::string_view reference = get(keyword).string();
  std::optional<Site> target = resolve(reference, *site_.resource);
  if (!target) {
    return refuse(keyword, "nothing is known at " + resolve_uri(site_.resource->uri, reference));
  }
  if (keyword != Keyword::kRef) {
    // An anchor that is dynamic where the reference leads at first.
    const std::string anchor = percent_decoded(split_fragment(reference).fragment);
    const bool dynamic = (anchor.empty() ? keyword == Keyword::kRecursiveRef : anchor[0] != '/') &&
                         target->resource->dynamic_anchors.contains(anchor);
    if (dynamic) return compile_dynamic(keyword, anchor, *target);
  }
  emit(Group::kAny, Op::kApply, keyword, subschema(std::move(*target)));
  return true;
}

bool Compiler::compile_dynamic(Keyword keyword, std::string_view anchor, const Site& target) {
  const auto found =
      std::find_if(code_->anchors.begin(), code_->anchors.end(),
                   [anchor](const DynamicAnchor& row) { return row.name == anchor; });
  const auto index = static_cast<Index>(found - code_->anchors.begin());
  if (found == code_->anchors.end()) {
    code_->anchors.push_back({.name = std::string{anchor}, .targets = {}});
  }
  emit(Group::kAny, Op::kApplyDynamic, keyword, index, subschema(target));
  return true;
}

}  // namespace tercel::schema
