#include "tercel/gateway/redirect.h"

#include <algorithm>
#include <string>

#include "tercel/base/parse_number.h"
#include "tercel/http/chars.h"
#include "tercel/http/message.h"

namespace tercel::gateway {
namespace {

constexpr std::size_t kHostBytesMax = 253;
constexpr std::string_view kAmazon[] = {".amazonaws.com", ".amazonaws.com.cn"};

constexpr bool in_label(char c) noexcept {
  return http::is_lower(c) || http::is_digit(c) || c == '-';
}

bool is_label(std::string_view text) noexcept {
  return !text.empty() && text.size() <= 63 && std::ranges::all_of(text, in_label) &&
         text.front() != '-' && text.back() != '-';
}

bool is_host(std::string_view text) noexcept {
  if (text.empty() || text.size() > kHostBytesMax) return false;
  while (!text.empty()) {
    const std::size_t dot = std::min(text.find('.'), text.size());
    if (!is_label(text.substr(0, dot)) || dot + 1 == text.size()) return false;
    text.remove_prefix(std::min(dot + 1, text.size()));
  }
  return true;
}

// Whether `host` is below `domain`, or is it.
bool is_in(std::string_view host, std::string_view domain) noexcept {
  if (domain.empty() || !host.ends_with(domain)) return false;
  return host.size() == domain.size() || host[host.size() - domain.size() - 1] == '.';
}

struct Place {
  std::string host;
  std::uint16_t port = 0;
};

// Of "scheme://host[:port][/...]", with the scheme of the backend.
std::optional<Place> place_of(std::string_view location, const Backend& backend) {
  const std::string_view scheme = backend.secure ? "https://" : "http://";
  if (location.size() < scheme.size() ||
      !http::equals_ignoring_case(location.substr(0, scheme.size()), scheme)) {
    return std::nullopt;
  }
  location.remove_prefix(scheme.size());
  const std::string_view authority = location.substr(0, location.find_first_of("/?#"));
  const std::size_t colon = std::min(authority.find(':'), authority.size());
  Place place{std::string{authority.substr(0, colon)}, 0};
  std::ranges::transform(place.host, place.host.begin(), http::to_lower);
  place.port = backend.secure ? 443 : 80;
  if (colon != authority.size()) {
    const auto port = parse_decimal(authority.substr(colon + 1), 65'535);
    if (!port) return std::nullopt;
    place.port = static_cast<std::uint16_t>(*port);
  }
  return is_host(place.host) ? std::optional{std::move(place)} : std::nullopt;
}

// The domain of Amazon that the host is below; empty: of none.
std::string_view amazon_of(std::string_view host) noexcept {
  for (const std::string_view domain : kAmazon) {
    if (host.ends_with(domain)) return domain;
  }
  return {};
}

// The region in "s3.REGION", "s3-REGION" or "s3.dualstack.REGION", empty for "s3". Nothing: there
// are hosts of others below that domain, whose names they choose.
std::optional<std::string_view> region_of(std::string_view name) noexcept {
  if (name == "s3") return std::string_view{};
  for (const std::string_view begin : {"s3.dualstack.", "s3.", "s3-"}) {
    if (!name.starts_with(begin)) continue;
    const std::string_view region = name.substr(begin.size());
    return is_label(region) ? std::optional{region} : std::nullopt;
  }
  return std::nullopt;
}

// The region of an endpoint of Amazon S3 below `domain`, as region_of().
std::optional<std::string_view> region_below(std::string_view host,
                                             std::string_view domain) noexcept {
  if (domain.empty() || !host.ends_with(domain)) return std::nullopt;
  return region_of(host.substr(0, host.size() - domain.size()));
}

bool may_go(std::string_view host, const Backend& backend) noexcept {
  if (host == backend.host || is_in(host, backend.redirects)) return true;
  const std::string_view domain = amazon_of(backend.host);
  return region_below(backend.host, domain) && region_below(host, domain);
}

std::string_view value_of(const http::ResponseHead& head, std::string_view name) noexcept {
  const http::Field* const field = http::find_field(head.fields, name);
  return field != nullptr ? field->value : std::string_view{};
}

}  // namespace

std::optional<Backend> redirect_of(const http::ResponseHead& head, const Backend& backend,
                                   std::string_view bucket) {
  if (head.status != 301 && head.status != 307) return std::nullopt;
  const std::string_view domain = amazon_of(backend.host);
  std::string_view region = value_of(head, "x-amz-bucket-region");
  if (!is_label(region)) region = {};

  Backend elsewhere = backend;
  const std::string_view location = value_of(head, "location");
  if (!location.empty()) {
    auto place = place_of(location, backend);
    if (!place || place->port != backend.port) return std::nullopt;
    elsewhere.host = std::move(place->host);
    const std::string label = std::string{bucket} + '.';
    elsewhere.style = Style::kPath;
    if (!bucket.empty() && elsewhere.host.starts_with(label)) {
      elsewhere.host.erase(0, label.size());
      elsewhere.style = Style::kVirtual;
    }
  } else if (head.status == 301 && !region.empty() && region_below(backend.host, domain)) {
    elsewhere.host = "s3." + std::string{region}.append(domain);
  }
  if (!may_go(elsewhere.host, backend)) return std::nullopt;
  if (region.empty()) {
    // "external-1" is none.
    const std::string_view named = region_below(elsewhere.host, domain).value_or("");
    if (std::ranges::count(named, '-') >= 2) region = named;
  }
  if (!region.empty()) elsewhere.region = region;
  const bool same = elsewhere.host == backend.host && elsewhere.region == backend.region &&
                    elsewhere.style == backend.style;
  if (same) return std::nullopt;
  if (elsewhere.host != backend.host) {
    elsewhere.pool_key += " at " + elsewhere.host;
    elsewhere.sent_on = true;
    elsewhere.health = {};  // Nobody looks at it, and it goes with the request.
  }
  return elsewhere;
}

}  // namespace tercel::gateway
