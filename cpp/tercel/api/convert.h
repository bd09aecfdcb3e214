// Texts of parameters to values.
//
// | type    | texts                                                                               |
// |---------|-------------------------------------------------------------------------------------|
// | string  | any UTF-8                                                                           |
// | integer | `-` or nothing, then digits; up to 18 of them may begin with zeros                  |
// | number  | as JSON writes them                                                                 |
// | boolean | true false 1 0 yes no on off, in any case                                           |
// | file    | any UTF-8: the name of the file                                                     |
//
// Tested by convert_test.cc.
#pragma once

#include <optional>
#include <string_view>

#include "tercel/api/failures.h"
#include "tercel/api/parameter.h"
#include "tercel/json/scalar.h"

namespace tercel::api {

// Writes the value of `text` into `nodes`, which has room for json::kScalarNodesMax; it points into
// `text`. Returns what is wrong with it, and then the nodes are undefined.
[[nodiscard]] std::optional<FailureKind> convert(Type type, std::string_view text,
                                                 json::Node* nodes) noexcept;

}  // namespace tercel::api
