#include "tercel/s3/resource.h"

#include <algorithm>

#include "tercel/base/assert.h"
#include "tercel/base/percent.h"
#include "tercel/base/utf8.h"
#include "tercel/http/chars.h"

namespace tercel::s3 {
namespace {

constexpr std::size_t kBucketBytesMin = 3;

constexpr bool in_label(char c) noexcept {
  return http::is_lower(c) || http::is_digit(c);
}

bool looks_like_ipv4(std::string_view name) noexcept {
  return std::count(name.begin(), name.end(), '.') == 3 &&
         name.find_first_not_of("0123456789.") == std::string_view::npos;
}

// Without port and without the dot of a fully qualified name. An IPv6 literal is none of a domain.
std::string_view name_of(std::string_view host) noexcept {
  if (!host.starts_with('[')) host = host.substr(0, host.find(':'));
  if (host.ends_with('.')) host.remove_suffix(1);
  return host;
}

// What is before ".domain"; empty: `host` is that domain; nothing: it is elsewhere.
std::optional<std::string_view> under(std::string_view host, std::string_view domain) noexcept {
  if (domain.empty() || host.size() < domain.size()) return std::nullopt;
  const std::size_t before = host.size() - domain.size();
  if (!http::equals_ignoring_case(host.substr(before), domain)) return std::nullopt;
  if (before == 0) return std::string_view{};
  if (host[before - 1] != '.') return std::nullopt;
  return host.substr(0, before - 1);
}

// The bucket that the host names; empty: it names none.
std::string_view bucket_of_host(std::string_view host,
                                std::span<const std::string_view> domains) noexcept {
  std::optional<std::string_view> shortest;
  for (const std::string_view domain : domains) {
    const auto bucket = under(host, domain);
    if (bucket && (!shortest || bucket->size() < shortest->size())) shortest = bucket;
  }
  return shortest.value_or(std::string_view{});
}

}  // namespace

bool valid_bucket_name(std::string_view name) noexcept {
  if (name.size() < kBucketBytesMin || name.size() > kBucketBytesMax) return false;
  if (!in_label(name.front()) || !in_label(name.back())) return false;
  for (const char c : name) {
    if (!in_label(c) && c != '-' && c != '.') return false;
  }
  return name.find("..") == std::string_view::npos && !looks_like_ipv4(name);
}

std::optional<ErrorCode> read_resource(std::string_view host, std::string_view path,
                                       std::span<const std::string_view> domains,
                                       std::span<char> memory, Resource& resource) noexcept {
  TERCEL_ASSERT(memory.size() >= kResourceMemoryBytes);
  if (!path.starts_with('/') || !valid_percent_encoding(path)) return ErrorCode::kInvalidURI;
  path.remove_prefix(1);

  resource = {};
  const std::string_view in_host = bucket_of_host(name_of(host), domains);
  if (!in_host.empty()) {
    resource.style = AddressingStyle::kVirtual;
    if (in_host.size() > kBucketBytesMax) return ErrorCode::kInvalidBucketName;
    std::transform(in_host.begin(), in_host.end(), memory.begin(), http::to_lower);
    resource.bucket = {memory.data(), in_host.size()};
    resource.raw_key = path;
  } else {
    if (path.empty()) return std::nullopt;
    const std::size_t slash = std::min(path.find('/'), path.size());
    const std::string_view raw_bucket = path.substr(0, slash);
    if (raw_bucket.size() > 3 * kBucketBytesMax) return ErrorCode::kInvalidBucketName;
    resource.bucket = percent_decode(raw_bucket, memory.first(3 * kBucketBytesMax));
    resource.raw_key = path.substr(std::min(slash + 1, path.size()));
  }
  if (!valid_bucket_name(resource.bucket)) return ErrorCode::kInvalidBucketName;
  if (resource.raw_key.size() > 3 * kKeyBytesMax) return ErrorCode::kKeyTooLongError;
  resource.key = percent_decode(resource.raw_key, memory.subspan(3 * kBucketBytesMax));
  if (resource.key.size() > kKeyBytesMax) return ErrorCode::kKeyTooLongError;
  if (!is_utf8(resource.key)) return ErrorCode::kInvalidURI;
  return std::nullopt;
}

}  // namespace tercel::s3
