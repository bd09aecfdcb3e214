// Writes a parsed value, for tests, fuzz targets and tools.
#pragma once

#include <string>

#include "tercel/base/block_pool.h"
#include "tercel/json/value.h"
#include "tercel/json/write_value.h"
#include "tercel/json/writer.h"

namespace tercel::json {

inline std::string to_text(Value value) {
  BlockPool pool;
  Writer writer{pool};
  write_value(writer, value);
  return std::string{writer.view()};
}

}  // namespace tercel::json
