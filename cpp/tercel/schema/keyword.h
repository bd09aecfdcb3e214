// The keywords of JSON Schema that this layer knows, and what each holds.
//
// One table: where subschemas are, for finding identifiers; which vocabulary and which drafts a
// keyword belongs to. Source: JSON Schema 2020-12 and 2019-09, core and validation; draft 7.
// Tested by keyword_test.cc.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace tercel::schema {

enum class Draft : std::uint8_t { k7, k2019, k2020 };

// Where subschemas are in the value of a keyword.
enum class Holds : std::uint8_t { kNothing, kSchema, kSchemas, kMap, kSchemaOrSchemas };

enum class Vocabulary : std::uint8_t {
  kCore,
  kApplicator,
  kUnevaluated,
  kValidation,
  kFormat,
  kContent
};

inline constexpr unsigned kFrom7 = 7;  // Bits of drafts, the oldest lowest.
inline constexpr unsigned kFrom2019 = 6;
inline constexpr unsigned kOnly2020 = 4;
inline constexpr unsigned kUntil2019 = 3;
inline constexpr unsigned kOnly2019 = 2;

// enumerator, name, what it holds, vocabulary, drafts
#define TERCEL_SCHEMA_KEYWORDS(X)                                                      \
  X(kNone, "", kNothing, kCore, 0)                                                     \
  X(kId, "$id", kNothing, kCore, kFrom7)                                               \
  X(kSchema, "$schema", kNothing, kCore, kFrom7)                                       \
  X(kRef, "$ref", kNothing, kCore, kFrom7)                                             \
  X(kAnchor, "$anchor", kNothing, kCore, kFrom2019)                                    \
  X(kDynamicRef, "$dynamicRef", kNothing, kCore, kOnly2020)                            \
  X(kDynamicAnchor, "$dynamicAnchor", kNothing, kCore, kOnly2020)                      \
  X(kRecursiveRef, "$recursiveRef", kNothing, kCore, kOnly2019)                        \
  X(kRecursiveAnchor, "$recursiveAnchor", kNothing, kCore, kOnly2019)                  \
  X(kVocabulary, "$vocabulary", kNothing, kCore, kFrom2019)                            \
  X(kDefs, "$defs", kMap, kCore, kFrom2019)                                            \
  X(kDefinitions, "definitions", kMap, kCore, kFrom7)                                  \
  X(kAllOf, "allOf", kSchemas, kApplicator, kFrom7)                                    \
  X(kAnyOf, "anyOf", kSchemas, kApplicator, kFrom7)                                    \
  X(kOneOf, "oneOf", kSchemas, kApplicator, kFrom7)                                    \
  X(kNot, "not", kSchema, kApplicator, kFrom7)                                         \
  X(kIf, "if", kSchema, kApplicator, kFrom7)                                           \
  X(kThen, "then", kSchema, kApplicator, kFrom7)                                       \
  X(kElse, "else", kSchema, kApplicator, kFrom7)                                       \
  X(kPrefixItems, "prefixItems", kSchemas, kApplicator, kOnly2020)                     \
  X(kItems, "items", kSchemaOrSchemas, kApplicator, kFrom7)                            \
  X(kAdditionalItems, "additionalItems", kSchema, kApplicator, kUntil2019)             \
  X(kContains, "contains", kSchema, kApplicator, kFrom7)                               \
  X(kProperties, "properties", kMap, kApplicator, kFrom7)                              \
  X(kPatternProperties, "patternProperties", kMap, kApplicator, kFrom7)                \
  X(kAdditionalProperties, "additionalProperties", kSchema, kApplicator, kFrom7)       \
  X(kPropertyNames, "propertyNames", kSchema, kApplicator, kFrom7)                     \
  X(kDependentSchemas, "dependentSchemas", kMap, kApplicator, kFrom2019)               \
  X(kDependencies, "dependencies", kMap, kApplicator, kFrom7)                          \
  X(kUnevaluatedItems, "unevaluatedItems", kSchema, kUnevaluated, kFrom2019)           \
  X(kUnevaluatedProperties, "unevaluatedProperties", kSchema, kUnevaluated, kFrom2019) \
  X(kType, "type", kNothing, kValidation, kFrom7)                                      \
  X(kConst, "const", kNothing, kValidation, kFrom7)                                    \
  X(kEnum, "enum", kNothing, kValidation, kFrom7)                                      \
  X(kMultipleOf, "multipleOf", kNothing, kValidation, kFrom7)                          \
  X(kMaximum, "maximum", kNothing, kValidation, kFrom7)                                \
  X(kExclusiveMaximum, "exclusiveMaximum", kNothing, kValidation, kFrom7)              \
  X(kMinimum, "minimum", kNothing, kValidation, kFrom7)                                \
  X(kExclusiveMinimum, "exclusiveMinimum", kNothing, kValidation, kFrom7)              \
  X(kMaxLength, "maxLength", kNothing, kValidation, kFrom7)                            \
  X(kMinLength, "minLength", kNothing, kValidation, kFrom7)                            \
  X(kPattern, "pattern", kNothing, kValidation, kFrom7)                                \
  X(kMaxItems, "maxItems", kNothing, kValidation, kFrom7)                              \
  X(kMinItems, "minItems", kNothing, kValidation, kFrom7)                              \
  X(kUniqueItems, "uniqueItems", kNothing, kValidation, kFrom7)                        \
  X(kMaxContains, "maxContains", kNothing, kValidation, kFrom2019)                     \
  X(kMinContains, "minContains", kNothing, kValidation, kFrom2019)                     \
  X(kMaxProperties, "maxProperties", kNothing, kValidation, kFrom7)                    \
  X(kMinProperties, "minProperties", kNothing, kValidation, kFrom7)                    \
  X(kRequired, "required", kNothing, kValidation, kFrom7)                              \
  X(kDependentRequired, "dependentRequired", kNothing, kValidation, kFrom2019)         \
  X(kFormat, "format", kNothing, kFormat, kFrom7)                                      \
  X(kContentSchema, "contentSchema", kSchema, kContent, kFrom2019)

#define TERCEL_SCHEMA_NAME(enumerator, name, holds, vocabulary, drafts) enumerator,
enum class Keyword : std::uint8_t { TERCEL_SCHEMA_KEYWORDS(TERCEL_SCHEMA_NAME) };
#undef TERCEL_SCHEMA_NAME
inline constexpr std::size_t kKeywordCount = static_cast<std::size_t>(Keyword::kContentSchema) + 1;

struct KeywordInfo {
  std::string_view name;
  Holds holds;
  Vocabulary vocabulary;
  unsigned drafts;
};

// Of kNone: empty.
[[nodiscard]] const KeywordInfo& info(Keyword keyword) noexcept;
// kNone: it is none that this layer knows.
[[nodiscard]] Keyword find_keyword(std::string_view name) noexcept;

}  // namespace tercel::schema
