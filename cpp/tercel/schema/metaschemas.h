// The metaschemas of 2020-12, 2019-09 and draft 7, as data.
//
// A schema may refer to them, and dialects begin with them. Source: json-schema.org.
#pragma once

#include <string_view>

namespace tercel::schema {

inline constexpr std::string_view k2020Metaschema = "https://json-schema.org/draft/2020-12/schema";
inline constexpr std::string_view k2019Metaschema = "https://json-schema.org/draft/2019-09/schema";
inline constexpr std::string_view k7Metaschema = "http://json-schema.org/draft-07/schema";

// The text of the one with this URI; empty when there is none.
[[nodiscard]] std::string_view builtin_metaschema(std::string_view uri) noexcept;

}  // namespace tercel::schema
