#include "tercel/http/message.h"

#include <algorithm>

#include "tercel/http/chars.h"

namespace tercel::http {

const Field* find_field(std::span<const Field> fields, std::string_view name) noexcept {
  const auto found = std::find_if(fields.begin(), fields.end(), [name](const Field& field) {
    return equals_ignoring_case(field.name, name);
  });
  return found != fields.end() ? &*found : nullptr;
}

bool is_of_connection(std::string_view name) noexcept {
  switch (name.size()) {
    case 2:
      return name == "te";
    case 7:
      return name == "upgrade";
    case 10:
      return name == "connection" || name == "keep-alive";
    case 16:
      return name == "proxy-connection";
    case 17:
      return name == "transfer-encoding";
    default:
      return false;
  }
}

}  // namespace tercel::http
