// Finds what a document identifies: the `$id`s, anchors and dynamic anchors of its subschemas.
//
// Internal to tercel/schema. Looks only where the dialect has subschemas: an `$id` in an enum or in
// an unknown keyword is none. Recursion is as deep as the document, which the parser limits.
// Source: JSON Schema 2020-12 core, section 8.2. Tested by registry_test.cc.
#pragma once

#include <string>

#include "tercel/base/result.h"
#include "tercel/json/value.h"
#include "tercel/schema/registry.h"

namespace tercel::schema {

class Indexer {
 public:
  explicit Indexer(Registry& registry) noexcept : registry_{registry} {}

  [[nodiscard]] Result<void> index_document(const std::string& uri, json::Value root);

 private:
  [[nodiscard]] Result<void> index(json::Value schema, SchemaResource* resource);
  [[nodiscard]] Result<void> index_all(json::Value container, SchemaResource* resource);
  // The resource that begins at `schema`, or `resource` when none does. Null: refused.
  [[nodiscard]] SchemaResource* enter(json::Value schema, SchemaResource* resource);
  [[nodiscard]] SchemaResource* add_resource(std::string uri, json::Value root, Dialect dialect);
  void note_anchors(json::Value schema, SchemaResource& resource);

  Registry& registry_;
};

}  // namespace tercel::schema
