#include "tercel/config/bind.h"

#include "tercel/base/parse_number.h"

namespace tercel::config {
namespace {

constexpr std::string_view kUnixPrefix = "unix:";
constexpr std::string_view kDescriptorPrefix = "fd://";
constexpr std::uint64_t kDescriptorMax = 0x7FFF'FFFF;

std::optional<Bind> parse_tcp(std::string_view text) {
  const std::size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) return std::nullopt;
  const auto port = parse_decimal(text.substr(colon + 1), 65535);
  if (!port) return std::nullopt;
  std::string_view host = text.substr(0, colon);
  const bool bracketed = host.size() > 2 && host.front() == '[' && host.back() == ']';
  if (bracketed) host = host.substr(1, host.size() - 2);
  // A colon in the host means IPv6, and there the brackets tell it from the port.
  if (!valid_host(host) || bracketed != (host.find(':') != std::string_view::npos)) {
    return std::nullopt;
  }
  return Bind{.host = std::string{host}, .port = static_cast<std::uint16_t>(*port)};
}

}  // namespace

bool valid_host(std::string_view text) noexcept {
  constexpr std::string_view kAllowed =
      "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.-_:%";
  return !text.empty() && text.size() <= 255 &&
         text.find_first_not_of(kAllowed) == std::string_view::npos;
}

bool valid_unix_path(std::string_view text) noexcept {
  return !text.empty() && text.size() <= 107 && text.find('\0') == std::string_view::npos;
}

std::optional<Bind> parse_bind(std::string_view text) {
  if (text.starts_with(kUnixPrefix)) {
    text.remove_prefix(kUnixPrefix.size());
    if (!valid_unix_path(text)) return std::nullopt;
    return Bind{.kind = BindKind::kUnix, .path = std::string{text}};
  }
  if (text.starts_with(kDescriptorPrefix)) {
    const auto number = parse_decimal(text.substr(kDescriptorPrefix.size()), kDescriptorMax);
    if (!number) return std::nullopt;
    return Bind{.kind = BindKind::kDescriptor, .descriptor = static_cast<int>(*number)};
  }
  return parse_tcp(text);
}

std::string format(const Bind& bind) {
  switch (bind.kind) {
    case BindKind::kUnix:
      return std::string{kUnixPrefix} + bind.path;
    case BindKind::kDescriptor:
      return std::string{kDescriptorPrefix} + std::to_string(bind.descriptor);
    case BindKind::kTcp:
      break;
  }
  const bool ipv6 = bind.host.find(':') != std::string::npos;
  const std::string host = ipv6 ? '[' + bind.host + ']' : bind.host;
  return host + ':' + std::to_string(bind.port);
}

std::vector<Bind> binds(const Settings& settings) {
  std::vector<Bind> all;
  for (const std::string& text : settings.bind) {
    if (auto bind = parse_bind(text)) all.push_back(*std::move(bind));
  }
  if (!settings.uds.empty()) all.push_back({.kind = BindKind::kUnix, .path = settings.uds});
  if (!settings.fd.empty()) {
    if (auto bind = parse_bind(std::string{kDescriptorPrefix} + settings.fd)) {
      all.push_back(*std::move(bind));
    }
  }
  if (all.empty()) {
    all.push_back({.host = settings.host, .port = static_cast<std::uint16_t>(settings.port)});
  }
  return all;
}

}  // namespace tercel::config
