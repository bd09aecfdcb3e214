#include "tercel/json/value.h"

#include "tercel/json/number_scan.h"

namespace tercel::json {

double Value::float64() const noexcept {
  TERCEL_ASSERT(is_number());
  switch (kind()) {
    case Kind::kInteger:
      return static_cast<double>(node_->integer);
    case Kind::kUnsigned:
      return static_cast<double>(node_->natural);
    case Kind::kDecimal:
      return node_->decimal;
    default:
      return nearest_double(number_text());
  }
}

std::optional<Value> Value::find(std::string_view key) const noexcept {
  const std::uint16_t hash = hash_key(key);
  for (const Member member : members()) {
    if (member.key_hash() == hash && member.key() == key) return member.value();
  }
  return std::nullopt;
}

}  // namespace tercel::json
