#include "tercel/gateway/buckets.h"

#include <algorithm>
#include <utility>

#include "tercel/gateway/glob.h"

namespace tercel::gateway {

std::optional<std::string> Buckets::add(std::string_view name, const Backend& backend) {
  if (name.empty() || name.size() > kPatternBytesMax || name.find('/') != std::string_view::npos) {
    return "a bucket is named by 1 to 255 bytes without '/', not \"" + std::string{name} + '"';
  }
  auto versioned = std::make_unique<Backend>(backend);
  give_secret_version(*versioned);
  any_cors_ |= !backend.cors.empty();
  std::unique_ptr<const Backend> copy = std::move(versioned);
  if (!is_glob(name)) {
    if (!exact_.try_emplace(std::string{name}, std::move(copy)).second) {
      return "the bucket \"" + std::string{name} + "\" is named twice";
    }
    names_.insert(std::ranges::lower_bound(names_, name), std::string{name});
    return std::nullopt;
  }
  if (patterns_.size() == kPatternsMax) return "there are at most 1024 patterns of buckets";
  if (std::ranges::find(patterns_, name, &Pattern::text) != patterns_.end()) {
    return "the bucket \"" + std::string{name} + "\" is named twice";
  }
  const std::size_t literal = literal_bytes(name);
  const auto place = std::ranges::find_if(
      patterns_, [&](const Pattern& other) { return other.literal_bytes < literal; });
  patterns_.insert(place, Pattern{std::string{name}, literal, std::move(copy)});
  return std::nullopt;
}

const Backend* Buckets::find(std::string_view bucket) const noexcept {
  if (const auto found = exact_.find(bucket); found != exact_.end()) return found->second.get();
  for (const Pattern& pattern : patterns_) {
    if (matches(pattern.text, bucket)) return pattern.backend.get();
  }
  return nullptr;
}

}  // namespace tercel::gateway
