// Keywords that concern what is in arrays and objects.
#include "tercel/schema/compiler.h"

namespace tercel::schema {

// `prefixItems` and `items` of 2020-12 are what an array in `items` and `additionalItems` were.
bool Compiler::compile_items() {
  const bool old_form = has(Keyword::kItems) && get(Keyword::kItems).is_array();
  if (old_form && site_.resource->dialect.draft == Draft::k2020) {
    return refuse(Keyword::kItems, "this must be a schema; arrays of schemas are prefixItems");
  }
  const Keyword first = old_form ? Keyword::kItems : Keyword::kPrefixItems;
  const Keyword rest = old_form ? Keyword::kAdditionalItems : Keyword::kItems;
  Index in_front = 0;
  if (has(first)) {
    const std::optional<Index> begin = children(first);
    if (!begin) return false;
    const auto end = static_cast<Index>(code_->lists.size());
    in_front = end - *begin;
    emit(Group::kArray, Op::kPrefixItems, first, *begin, end);
  }
  if (has(rest)) emit(Group::kArray, Op::kItems, rest, child(rest), in_front);
  return true;
}

bool Compiler::compile_object() {
  if (!count_keyword(Group::kObject, Op::kMinProperties, Keyword::kMinProperties) ||
      !count_keyword(Group::kObject, Op::kMaxProperties, Keyword::kMaxProperties) ||
      !compile_members()) {
    return false;
  }
  if (has(Keyword::kPropertyNames)) {
    emit(Group::kObject, Op::kPropertyNames, Keyword::kPropertyNames,
         child(Keyword::kPropertyNames));
  }
  return compile_dependencies(Keyword::kDependentRequired) &&
         compile_dependencies(Keyword::kDependentSchemas) &&
         compile_dependencies(Keyword::kDependencies);
}

bool Compiler::compile_members() {
  if (!has(Keyword::kProperties) && !has(Keyword::kPatternProperties) &&
      !has(Keyword::kAdditionalProperties) && !has(Keyword::kRequired)) {
    return true;
  }
  Members members;
  members.properties = members.properties_end = static_cast<Index>(code_->properties.size());
  members.patterns = members.patterns_end = static_cast<Index>(code_->patterns.size());
  if (!compile_properties(members) || !compile_required(members) || !compile_patterns(members)) {
    return false;
  }
  if (has(Keyword::kAdditionalProperties)) {
    members.additional = child(Keyword::kAdditionalProperties);
    members.additional_location = location_of(Keyword::kAdditionalProperties);
    members.additional_limit = value_of(Keyword::kAdditionalProperties);
  }
  fill_slots(members);
  code_->members.push_back(members);
  const Keyword keyword = has(Keyword::kProperties) ? Keyword::kProperties : Keyword::kRequired;
  emit(Group::kObject, Op::kMembers, keyword, static_cast<Index>(code_->members.size() - 1));
  return true;
}

bool Compiler::compile_properties(Members& members) {
  if (!has(Keyword::kProperties)) return true;
  if (!get(Keyword::kProperties).is_object()) {
    return refuse(Keyword::kProperties, "this must be an object of schemas");
  }
  for (const json::Member member : get(Keyword::kProperties).members()) {
    const Index index = property(members, member.key());
    code_->properties[index].declared = true;
    code_->properties[index].schema = child(Keyword::kProperties, member.key(), member.value());
  }
  return true;
}

bool Compiler::compile_required(Members& members) {
  if (!has(Keyword::kRequired)) return true;
  if (!strings_only(Keyword::kRequired, get(Keyword::kRequired))) return false;
  for (const json::Value name : get(Keyword::kRequired).elements()) {
    Property& named = code_->properties[property(members, name.string())];
    members.required += named.required ? 0 : 1;
    named.required = true;
  }
  members.required_location = location_of(Keyword::kRequired);
  members.required_limit = value_of(Keyword::kRequired);
  return true;
}

bool Compiler::compile_patterns(Members& members) {
  if (!has(Keyword::kPatternProperties)) return true;
  if (!get(Keyword::kPatternProperties).is_object()) {
    return refuse(Keyword::kPatternProperties, "this must be an object of schemas");
  }
  for (const json::Member member : get(Keyword::kPatternProperties).members()) {
    const std::optional<Index> compiled = regex(Keyword::kPatternProperties, member.key());
    if (!compiled) return false;
    const Index schema = child(Keyword::kPatternProperties, member.key(), member.value());
    code_->patterns.push_back({.regex = *compiled, .schema = schema});
    ++members.patterns_end;
  }
  return true;
}

bool Compiler::compile_dependencies(Keyword keyword) {
  if (!has(keyword)) return true;
  if (!get(keyword).is_object()) return refuse(keyword, "this must be an object");
  for (const json::Member member : get(keyword).members()) {
    const bool names = keyword == Keyword::kDependentRequired ||
                       (keyword == Keyword::kDependencies && member.value().is_array());
    const auto begin = static_cast<Index>(code_->names.size());
    code_->names.push_back(member.key());
    if (!names) {
      const Index schema = child(keyword, member.key(), member.value());
      emit(Group::kObject, Op::kRequiresSchema, keyword, begin, schema);
      continue;
    }
    if (!strings_only(keyword, member.value())) return false;
    for (const json::Value name : member.value().elements()) code_->names.push_back(name.string());
    emit(Group::kObject, Op::kRequires, keyword, begin, static_cast<Index>(code_->names.size()));
  }
  return true;
}

bool Compiler::compile_unevaluated() {
  if (has(Keyword::kUnevaluatedItems)) {
    emit(Group::kUnevaluated, Op::kUnevaluatedItems, Keyword::kUnevaluatedItems,
         child(Keyword::kUnevaluatedItems));
  }
  if (has(Keyword::kUnevaluatedProperties)) {
    emit(Group::kUnevaluated, Op::kUnevaluatedProperties, Keyword::kUnevaluatedProperties,
         child(Keyword::kUnevaluatedProperties));
  }
  code_->subschemas[site_.index].tracks =
      has(Keyword::kUnevaluatedItems) || has(Keyword::kUnevaluatedProperties);
  return true;
}

}  // namespace tercel::schema
