#include "tercel/gateway/known_redirects.h"

#include <algorithm>
#include <utility>

namespace tercel::gateway {
namespace {

bool same(const SharedConst<Config>& one, const SharedConst<Config>& other) noexcept {
  return one && other && &*one == &*other;
}

}  // namespace

SharedConst<Backend> KnownRedirects::find(const SharedConst<Config>& config,
                                          std::string_view bucket,
                                          std::chrono::nanoseconds now) noexcept {
  if (!same(config, config_)) return {};  // Of a request that began with another one, too.
  const auto found = std::ranges::find(entries_, bucket, &Entry::bucket);
  if (found == entries_.end()) return {};
  if (now < found->until) return found->elsewhere;
  entries_.erase(found);
  return {};
}

SharedConst<Backend> KnownRedirects::add(const SharedConst<Config>& config, std::string_view bucket,
                                         Backend elsewhere, For how_long,
                                         std::chrono::nanoseconds now) {
  if (!same(config, config_)) {
    entries_.clear();
    config_ = config;
  }
  SharedConst<Backend> shared{std::move(elsewhere)};
  Entry entry{std::string{bucket}, shared, now + (how_long == For::kGood ? kGood : kNow)};
  auto place = std::ranges::find(entries_, bucket, &Entry::bucket);
  if (place == entries_.end() && entries_.size() == kBucketsMax) {
    place = std::ranges::min_element(entries_, {}, &Entry::until);
  }
  if (place == entries_.end()) {
    entries_.push_back(std::move(entry));
  } else {
    *place = std::move(entry);
  }
  return shared;
}

void KnownRedirects::forget(const Backend& elsewhere) noexcept {
  std::erase_if(entries_,
                [&elsewhere](const Entry& entry) { return &*entry.elsewhere == &elsewhere; });
}

}  // namespace tercel::gateway
