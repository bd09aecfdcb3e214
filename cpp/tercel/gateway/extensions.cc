#include "tercel/gateway/extensions.h"

#include <algorithm>

#include "tercel/http/chars.h"

namespace tercel::gateway {
namespace {

constexpr std::string_view kMetadata = "x-amz-meta-";
constexpr std::string_view kUnpack = "x-amz-meta-snowball-auto-extract";

constexpr char with_dash(char c) noexcept {
  return c == '_' ? '-' : c;
}

}  // namespace

bool is_extension(std::string_view name) noexcept {
  if (name.starts_with("x-minio-") || name.starts_with("x-rustfs-")) return true;
  return name.find('_') != std::string_view::npos && !name.starts_with(kMetadata);
}

// MinIO wants "true" in lower case. What else may be meant is not worth a guess.
bool unpacks(const http::Field& field) noexcept {
  return field.name.size() == kUnpack.size() &&
         std::ranges::equal(field.name, kUnpack, {}, with_dash) &&
         !http::equals_ignoring_case(field.value, "false");
}

}  // namespace tercel::gateway
