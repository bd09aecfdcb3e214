// What a route does with the body of a request before it is called.
//
// A value.
#pragma once

#include <cstdint>
#include <string>

#include "tercel/api/limits.h"

namespace tercel::api {

enum class BodyKind : std::uint8_t {
  kNone,   // It is not looked at.
  kJson,   // Collected and parsed. A request that has none fails, unless it is optional.
  kBytes,  // Collected as it is, whatever its type.
  kForm    // Read into parameters. Files go to memory or to disk as they arrive (form.h).
};

struct BodyPlan {
  BodyKind kind = BodyKind::kNone;
  bool required = true;
  bool unique_keys = false;  // JSON with a key twice in an object is malformed: 400.
  // A body of JSON may come as MessagePack instead (json/msgpack_reader.h).
  bool msgpack = false;
  std::uint64_t bytes_max = kBodyBytesMaxDefault;  // 413
  std::string schema = {};  // JSON Schema of a JSON body; empty: any value will do.
};

}  // namespace tercel::api
