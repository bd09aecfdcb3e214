#include "tercel/api/negotiation.h"

#include <algorithm>
#include <utility>

#include "tercel/base/assert.h"
#include "tercel/http/accept.h"

namespace tercel::api {

Negotiation::Negotiation(std::vector<std::string> names) : names_{std::move(names)} {
  std::erase_if(names_, [](const std::string& name) { return !http::parse_media_type(name); });
  names_.resize(std::min(names_.size(), http::kOffersMax));
  TERCEL_ASSERT(!names_.empty());
  for (const std::string& name : names_) {
    types_.push_back(*http::parse_media_type(name));
    detail_ += (detail_.empty() ? "The answer is " : " or ") + name;
  }
  detail_ += ", and Accept takes none of them.";
}

std::optional<std::size_t> Negotiation::choose(const http::Request& request) const noexcept {
  return http::choose_media_type(request.fields, types_);
}

}  // namespace tercel::api
