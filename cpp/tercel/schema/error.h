// What is wrong with a value, in terms that a program can act on.
//
// Values. Views are into the program and the document. Tested by error_test.cc.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tercel/json/value.h"
#include "tercel/schema/keyword.h"
#include "tercel/schema/pointer.h"

namespace tercel::schema {

struct Error {
  // Which keyword refused the value. kNone: the schema `false`.
  Keyword keyword;
  // The value that it refused; for `required` the object that lacks `name`, for a schema in
  // additionalProperties or propertyNames the member or its key.
  json::Value value;
  // The value of the keyword in the schema: the limit, the pattern, the list of what is allowed.
  std::optional<json::Value> limit;
  // The property that is missing (required, dependentRequired) or that should not be there
  // (additionalProperties, unevaluatedProperties); else empty.
  std::string_view name;
  // URI of the schema, '#' and a JSON Pointer to the keyword.
  std::string_view schema_location;
};

// The code that pydantic v2 has for an error of this kind: "missing", "greater_than_equal",
// "string_too_short". A keyword without such a code has its own name.
[[nodiscard]] std::string_view code_of(const Error& error) noexcept;

// A sentence without capital and full stop, for people: "must be at least 5". What the client sent
// is not in it.
[[nodiscard]] std::string describe(const Error& error);

}  // namespace tercel::schema
