#include "tercel/json/value.h"

#include "tercel/json/number_scan.h"

namespace tercel::json {

double Value::large_float64() const noexcept {
  TERCEL_ASSERT(kind() == Kind::kUnsigned || kind() == Kind::kBigInteger);
  return kind() == Kind::kUnsigned ? static_cast<double>(node_->natural)
                                   : nearest_double(number_text());
}

std::optional<Value> Value::find(std::string_view key) const noexcept {
  const std::uint16_t hash = hash_key(key);
  for (const Member member : members()) {
    if (member.key_hash() == hash && member.key() == key) return member.value();
  }
  return std::nullopt;
}

}  // namespace tercel::json
