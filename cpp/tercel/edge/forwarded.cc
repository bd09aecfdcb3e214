#include "tercel/edge/forwarded.h"

#include <algorithm>

#include "tercel/base/parse_number.h"
#include "tercel/http/chars.h"

namespace tercel::edge {
namespace {

constexpr std::uint64_t kPortMax = 65535;
constexpr std::size_t kPortDigitsMax = 5;
constexpr http::CharSet kObfuscated{"._-", true};
constexpr http::CharSet kUnquoted{"!#$%&'*+-.^_`|~:[]", true};
constexpr http::CharSet kPrefix{"-._~!$&'()*+,;=:@/", true};

// "_" and at least one of its characters. Source: RFC 7239 section 6.3.
bool is_obfuscated(std::string_view text) noexcept {
  if (text.size() < 2 || text.front() != '_') return false;
  text.remove_prefix(1);
  return std::all_of(text.begin(), text.end(), [](char c) { return kObfuscated.has(c); });
}

std::optional<std::uint16_t> parse_port(std::string_view text) noexcept {
  if (is_obfuscated(text)) return 0;
  if (text.size() > kPortDigitsMax) return std::nullopt;
  const auto port = parse_decimal(text, kPortMax);
  return port ? std::optional{static_cast<std::uint16_t>(*port)} : std::nullopt;
}

// An address without a port.
std::optional<Address> parse_name(std::string_view text) noexcept {
  if (http::equals_ignoring_case(text, "unknown") || is_obfuscated(text)) return Address{};
  const auto address = parse_ip(text, 0);
  return address ? std::optional{without_mapping(*address)} : std::nullopt;
}

// Takes a value, quoted or not, off the front of `text`.
std::optional<std::string_view> take_value(std::string_view& text) noexcept {
  const bool quoted = text.starts_with('"');
  if (quoted) text.remove_prefix(1);
  const auto stop =
      quoted ? std::find(text.begin(), text.end(), '"')
             : std::find_if_not(text.begin(), text.end(), [](char c) { return kUnquoted.has(c); });
  const std::string_view value = text.substr(0, static_cast<std::size_t>(stop - text.begin()));
  text.remove_prefix(value.size());
  if (!quoted) return value.empty() ? std::nullopt : std::optional{value};
  if (text.empty() || value.find('\\') != std::string_view::npos) return std::nullopt;
  text.remove_prefix(1);
  return value;
}

// Where to keep the parameter `name`, or null: it means nothing to us.
std::string_view* place_of(std::string_view name, ForwardedElement& element) noexcept {
  if (http::equals_ignoring_case(name, "for")) return &element.client;
  if (http::equals_ignoring_case(name, "proto")) return &element.proto;
  if (http::equals_ignoring_case(name, "host")) return &element.host;
  return nullptr;
}

}  // namespace

bool LastFirst::next_field() noexcept {
  while (!fields_.empty()) {
    const http::Field& field = fields_.back();
    fields_ = fields_.first(fields_.size() - 1);
    if (field.name != name_) continue;
    rest_ = field.value;
    return true;
  }
  return false;
}

std::optional<std::string_view> LastFirst::next() noexcept {
  while (!rest_.empty() || next_field()) {
    std::size_t start = rest_.size();
    for (bool quoted = false; start > 0; --start) {
      const char c = rest_[start - 1];
      if (c == ',' && !quoted) break;
      if (c == '"') quoted = !quoted;
    }
    const std::string_view element = http::trim_blanks(rest_.substr(start));
    rest_ = rest_.substr(0, start == 0 ? 0 : start - 1);
    if (!element.empty()) return element;
  }
  return std::nullopt;
}

std::optional<Address> parse_node(std::string_view text) noexcept {
  std::string_view port;
  const bool bracketed = text.starts_with('[');
  if (bracketed) {
    const std::size_t close = text.find(']');
    if (close == std::string_view::npos) return std::nullopt;
    port = text.substr(close + 1);
    text = text.substr(1, close - 1);
  } else if (const std::size_t colon = text.find(':'); colon == text.rfind(':')) {
    port = text.substr(std::min(colon, text.size()));
    text = text.substr(0, colon);
  }
  auto node = parse_name(text);
  if (!node || (bracketed && text.find(':') == std::string_view::npos)) return std::nullopt;
  if (port.empty()) return node;
  const auto number = port.front() == ':' ? parse_port(port.substr(1)) : std::nullopt;
  if (!number) return std::nullopt;
  if (node->kind != AddressKind::kNone) node->port = *number;
  return node;
}

std::optional<ForwardedElement> parse_forwarded(std::string_view element) noexcept {
  ForwardedElement found;
  while (true) {
    element = http::trim_blanks(element);
    if (element.empty()) return found;
    if (element.front() == ';') {  // Behind a parameter, or where one is left out.
      element.remove_prefix(1);
      continue;
    }
    const std::size_t equals = element.find('=');
    if (equals == std::string_view::npos) return std::nullopt;
    const std::string_view name = element.substr(0, equals);
    if (!http::is_token(name)) return std::nullopt;
    element.remove_prefix(equals + 1);
    const auto value = take_value(element);
    if (!value) return std::nullopt;
    if (std::string_view* place = place_of(name, found)) {
      if (place->data() != nullptr) return std::nullopt;
      *place = *value;
    }
    element = http::trim_blanks(element);
    if (!element.empty() && element.front() != ';') return std::nullopt;
  }
}

std::optional<std::string_view> parse_prefix(std::string_view text) noexcept {
  if (!text.starts_with('/')) return std::nullopt;
  const bool plain = std::all_of(text.begin(), text.end(), [](char c) { return kPrefix.has(c); });
  if (!plain) return std::nullopt;
  while (text.ends_with('/')) text.remove_suffix(1);
  for (std::string_view rest = text; !rest.empty();) {
    rest.remove_prefix(1);
    const std::string_view segment = rest.substr(0, rest.find('/'));
    if (segment.empty() || segment == "." || segment == "..") return std::nullopt;
    rest.remove_prefix(segment.size());
  }
  return text;
}

}  // namespace tercel::edge
