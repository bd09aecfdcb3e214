// What the compilation of all keywords has in common.
#include "tercel/schema/compiler.h"
#include "tercel/schema/pointer.h"

namespace tercel::schema {

bool Compiler::refuse(Keyword keyword, std::string reason) {
  std::string location = keyword == Keyword::kNone ? site_.location : path_to(keyword);
  static_cast<void>(registry_.refuse(std::move(location), info(keyword).name, std::move(reason)));
  return false;
}

std::string Compiler::path_to(Keyword keyword) const {
  std::string path = site_.location;
  append_token(path, info(keyword).name);
  return path;
}

Index Compiler::location_of(Keyword keyword) {
  code_->locations.push_back(path_to(keyword));
  return static_cast<Index>(code_->locations.size() - 1);
}

Instruction& Compiler::emit(Group group, Op op, Keyword keyword, Index first, Index second) {
  return groups_[static_cast<std::size_t>(group)].emplace_back(
      Instruction{.op = op,
                  .keyword = keyword,
                  .location = location_of(keyword),
                  .first = first,
                  .second = second,
                  .limit = value_of(keyword)});
}

Index Compiler::child(Keyword keyword) {
  return subschema(
      {.schema = get(keyword), .resource = site_.resource, .location = path_to(keyword)});
}

Index Compiler::child(Keyword keyword, std::string_view token, json::Value schema) {
  std::string location = path_to(keyword);
  append_token(location, token);
  return subschema({.schema = schema, .resource = site_.resource, .location = std::move(location)});
}

std::optional<Index> Compiler::children(Keyword keyword) {
  if (!get(keyword).is_array()) {
    refuse(keyword, "this must be an array of schemas");
    return std::nullopt;
  }
  const auto begin = static_cast<Index>(code_->lists.size());
  std::size_t number = 0;
  for (const json::Value schema : get(keyword).elements()) {
    code_->lists.push_back(child(keyword, std::to_string(number++), schema));
  }
  return begin;
}

std::optional<Index> Compiler::regex(Keyword keyword, std::string_view pattern) {
  const auto [found, added] =
      regex_indexes_.try_emplace(std::string{pattern}, static_cast<Index>(code_->regexes.size()));
  if (!added) return found->second;
  std::string reason;
  Regex compiled = Regex::compile(pattern, reason);
  if (!compiled) {
    refuse(keyword, std::move(reason));
    return std::nullopt;
  }
  code_->regexes.push_back(std::move(compiled));
  code_->regex_texts.emplace_back(pattern);
  return found->second;
}

bool Compiler::strings_only(Keyword keyword, json::Value array) {
  if (!array.is_array()) return refuse(keyword, "this must be an array of strings");
  for (const json::Value element : array.elements()) {
    if (!element.is_string()) return refuse(keyword, "this must be an array of strings");
  }
  return true;
}

// The property of that name, made if it is new.
Index Compiler::property(Members& members, std::string_view key) {
  const std::uint16_t hash = json::hash_key(key);
  for (Index i = members.properties; i < members.properties_end; ++i) {
    if (code_->properties[i].hash == hash && code_->properties[i].key == key) return i;
  }
  code_->properties.push_back({.key = key, .hash = hash});
  return members.properties_end++;
}

void Compiler::fill_slots(Members& members) {
  std::size_t size = 2;
  while (size < std::size_t{members.properties_end - members.properties} * 2) size *= 2;
  members.slots = static_cast<Index>(code_->slots.size());
  members.mask = static_cast<std::uint32_t>(size - 1);
  code_->slots.resize(code_->slots.size() + size, kNoIndex);
  for (Index i = members.properties; i < members.properties_end; ++i) {
    std::uint32_t slot = code_->properties[i].hash & members.mask;
    while (code_->slots[members.slots + slot] != kNoIndex) slot = (slot + 1) & members.mask;
    code_->slots[members.slots + slot] = i;
  }
}

}  // namespace tercel::schema
