// References between schemas: URIs resolved against a base.
//
// Source: RFC 3986 section 5.2. Not checked against its grammar: what a schema's author writes is
// compared, never fetched. Tested by uri_test.cc.
#pragma once

#include <string>
#include <string_view>

namespace tercel::schema {

// The absolute form of `reference`, with its fragment. With a base that is empty, or has no
// hierarchy (urn:...), a reference is taken as it is unless it is a fragment.
[[nodiscard]] std::string resolve_uri(std::string_view base, std::string_view reference);

struct SplitUri {
  std::string_view document;  // Without the fragment.
  std::string_view fragment;  // Without the '#'.
};
[[nodiscard]] SplitUri split_fragment(std::string_view uri) noexcept;

// What the escapes of a fragment stand for; an '%' without two hex digits stays.
[[nodiscard]] std::string percent_decoded(std::string_view text);

}  // namespace tercel::schema
