#include "tercel/schema/compiler.h"

#include <algorithm>

#include "tercel/schema/pointer.h"
#include "tercel/schema/uri.h"

namespace tercel::schema {

Compiler::Compiler(Registry& registry)
    : registry_{registry},
      code_{std::make_unique<Code>()},
      site_{.schema = json::Value{nullptr}, .resource = nullptr, .location = {}} {}

Result<Program> Compiler::compile(std::string_view uri) {
  // As a reference from nowhere.
  const SchemaResource nowhere{.uri = {}, .root = json::Value{nullptr}, .dialect = {}};
  std::optional<Site> root = resolve(uri, nowhere);
  if (!root) return registry_.refuse(std::string{uri}, "", "no schema has this URI");
  code_->root = subschema(std::move(*root));
  do {
    if (!compile_all()) return fail(Errc::kBadSchema);
  } while (complete_anchors());
  const Index endless = link(*code_);
  if (endless != kNoIndex) {
    const Index location = code_->subschemas[endless].location;
    return registry_.refuse(code_->locations[location], info(Keyword::kRef).name,
                            "the schema refers to itself without a step into the value");
  }
  return Program{std::move(code_)};
}

bool Compiler::compile_all() {
  while (!work_.empty()) {
    site_ = std::move(work_.back());
    work_.pop_back();
    if (!compile_site()) return false;
  }
  return true;
}

Index Compiler::resource_index(const SchemaResource* resource) {
  const auto [found, added] =
      resource_indexes_.try_emplace(resource, static_cast<Index>(resources_.size()));
  if (added) resources_.push_back(resource);
  return found->second;
}

Index Compiler::subschema(Site site) {
  const auto [found, added] =
      known_.try_emplace(site.schema.node(), static_cast<Index>(code_->subschemas.size()));
  if (!added) return found->second;
  if (const SchemaResource* const begins = registry_.at(site.schema.node())) {
    site.resource = begins;
    site.location = begins->uri + "#";
  }
  site.index = found->second;
  Subschema& made = code_->subschemas.emplace_back();
  made.resource = resource_index(site.resource);
  made.location = static_cast<Index>(code_->locations.size());
  made.limit = site.schema.node();
  code_->locations.push_back(site.location);
  work_.push_back(std::move(site));
  return work_.back().index;
}

void Compiler::collect_keywords() {
  keywords_.fill(nullptr);
  const Dialect& dialect = site_.resource->dialect;
  const bool only_ref = dialect.draft == Draft::k7 && site_.schema.find(info(Keyword::kRef).name);
  for (const json::Member member : site_.schema.members()) {
    const Keyword keyword = find_keyword(member.key());
    if (keyword == Keyword::kNone || !dialect.has(keyword)) continue;
    if (only_ref && keyword != Keyword::kRef) continue;
    keywords_[static_cast<std::size_t>(keyword)] = member.value().node();
  }
}

bool Compiler::compile_site() {
  if (site_.schema.is_boolean()) {
    Subschema& made = code_->subschemas[site_.index];
    made.never = !site_.schema.boolean();
    made.types = made.never ? 0 : types::kAll;
    return true;
  }
  if (!site_.schema.is_object()) {
    return refuse(Keyword::kNone, "a schema is an object or a boolean");
  }
  collect_keywords();
  for (auto& group : groups_) group.clear();
  if (!compile_type() || !compile_enum() || !compile_numbers() || !compile_strings() ||
      !compile_array() || !compile_object() || !compile_any() || !compile_unevaluated()) {
    return false;
  }
  finish_site();
  return true;
}

void Compiler::finish_site() {
  Subschema& made = code_->subschemas[site_.index];
  for (std::size_t group = 0; group < kGroups; ++group) {
    made.groups[group] = static_cast<Index>(code_->instructions.size());
    code_->instructions.insert(code_->instructions.end(), groups_[group].begin(),
                               groups_[group].end());
  }
  made.groups[kGroups] = static_cast<Index>(code_->instructions.size());
}

std::optional<Compiler::Site> Compiler::follow_pointer(std::string_view pointer, Site site) {
  while (!pointer.empty()) {
    const std::string token = take_token(pointer);
    const std::optional<json::Value> next = find_child(site.schema, token);
    if (!next) return std::nullopt;
    site.schema = *next;
    if (const SchemaResource* const begins = registry_.at(next->node())) {
      site.resource = begins;
      site.location = begins->uri + "#";
    } else {
      append_token(site.location, token);
    }
  }
  return site;
}

std::optional<Compiler::Site> Compiler::resolve(std::string_view reference,
                                                const SchemaResource& from) {
  const std::string uri = resolve_uri(from.uri, reference);
  const auto [document, raw_fragment] = split_fragment(uri);
  const SchemaResource* const resource =
      document == from.uri && from.root.node() != nullptr ? &from : registry_.find(document);
  if (resource == nullptr) return std::nullopt;
  const std::string fragment = percent_decoded(raw_fragment);
  Site site{.schema = resource->root, .resource = resource, .location = resource->uri + "#"};
  if (fragment.empty()) return site;
  if (fragment.front() == '/') return follow_pointer(fragment, std::move(site));
  const auto anchor = resource->anchors.find(fragment);
  if (anchor == resource->anchors.end()) return std::nullopt;
  site.schema = anchor->second;
  if (site.schema.node() != resource->root.node()) {
    site.location += to_pointer(find_path(resource->root, site.schema));
  }
  return site;
}

bool Compiler::complete_anchors() {
  bool added = false;
  for (std::size_t i = 0; i < code_->anchors.size(); ++i) {
    const std::string name = code_->anchors[i].name;
    // The list grows while it is read: a subschema may bring a resource.
    for (std::size_t r = 0; r < resources_.size(); ++r) {
      const SchemaResource* const resource = resources_[r];
      const auto index = static_cast<Index>(r);
      const auto& targets = code_->anchors[i].targets;
      const bool known = std::any_of(targets.begin(), targets.end(),
                                     [index](const auto& row) { return row.resource == index; });
      if (known || !resource->dynamic_anchors.contains(name)) continue;
      const json::Value schema = name.empty() ? resource->root : resource->anchors.at(name);
      Site site{.schema = schema, .resource = resource, .location = resource->uri + "#"};
      site.location += to_pointer(find_path(resource->root, schema));
      const Index target = subschema(std::move(site));
      code_->anchors[i].targets.push_back({.resource = index, .schema = target});
      added = true;
    }
  }
  return added;
}

}  // namespace tercel::schema
