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

}  // namespace tercel::http
