// Schemas into code.
//
// Internal to tercel/schema. A work list, not recursion: each subschema is compiled once, when
// something first refers to it, so references that recurse are no special case. What refers to
// itself without a step into the value would never end, and is refused.
// Tested by compile_test.cc and by the official suite.
#pragma once

#include <array>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "tercel/base/result.h"
#include "tercel/json/value.h"
#include "tercel/schema/code.h"
#include "tercel/schema/registry.h"

namespace tercel::schema {

class Compiler {
 public:
  explicit Compiler(Registry& registry);

  [[nodiscard]] Result<Program> compile(std::string_view uri);

 private:
  // A subschema, and where it is.
  struct Site {
    json::Value schema;
    const SchemaResource* resource;
    std::string location;  // URI, '#' and a JSON Pointer.
    Index index = kNoIndex;
  };

  // --- compiler.cc
  [[nodiscard]] bool compile_all();
  [[nodiscard]] bool compile_site();
  void collect_keywords();
  void finish_site();
  // The index of a subschema, which joins the work list when it is new.
  [[nodiscard]] Index subschema(Site site);
  [[nodiscard]] std::optional<Site> resolve(std::string_view reference, const SchemaResource& from);
  [[nodiscard]] std::optional<Site> follow_pointer(std::string_view pointer, Site site);
  // Completes the targets of dynamic anchors. Returns false when nothing new came of it.
  [[nodiscard]] bool complete_anchors();
  [[nodiscard]] Index resource_index(const SchemaResource* resource);

  // --- compile_any.cc, compile_values.cc, compile_containers.cc: each returns false after it
  // refused.
  [[nodiscard]] bool compile_any();
  [[nodiscard]] bool compile_refs();
  [[nodiscard]] bool compile_reference(Keyword keyword);
  [[nodiscard]] bool compile_dynamic(Keyword keyword, std::string_view anchor, const Site& target);
  [[nodiscard]] bool compile_branches(Keyword keyword, Op op);
  [[nodiscard]] bool compile_condition();
  [[nodiscard]] bool compile_type();
  [[nodiscard]] bool compile_enum();
  [[nodiscard]] bool compile_numbers();
  [[nodiscard]] bool compile_strings();
  [[nodiscard]] bool compile_array();
  [[nodiscard]] bool compile_items();
  [[nodiscard]] bool compile_contains();
  [[nodiscard]] bool compile_object();
  [[nodiscard]] bool compile_members();
  [[nodiscard]] bool compile_properties(Members& members);
  [[nodiscard]] bool compile_required(Members& members);
  [[nodiscard]] bool compile_patterns(Members& members);
  [[nodiscard]] bool compile_dependencies(Keyword keyword);
  [[nodiscard]] bool compile_unevaluated();
  [[nodiscard]] bool count_keyword(Group group, Op op, Keyword keyword);

  // --- compile_parts.cc
  [[nodiscard]] bool has(Keyword keyword) const noexcept { return value_of(keyword) != nullptr; }
  [[nodiscard]] const json::Node* value_of(Keyword keyword) const noexcept {
    return keywords_[static_cast<std::size_t>(keyword)];
  }
  [[nodiscard]] json::Value get(Keyword keyword) const noexcept {
    return json::Value{value_of(keyword)};
  }
  Instruction& emit(Group group, Op op, Keyword keyword, Index first = 0, Index second = 0);
  [[nodiscard]] Index location_of(Keyword keyword);
  [[nodiscard]] std::string path_to(Keyword keyword) const;
  // The subschema that is the value of the keyword, or is in it.
  [[nodiscard]] Index child(Keyword keyword);
  [[nodiscard]] Index child(Keyword keyword, std::string_view token, json::Value schema);
  // The subschemas of an array: their begin in lists.
  [[nodiscard]] std::optional<Index> children(Keyword keyword);
  [[nodiscard]] std::optional<Index> regex(Keyword keyword, std::string_view pattern);
  [[nodiscard]] Index property(Members& members, std::string_view key);
  void fill_slots(Members& members);
  [[nodiscard]] bool strings_only(Keyword keyword, json::Value array);
  // Notes why; always false.
  bool refuse(Keyword keyword, std::string reason);

  Registry& registry_;
  std::unique_ptr<Code> code_;
  std::vector<Site> work_;
  std::unordered_map<const json::Node*, Index> known_;
  std::unordered_map<const SchemaResource*, Index> resource_indexes_;
  std::vector<const SchemaResource*> resources_;
  std::unordered_map<std::string, Index> regex_indexes_;

  // Of the subschema that is compiled.
  Site site_;
  std::array<const json::Node*, kKeywordCount> keywords_{};
  std::array<std::vector<Instruction>, kGroups> groups_;
};

// Lets references to subschemas that only refer to others go to those directly. Returns the index
// of a subschema that refers to itself without a step into the value, or kNoIndex.
[[nodiscard]] Index link(Code& code);

}  // namespace tercel::schema
