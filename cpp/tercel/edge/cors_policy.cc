#include "tercel/edge/cors_policy.h"

#include <algorithm>
#include <utility>

#include "tercel/base/parse_number.h"
#include "tercel/http/chars.h"

namespace tercel::edge {
namespace {

constexpr std::string_view kAny = "*";
constexpr std::string_view kNull = "null";
constexpr std::string_view kAllowOrigin = "access-control-allow-origin";

using Sentence = std::optional<std::string>;

bool is_lower_or_digit(char c) noexcept {
  return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

bool all_of(std::string_view text, bool (*is)(char) noexcept) noexcept {
  return std::all_of(text.begin(), text.end(), is);
}

bool is_of_scheme(char c) noexcept {
  return is_lower_or_digit(c) || c == '+' || c == '-' || c == '.';
}

// Of a name or of an IPv4 address.
bool is_of_host(char c) noexcept {
  return is_lower_or_digit(c) || c == '-' || c == '.' || c == '_';
}

bool is_of_ipv6(char c) noexcept {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || c == ':' || c == '.';
}

bool is_host(std::string_view host) noexcept {
  if (host.starts_with('[') && host.ends_with(']')) {
    return host.size() > 2 && all_of(host.substr(1, host.size() - 2), is_of_ipv6);
  }
  if (host.starts_with("*.")) host.remove_prefix(2);
  return !host.empty() && !host.starts_with('.') && all_of(host, is_of_host);
}

Sentence wrong(std::string_view origin, std::string_view what) {
  return "The origin '" + std::string{origin} + "' of CORS " + std::string{what} + ".";
}

Sentence check_port(std::string_view origin, std::string_view scheme, std::string_view port) {
  const auto number = parse_decimal(port);
  if (!number || *number == 0 || *number > UINT16_MAX || port.starts_with('0')) {
    return wrong(origin, "has no port behind its colon: it is a number from 1 to 65535");
  }
  if ((scheme == "https" && *number == 443) || (scheme == "http" && *number == 80)) {
    return wrong(origin, "names the port of its scheme, which browsers leave out: leave it out");
  }
  return std::nullopt;
}

Sentence check_origin(std::string_view origin) {
  if (origin == kAny || origin == kNull) return std::nullopt;
  const std::size_t mark = origin.find("://");
  if (mark == 0 || mark == std::string_view::npos) {
    return wrong(origin, "has no scheme: write it as https://example.com");
  }
  const std::string_view scheme = origin.substr(0, mark);
  std::string_view host = origin.substr(mark + 3);
  if (host.find('/') != std::string_view::npos) {
    return wrong(origin, "has a path: an origin ends with its host, or its port");
  }
  if (origin.size() > CorsPolicy::kOriginBytesMax) return wrong(origin, "is too long");
  // That of an IPv6 address is behind its bracket.
  const std::size_t colon = host.find(':', host.starts_with('[') ? host.find(']') : 0);
  if (colon != std::string_view::npos) {
    if (auto problem = check_port(origin, scheme, host.substr(colon + 1))) return problem;
    host = host.substr(0, colon);
  }
  if (all_of(scheme, is_of_scheme) && is_host(host)) return std::nullopt;
  return wrong(origin,
               "is none that a browser sends: scheme and host in lower case, a name of other "
               "letters as xn--..., and * only as https://*.example.com");
}

Sentence check_names(const std::vector<std::string>& names, std::string_view what) {
  for (const std::string& name : names) {
    if (http::is_token(name)) continue;
    return "'" + name + "' is no name of a " + std::string{what} + ", which CORS is to allow.";
  }
  return std::nullopt;
}

Sentence check_patterns(const std::vector<std::string>& names) {
  for (const std::string& name : names) {
    const std::size_t star = name.find('*');
    if (star == std::string::npos || star + 1 == name.size()) continue;
    return "'" + name + "' is no pattern of header fields for CORS: the * is its last letter.";
  }
  return check_names(names, "header field");
}

bool begins_with(std::string_view name, std::string_view beginning) noexcept {
  return http::equals_ignoring_case(name.substr(0, beginning.size()), beginning);
}

bool has(const std::vector<std::string>& all, std::string_view one) {
  return std::find(all.begin(), all.end(), one) != all.end();
}

std::string_view value_of(const http::Request& request, std::string_view name) noexcept {
  const http::Field* const field = http::find_field(request.fields, name);
  return field != nullptr ? field->value : std::string_view{};
}

std::string join(const std::vector<std::string>& names) {
  if (has(names, kAny)) return std::string{kAny};
  std::string all;
  for (const std::string& name : names) {
    if (!all.empty()) all += ", ";
    all += name;
  }
  return all;
}

}  // namespace

Sentence CorsPolicy::problem_of(const CorsOptions& options) {
  if (options.origins.empty()) return "CORS allows no origin: name some, or leave it out.";
  for (const std::string& origin : options.origins) {
    if (auto problem = check_origin(origin)) return problem;
  }
  const bool any = has(options.origins, kAny);
  if (any && options.origins.size() > 1) {
    return "CORS allows the origin * and others: name it alone, or leave it out.";
  }
  if (options.credentials && (any || has(options.origins, kNull))) {
    return "CORS with credentials does not go with the origin " + std::string{any ? kAny : kNull} +
           ": any page could act as whoever looks at it; name the origins that are yours.";
  }
  if (auto problem = check_names(options.methods, "method")) return problem;
  if (auto problem = check_patterns(options.headers)) return problem;
  if (auto problem = check_patterns(options.expose)) return problem;
  if (options.credentials && has(options.expose, kAny)) {
    return "CORS with credentials exposes no '*', which browsers take for a name then: name the "
           "fields.";
  }
  if (options.max_age_seconds <= kMaxAgeSecondsMax) return std::nullopt;
  return "The maximum age of CORS is " + std::to_string(options.max_age_seconds) +
         " seconds: no browser keeps an answer for longer than " +
         std::to_string(kMaxAgeSecondsMax) + ".";
}

CorsPolicy::CorsPolicy(const CorsOptions& options)
    : method_names_{options.methods},
      methods_{join(options.methods)},
      headers_{options.headers},
      expose_{options.expose},
      max_age_{std::to_string(options.max_age_seconds)},
      any_{has(options.origins, kAny)},
      credentials_{options.credentials},
      private_network_{options.private_network} {
  for (const std::string& origin : options.origins) {
    const std::size_t star = origin.find('*');
    if (star == std::string::npos) {
      exact_.push_back(origin);
    } else if (!any_) {
      below_.push_back({.before = origin.substr(0, star), .behind = origin.substr(star + 1)});
    }
  }
}

std::string_view CorsPolicy::allow(std::string_view origin) const noexcept {
  if (any_) return kAny;
  if (const auto found = std::find(exact_.begin(), exact_.end(), origin); found != exact_.end()) {
    return *found;
  }
  if (origin.size() > kOriginBytesMax) return {};
  const auto matches = [origin](const Below& below) {
    const std::size_t fixed = below.before.size() + below.behind.size();
    if (origin.size() <= fixed || !origin.starts_with(below.before)) return false;
    const std::string_view label = origin.substr(below.before.size(), origin.size() - fixed);
    return origin.ends_with(below.behind) && label.front() != '.' && all_of(label, is_of_host);
  };
  return std::any_of(below_.begin(), below_.end(), matches) ? origin : std::string_view{};
}

std::span<const http::Field> CorsPolicy::fields(std::string_view allowed,
                                                std::span<const http::Field> present,
                                                Room& room) const noexcept {
  auto& into = room.fields;
  std::size_t count = 0;
  if (!allowed.empty() && http::find_field(present, kAllowOrigin) == nullptr) {
    into[count++] = {kAllowOrigin, allowed};
    if (credentials_) into[count++] = {"access-control-allow-credentials", "true"};
    const std::string_view names = spell_out(present, room.names);
    if (!names.empty()) into[count++] = {"access-control-expose-headers", names};
  }
  if (any_) return std::span{into}.first(count);
  // Who keeps answers must not give that of one origin to another one.
  if (!varies_by_origin(present)) into[count++] = {"vary", "origin"};
  return std::span{into}.first(count);
}

bool varies_by_origin(std::span<const http::Field> fields) noexcept {
  return std::ranges::any_of(fields, [](const http::Field& field) {
    return http::equals_ignoring_case(field.name, "vary") &&
           (http::equals_ignoring_case(field.value, "origin") || field.value == "*");
  });
}

std::string_view CorsPolicy::spell_out(std::span<const http::Field> present,
                                       std::span<char> into) const noexcept {
  if (!expose_.has_patterns()) return expose_.joined();
  std::size_t used = 0;
  const auto add = [&](std::string_view text) {
    constexpr std::string_view kComma = ", ";
    const std::string_view comma = used != 0 ? kComma : std::string_view{};
    if (comma.size() + text.size() > into.size() - used) return;
    const auto end = std::ranges::copy(comma, into.begin() + static_cast<std::ptrdiff_t>(used)).out;
    std::ranges::copy(text, end);
    used += comma.size() + text.size();
  };
  if (!expose_.joined().empty()) add(expose_.joined());
  for (const http::Field& field : present) {
    if (expose_.is_of_pattern(field.name)) add(field.name);
  }
  return {into.data(), used};
}

CorsPolicy::Names::Names(const std::vector<std::string>& patterns)
    : any_{edge::has(patterns, kAny)} {
  std::vector<std::string> spelled_out;
  for (const std::string& pattern : patterns) {
    std::string lower = pattern;
    std::ranges::transform(lower, lower.begin(), http::to_lower);
    if (!any_ && lower.ends_with('*')) {
      lower.pop_back();
      beginnings_.push_back(std::move(lower));
    } else {
      exact_.push_back(std::move(lower));
      spelled_out.push_back(pattern);
    }
  }
  joined_ = join(spelled_out);
}

bool CorsPolicy::Names::is_of_pattern(std::string_view name) const noexcept {
  const auto begins = [name](const std::string& one) { return begins_with(name, one); };
  return std::ranges::any_of(beginnings_, begins);
}

bool CorsPolicy::Names::has(std::string_view name) const noexcept {
  const auto is = [name](const std::string& one) { return http::equals_ignoring_case(name, one); };
  return any_ || std::ranges::any_of(exact_, is) || is_of_pattern(name);
}

// Of a field whose elements are names. Source: RFC 9110 section 5.6.1.
bool CorsPolicy::Names::has_all(std::string_view list) const noexcept {
  while (!list.empty()) {
    std::string_view name = list.substr(0, list.find(','));
    list.remove_prefix(std::min(name.size() + 1, list.size()));
    while (name.starts_with(' ') || name.starts_with('\t')) name.remove_prefix(1);
    while (name.ends_with(' ') || name.ends_with('\t')) name.remove_suffix(1);
    if (!name.empty() && !has(name)) return false;
  }
  return true;
}

bool CorsPolicy::allows_method(std::string_view method) const noexcept {
  return methods_ == kAny || std::ranges::find(method_names_, method) != method_names_.end();
}

bool CorsPolicy::grants(const http::Request& preflight) const noexcept {
  return !allow(value_of(preflight, "origin")).empty() &&
         allows_method(value_of(preflight, "access-control-request-method")) &&
         headers_.has_all(value_of(preflight, "access-control-request-headers"));
}

bool CorsPolicy::is_preflight(const http::Request& request) noexcept {
  return request.method == "OPTIONS" && http::find_field(request.fields, "origin") != nullptr &&
         http::find_field(request.fields, "access-control-request-method") != nullptr;
}

std::span<const http::Field> CorsPolicy::preflight_fields(
    const http::Request& request,
    std::array<http::Field, kPreflightFieldsMax>& into) const noexcept {
  std::size_t count = 0;
  const auto asked = [&request](std::string_view name) { return value_of(request, name); };
  const auto add = [&](std::string_view name, std::string_view value) {
    if (!value.empty()) into[count++] = {name, value};
  };
  const std::string_view allowed = allow(asked("origin"));
  if (!allowed.empty()) {
    add(kAllowOrigin, allowed);
    if (credentials_) add("access-control-allow-credentials", "true");
    // Spelled out: with credentials, `*` is a name like others, and never is it Authorization.
    const bool spells_out =
        headers_.any() ||
        (headers_.has_patterns() && headers_.has_all(asked("access-control-request-headers")));
    add("access-control-allow-methods",
        methods_ == kAny ? asked("access-control-request-method") : methods_);
    add("access-control-allow-headers",
        spells_out ? asked("access-control-request-headers") : headers_.joined());
    add("access-control-max-age", max_age_);
    if (private_network_ && asked("access-control-request-private-network") == "true") {
      add("access-control-allow-private-network", "true");
    }
  }
  add("vary", "origin, access-control-request-method, access-control-request-headers");
  return std::span{into}.first(count);
}

}  // namespace tercel::edge
