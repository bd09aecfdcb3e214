// What a schema is compiled into: flat arrays that refer to each other by index.
//
// Internal to tercel/schema: written by Compiler, run by Run. A subschema is a mask of the types it
// admits and a row of instructions, grouped by the type of value that they judge, so that a value
// meets only those that concern it. What looks at all members of an object is one instruction, so
// an object is walked once.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

#include "tercel/json/decimal.h"
#include "tercel/json/value.h"
#include "tercel/schema/format.h"
#include "tercel/schema/keyword.h"
#include "tercel/schema/regex.h"

namespace tercel::schema {

using Index = std::uint32_t;
inline constexpr Index kNoIndex = std::numeric_limits<Index>::max();

// Bits of the types that JSON Schema tells apart. kInteger: 1.0 is one.
namespace types {
inline constexpr std::uint8_t kNull = 1;
inline constexpr std::uint8_t kBoolean = 2;
inline constexpr std::uint8_t kInteger = 4;
inline constexpr std::uint8_t kFraction = 8;  // A number that is no integer.
inline constexpr std::uint8_t kString = 16;
inline constexpr std::uint8_t kArray = 32;
inline constexpr std::uint8_t kObject = 64;
inline constexpr std::uint8_t kNumber = kInteger | kFraction;
inline constexpr std::uint8_t kAll = 127;
}  // namespace types

// What an instruction does with `first` and `second`.
enum class Op : std::uint8_t {
  kApply,         // first: a subschema that must hold, too: $ref, allOf.
  kApplyDynamic,  // first: a dynamic anchor. second: the subschema when no scope has it.
  kAnyOf,         // first, second: begin and end in lists.
  kOneOf,         // As kAnyOf.
  kSwitch,        // first: in switches. Stands for a kAnyOf or kOneOf.
  kNot,           // first: a subschema.
  kIf,            // first: in lists the condition, then and else, each perhaps kNoIndex.
  kConst,         // `limit`.
  kEnum,          // `limit`.
  kEnumTable,     // first: in enums.
  kMinimum,       // `limit`, with those that follow.
  kMaximum,
  kExclusiveMinimum,
  kExclusiveMaximum,
  kMultipleOf,  // first: in divisors.
  kMinLength,   // first: characters.
  kMaxLength,
  kPattern,   // first: in regexes.
  kFormat,    // first: a Format. second: 1 when it is asserted whatever the options are.
  kMinItems,  // first: elements.
  kMaxItems,
  kUniqueItems,
  kPrefixItems,    // first, second: begin and end in lists.
  kItems,          // first: a subschema. second: elements in front that it is not for.
  kContains,       // first: in lists the subschema, minimum, maximum, and 1 if it evaluates.
  kMinProperties,  // first: members.
  kMaxProperties,
  kMembers,           // first: in members.
  kPropertyNames,     // first: a subschema.
  kRequires,          // first, second: begin and end in names; with the first, all others.
  kRequiresSchema,    // first: in names. second: a subschema that must hold with that member.
  kUnevaluatedItems,  // first: a subschema.
  kUnevaluatedProperties
};

struct Instruction {
  Op op;
  Keyword keyword;
  Index location;  // In locations.
  Index first = 0;
  Index second = 0;
  const json::Node* limit = nullptr;  // The value of the keyword in the schema.
  double number = 0;                  // Of kMinimum and its like: the double nearest to it.
};

// In this order are a subschema's instructions; each group ends where the next one begins.
enum class Group : std::uint8_t { kNumber, kString, kArray, kObject, kAny, kUnevaluated };
inline constexpr std::size_t kGroups = 6;

struct Subschema {
  std::uint8_t types = types::kAll;
  bool never = false;         // The schema `false`.
  bool tracks = false;        // It has an unevaluated*, and so must know what was evaluated.
  Index resource = 0;         // For the dynamic scope.
  Index location = kNoIndex;  // Of `type`, or of `false`.
  const json::Node* limit = nullptr;        // The value of `type`, or `false`.
  std::array<Index, kGroups + 1> groups{};  // Begin of each group in instructions, and the end.

  [[nodiscard]] bool simple() const noexcept { return groups.front() == groups.back(); }
};

struct Property {
  std::string_view key;
  std::uint16_t hash;
  bool declared = false;  // By `properties`: else by `required` alone.
  bool required = false;
  Index schema = kNoIndex;
};

struct PatternProperty {
  Index regex;
  Index schema;
};

// properties, patternProperties, additionalProperties and required.
struct Members {
  Index properties = 0;  // Begin in properties.
  Index properties_end = 0;
  Index slots = 0;  // Begin in slots, of a power of two of them; each is kNoIndex or a property.
  std::uint32_t mask = 0;
  Index patterns = 0;  // Begin in patterns.
  Index patterns_end = 0;
  Index additional = kNoIndex;
  std::uint32_t required = 0;
  Index additional_location = kNoIndex;
  Index required_location = kNoIndex;
  const json::Node* additional_limit = nullptr;
  const json::Node* required_limit = nullptr;
};

// An anyOf or oneOf whose branches are objects that require one property, each with another
// constant string: the property says which branch alone can be valid.
struct Switch {
  struct Case {
    std::string_view tag;
    Index schema;
  };
  std::string_view key;
  std::vector<Case> cases;
};

// The values of a large enum by their hash.
struct EnumTable {
  std::vector<const json::Node*> slots;  // A power of two.
};

// The subschemas that a dynamic anchor names, by resource.
struct DynamicAnchor {
  struct Target {
    Index resource;
    Index schema;
  };
  std::string name;
  std::vector<Target> targets;
};

struct Code {
  std::vector<Subschema> subschemas;
  std::vector<Instruction> instructions;
  std::vector<Index> lists;
  std::vector<Members> members;
  std::vector<Property> properties;
  std::vector<Index> slots;
  std::vector<PatternProperty> patterns;
  std::vector<std::string_view> names;
  std::vector<Regex> regexes;
  std::vector<std::string> regex_texts;
  std::vector<json::Divisor> divisors;
  std::vector<EnumTable> enums;
  std::vector<Switch> switches;
  std::vector<DynamicAnchor> anchors;
  std::vector<std::string> locations;
  Index root = 0;
};

}  // namespace tercel::schema
