// The hash of the tables of enum. Internal to tercel/schema.
#pragma once

#include "tercel/base/keyed_hash.h"

namespace tercel::schema {

// No secret: who writes a document adds nothing to a table, and finds in it at most as many values
// in a row as the schema's author put there.
inline constexpr KeyedHash kEnumHash{0x7465726365, 0x656e756d};

}  // namespace tercel::schema
