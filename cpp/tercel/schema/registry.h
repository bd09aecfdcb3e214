// Schemas by their URI, and the compiler's front: references between documents are found here.
//
//   schema::Registry registry;
//   if (!registry.add("https://example.org/order", text)) return complain(registry.fault());
//   Result<schema::Program> program = registry.compile("https://example.org/order");
//
// Nothing is fetched: what a schema refers to is added first, in any order, but for metaschemas of
// other dialects, which come before the schemas that name them. The metaschemas of 2020-12, 2019-09
// and draft 7 are built in. Without `$schema` a document is 2020-12.
//
// Resource: not moved; programs point into it. Thread: one. Memory that is exhausted ends the
// process: schemas are read at the start. Source: JSON Schema 2020-12 core, sections 8 and 9.
// Tested by registry_test.cc, compile_test.cc.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "tercel/base/result.h"
#include "tercel/json/document.h"
#include "tercel/json/parser.h"
#include "tercel/schema/keyword.h"
#include "tercel/schema/program.h"

namespace tercel::schema {

// Which keywords mean something.
struct Dialect {
  Draft draft = Draft::k2020;
  std::uint8_t vocabularies = 0x3f;  // A bit for each Vocabulary.
  bool asserts_formats = false;

  [[nodiscard]] bool has(Keyword keyword) const noexcept {
    const KeywordInfo& row = info(keyword);
    return (row.drafts >> static_cast<unsigned>(draft) & 1) != 0 &&
           (vocabularies >> static_cast<unsigned>(row.vocabulary) & 1) != 0;
  }
};

// A schema with a URI of its own: a document, or a part of one with `$id`.
struct SchemaResource {
  std::string uri;  // Absolute, without fragment.
  json::Value root;
  Dialect dialect;
  std::unordered_map<std::string, json::Value> anchors{};  // Those that are dynamic, too.
  std::unordered_set<std::string> dynamic_anchors{};
};

// Why a schema is not taken.
struct SchemaFault {
  std::string location;  // URI, '#' and a JSON Pointer to the keyword; or of the document.
  std::string keyword;
  std::string reason;  // A sentence without capital and full stop. May quote the schema.
};

class Registry {
 public:
  Registry();
  Registry(const Registry&) = delete;
  Registry& operator=(const Registry&) = delete;
  ~Registry();

  // Each fails with kBadSchema or kBadJson; then fault() says why.
  // `uri` is that of the document; its `$id` is resolved against it.
  [[nodiscard]] Result<void> add(std::string_view uri, std::string_view text);
  // `uri` may have a fragment: a JSON Pointer or an anchor.
  [[nodiscard]] Result<Program> compile(std::string_view uri);
  [[nodiscard]] const SchemaFault& fault() const noexcept { return fault_; }

 private:
  friend class Compiler;
  friend class Indexer;

  // Null when there is none. Metaschemas that are built in are read when they are first asked for.
  [[nodiscard]] const SchemaResource* find(std::string_view uri);
  // The resource whose root is at `node`; null when there is none.
  [[nodiscard]] const SchemaResource* at(const json::Node* node) const noexcept;
  // The dialect that `$schema` names.
  [[nodiscard]] Result<Dialect> find_dialect(std::string_view uri);
  [[nodiscard]] Failure refuse(std::string location, std::string_view keyword, std::string reason);

  json::Parser parser_;
  std::vector<std::unique_ptr<json::Document>> documents_;
  std::vector<std::unique_ptr<SchemaResource>> resources_;
  std::unordered_map<std::string, const SchemaResource*> by_uri_;
  std::unordered_map<const json::Node*, const SchemaResource*> by_node_;
  SchemaFault fault_;
};

}  // namespace tercel::schema
