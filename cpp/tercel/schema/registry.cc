#include "tercel/schema/registry.h"

#include <algorithm>

#include "tercel/schema/compiler.h"
#include "tercel/schema/indexer.h"
#include "tercel/schema/metaschemas.h"
#include "tercel/schema/uri.h"

namespace tercel::schema {
namespace {

struct KnownVocabulary {
  std::string_view name;
  unsigned bits;
};
constexpr unsigned bit(Vocabulary vocabulary) noexcept {
  return 1U << static_cast<unsigned>(vocabulary);
}
// Behind "https://json-schema.org/draft/2020-12/vocab/", or 2019-09.
constexpr KnownVocabulary kVocabularies[] = {{"core", bit(Vocabulary::kCore)},
                                             {"applicator", bit(Vocabulary::kApplicator)},
                                             {"unevaluated", bit(Vocabulary::kUnevaluated)},
                                             {"validation", bit(Vocabulary::kValidation)},
                                             {"meta-data", 0},
                                             {"format", bit(Vocabulary::kFormat)},
                                             {"format-annotation", bit(Vocabulary::kFormat)},
                                             {"format-assertion", bit(Vocabulary::kFormat)},
                                             {"content", bit(Vocabulary::kContent)}};
constexpr std::string_view k2020Vocabulary = "https://json-schema.org/draft/2020-12/vocab/";
constexpr std::string_view k2019Vocabulary = "https://json-schema.org/draft/2019-09/vocab/";

std::optional<Dialect> standard_dialect(std::string_view uri) noexcept {
  if (uri.ends_with('#')) uri.remove_suffix(1);
  if (uri == k2020Metaschema) return Dialect{.draft = Draft::k2020};
  if (uri == k2019Metaschema) return Dialect{.draft = Draft::k2019};
  if (uri == k7Metaschema) return Dialect{.draft = Draft::k7};
  return std::nullopt;
}

}  // namespace

Registry::Registry() = default;
Registry::~Registry() = default;

Failure Registry::refuse(std::string location, std::string_view keyword, std::string reason) {
  fault_ = {.location = std::move(location),
            .keyword = std::string{keyword},
            .reason = std::move(reason)};
  return fail(Errc::kBadSchema);
}

Result<void> Registry::add(std::string_view uri_text, std::string_view text) {
  const std::string uri{split_fragment(uri_text).document};
  if (by_uri_.contains(uri)) return refuse(uri, "", "there is another schema with this URI");
  auto document = std::make_unique<json::Document>();
  const Result<json::Value> root = parser_.parse(
      text, *document,
      {.duplicates = json::DuplicatePolicy::kRefuse, .text = json::TextPolicy::kCopy});
  if (!root) {
    const auto [line, column] = json::find_position(text, parser_.fault().offset);
    static_cast<void>(refuse(uri, "",
                             "line " + std::to_string(line) + ", column " + std::to_string(column) +
                                 ": " + std::string{json::describe(parser_.fault().kind)}));
    return fail(root.error());
  }
  documents_.push_back(std::move(document));
  return Indexer{*this}.index_document(uri, *root);
}

Result<Program> Registry::compile(std::string_view uri) {
  return Compiler{*this}.compile(uri);
}

const SchemaResource* Registry::find(std::string_view uri) {
  const auto found = by_uri_.find(std::string{uri});
  if (found != by_uri_.end()) return found->second;
  const std::string_view text = builtin_metaschema(uri);
  if (text.empty() || !add(uri, text)) return nullptr;
  return by_uri_.find(std::string{uri})->second;
}

const SchemaResource* Registry::at(const json::Node* node) const noexcept {
  const auto found = by_node_.find(node);
  return found == by_node_.end() ? nullptr : found->second;
}

Result<Dialect> Registry::find_dialect(std::string_view uri) {
  if (const auto standard = standard_dialect(uri)) return *standard;
  const SchemaResource* const metaschema = find(split_fragment(uri).document);
  if (metaschema == nullptr) {
    return refuse(std::string{uri}, info(Keyword::kSchema).name,
                  "this dialect is not known; its metaschema must be added first");
  }
  Dialect dialect = metaschema->dialect;
  const auto vocabularies = metaschema->root.is_object()
                                ? metaschema->root.find(info(Keyword::kVocabulary).name)
                                : std::nullopt;
  if (!vocabularies || !vocabularies->is_object()) return dialect;
  unsigned bits = bit(Vocabulary::kCore);
  for (const json::Member member : vocabularies->members()) {
    std::string_view name = member.key();
    const bool is_2019 = name.starts_with(k2019Vocabulary);
    const bool standard = is_2019 || name.starts_with(k2020Vocabulary);
    if (standard) name.remove_prefix(k2020Vocabulary.size());
    const auto* const known =
        std::find_if(std::begin(kVocabularies), std::end(kVocabularies),
                     [name](const KnownVocabulary& row) { return row.name == name; });
    if (standard && known != std::end(kVocabularies)) {
      bits |= known->bits;
      if (is_2019 && name == "applicator") bits |= bit(Vocabulary::kUnevaluated);
      if (name == "format-assertion") dialect.asserts_formats = true;
    } else if (member.value().kind() == json::Kind::kTrue) {
      return refuse(metaschema->uri, info(Keyword::kVocabulary).name,
                    "a vocabulary that is required is not known: " + std::string{member.key()});
    }
  }
  dialect.vocabularies = static_cast<std::uint8_t>(bits);
  return dialect;
}

}  // namespace tercel::schema
