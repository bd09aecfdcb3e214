// Writes a parsed value as JSON again.
//
// Decimals are written as their nearest double, or, where that is infinite, as they were. Cost:
// linear; recurses as deep as the document is. Tested by write_value_test.cc.
#pragma once

#include "tercel/json/value.h"
#include "tercel/json/writer.h"

namespace tercel::json {

void write_value(Writer& writer, Value value) noexcept;

}  // namespace tercel::json
