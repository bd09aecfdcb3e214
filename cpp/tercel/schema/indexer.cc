#include "tercel/schema/indexer.h"

#include "tercel/schema/uri.h"

namespace tercel::schema {
namespace {

std::optional<std::string_view> string_member(json::Value schema, Keyword keyword) {
  const auto value = schema.find(info(keyword).name);
  if (!value || !value->is_string()) return std::nullopt;
  return value->string();
}

}  // namespace

SchemaResource* Indexer::add_resource(std::string uri, json::Value root, Dialect dialect) {
  registry_.resources_.push_back(std::make_unique<SchemaResource>(
      SchemaResource{.uri = std::move(uri), .root = root, .dialect = dialect}));
  SchemaResource* const resource = registry_.resources_.back().get();
  registry_.by_uri_.try_emplace(resource->uri, resource);
  registry_.by_node_[root.node()] = resource;
  return resource;
}

Result<void> Indexer::index_document(const std::string& uri, json::Value root) {
  Dialect dialect;
  if (root.is_object()) {
    if (const auto named = string_member(root, Keyword::kSchema)) {
      const Result<Dialect> found = registry_.find_dialect(*named);
      if (!found) return fail(found.error());
      dialect = *found;
    }
  }
  SchemaResource* const resource = add_resource(uri, root, dialect);
  return index(root, resource);
}

SchemaResource* Indexer::enter(json::Value schema, SchemaResource* resource) {
  // Up to draft 7 nothing beside a `$ref` counts.
  const bool only_ref = resource->dialect.draft == Draft::k7 && schema.find("$ref");
  const auto id = only_ref ? std::nullopt : string_member(schema, Keyword::kId);
  if (!id) return resource;
  const auto [document, fragment] = split_fragment(*id);
  if (!fragment.empty() && resource->dialect.draft == Draft::k7) {
    resource->anchors.try_emplace(std::string{fragment}, schema);
  }
  if (document.empty()) return resource;
  std::string uri = resolve_uri(resource->uri, document);
  if (schema.node() == resource->root.node()) {
    // The document is found by the name it was added by, and by its own, which is its base.
    resource->uri = std::move(uri);
    registry_.by_uri_.try_emplace(resource->uri, resource);
    return resource;
  }
  Dialect dialect = resource->dialect;
  if (const auto named = string_member(schema, Keyword::kSchema)) {
    const Result<Dialect> found = registry_.find_dialect(*named);
    if (!found) return nullptr;
    dialect = *found;
  }
  return add_resource(std::move(uri), schema, dialect);
}

void Indexer::note_anchors(json::Value schema, SchemaResource& resource) {
  if (resource.dialect.has(Keyword::kAnchor)) {
    if (const auto anchor = string_member(schema, Keyword::kAnchor)) {
      resource.anchors.try_emplace(std::string{*anchor}, schema);
    }
  }
  if (resource.dialect.has(Keyword::kDynamicAnchor)) {
    if (const auto anchor = string_member(schema, Keyword::kDynamicAnchor)) {
      resource.anchors.try_emplace(std::string{*anchor}, schema);
      resource.dynamic_anchors.emplace(*anchor);
    }
  }
  if (resource.dialect.has(Keyword::kRecursiveAnchor) && schema.node() == resource.root.node()) {
    const auto recursive = schema.find(info(Keyword::kRecursiveAnchor).name);
    if (recursive && recursive->kind() == json::Kind::kTrue) resource.dynamic_anchors.emplace("");
  }
}

Result<void> Indexer::index(json::Value schema, SchemaResource* outer) {
  if (!schema.is_object()) return {};
  SchemaResource* const resource = enter(schema, outer);
  if (resource == nullptr) return fail(Errc::kBadSchema);
  note_anchors(schema, *resource);
  for (const json::Member member : schema.members()) {
    const Keyword keyword = find_keyword(member.key());
    if (keyword == Keyword::kNone || !resource->dialect.has(keyword)) continue;
    switch (info(keyword).holds) {
      case Holds::kNothing:
        break;
      case Holds::kSchema:
        if (const auto done = index(member.value(), resource); !done) return done;
        break;
      case Holds::kSchemaOrSchemas:
        if (const auto done = index(member.value(), resource); !done) return done;
        [[fallthrough]];
      case Holds::kSchemas:
      case Holds::kMap:
        if (keyword == Keyword::kItems && !member.value().is_array()) break;
        if (const auto done = index_all(member.value(), resource); !done) return done;
        break;
    }
  }
  return {};
}

Result<void> Indexer::index_all(json::Value container, SchemaResource* resource) {
  if (container.is_array()) {
    for (const json::Value element : container.elements()) {
      if (const auto done = index(element, resource); !done) return done;
    }
  } else if (container.is_object()) {
    for (const json::Member member : container.members()) {
      if (const auto done = index(member.value(), resource); !done) return done;
    }
  }
  return {};
}

}  // namespace tercel::schema
