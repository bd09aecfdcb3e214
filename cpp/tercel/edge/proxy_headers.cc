#include "tercel/edge/proxy_headers.h"

#include <algorithm>
#include <array>
#include <utility>

#include "tercel/http/chars.h"
#include "tercel/http/url.h"

namespace tercel::edge {
namespace {

// In the order of ForwardedFields::Name.
constexpr std::array<std::string_view, 6> kNames{"x-forwarded-for",  "x-real-ip",
                                                 "forwarded",        "x-forwarded-proto",
                                                 "x-forwarded-host", "x-forwarded-prefix"};

constexpr std::uint32_t bit(std::size_t number) noexcept {
  return 1U << number;
}

constexpr std::uint32_t kWhoAsks =
    bit(ForwardedFields::kFor) | bit(ForwardedFields::kRealIp) | bit(ForwardedFields::kForwarded);
constexpr std::uint32_t kInForwarded =
    bit(ForwardedFields::kForwarded) | bit(ForwardedFields::kProto) | bit(ForwardedFields::kHost);

bool more_than_one(std::uint32_t bits) noexcept {
  return (bits & (bits - 1)) != 0;
}

// The element of `name` at `place`, counted from the end, or the first one of a shorter list.
std::string_view element_at(std::span<const http::Field> fields, std::string_view name,
                            std::size_t place) noexcept {
  LastFirst elements{fields, name};
  std::string_view found;
  for (std::size_t i = 0; i <= place; ++i) {
    const auto element = elements.next();
    if (!element) break;
    found = *element;
  }
  return found;
}

// The last field of that name, whole.
std::optional<std::string_view> last_value(std::span<const http::Field> fields,
                                           std::string_view name) noexcept {
  const auto found = std::find_if(fields.rbegin(), fields.rend(),
                                  [name](const http::Field& field) { return field.name == name; });
  return found == fields.rend() ? std::nullopt : std::optional{found->value};
}

void set_scheme(http::Request& request, std::string_view scheme) noexcept {
  const auto is = [scheme](std::string_view name) {
    return http::equals_ignoring_case(scheme, name);
  };
  if (is("https") || is("wss")) request.secure = true;
  if (is("http") || is("ws")) request.secure = false;
}

void set_host(http::Request& request, std::span<http::Field> fields,
              std::string_view host) noexcept {
  if (!http::valid_authority(host)) return;
  request.authority = host;
  for (http::Field& field : fields) {
    if (field.name == "host") field.value = host;
  }
}

}  // namespace

std::optional<ForwardedFields> ForwardedFields::parse(std::span<const std::string> texts,
                                                      std::string& problem) {
  ForwardedFields all;
  std::uint32_t& names = all.names_;
  for (std::string_view text : texts) {
    while (!text.empty()) {
      const std::string_view name = http::next_element(text);
      const auto* const known = std::find_if(
          kNames.begin(), kNames.end(),
          [name](std::string_view one) { return http::equals_ignoring_case(name, one); });
      if (known == kNames.end()) {
        problem =
            "has a name that is not one of x-forwarded-for, x-real-ip, forwarded, "
            "x-forwarded-proto, x-forwarded-host, x-forwarded-prefix.";
        return std::nullopt;
      }
      names |= bit(static_cast<std::size_t>(known - kNames.begin()));
      all.lengths_ |= bit(known->size());
    }
  }
  const bool forwarded = (names & bit(kForwarded)) != 0;
  if (more_than_one(names & kWhoAsks) || (forwarded && more_than_one(names & kInForwarded))) {
    problem =
        "names two fields that say the same thing: a client could write the one that the proxy "
        "does not set. Leave one of them out.";
    return std::nullopt;
  }
  return all;
}

ForwardedFields ForwardedFields::among(std::span<const http::Field> fields) const noexcept {
  ForwardedFields found;
  for (const http::Field& field : fields) {
    for (std::size_t name = 0; name < kNames.size(); ++name) {
      if (field.name == kNames[name]) found.names_ |= bit(name) & names_;
    }
  }
  return found;
}

// What the fields say of the client. `hops` elements were believed; the last of them is the one
// that tells of it.
struct ProxyHeaders::Report {
  Address client{};
  std::size_t hops = 0;
  http::NamedIn field = http::NamedIn::kNothing;
  std::string_view scheme{};
  std::string_view host{};
};

bool ProxyHeaders::goes_on(const Address& hop, std::size_t hops) const noexcept {
  return hops < kHopsMax && hop.kind != AddressKind::kNone && rules_.trusted.contains(hop);
}

ProxyHeaders::Report ProxyHeaders::read_list(std::span<const http::Field> fields) const noexcept {
  Report report;
  LastFirst elements{fields, kNames[ForwardedFields::kFor]};
  do {
    const auto element = elements.next();
    const auto node = element ? parse_node(*element) : std::nullopt;
    if (!node) break;
    report.client = *node;
    ++report.hops;
  } while (goes_on(report.client, report.hops));
  return report;
}

ProxyHeaders::Report ProxyHeaders::read_forwarded(
    std::span<const http::Field> fields) const noexcept {
  Report report;
  LastFirst elements{fields, kNames[ForwardedFields::kForwarded]};
  do {
    const auto text = elements.next();
    const auto element = text ? parse_forwarded(*text) : std::nullopt;
    if (!element) break;
    const bool names_client = element->client.data() != nullptr;
    const auto node = names_client ? parse_node(element->client) : std::nullopt;
    if (names_client && !node) break;
    report.scheme = element->proto;
    report.host = element->host;
    if (!node) break;
    report.client = *node;
    ++report.hops;
  } while (goes_on(report.client, report.hops));
  return report;
}

void ProxyHeaders::amend(http::Request& request, std::span<http::Field> fields,
                         const http::Endpoints& ends, Address& client) const noexcept {
  if (rules_.fields.may_be_among(fields)) believe(request, fields, ends, client);
}

void ProxyHeaders::believe(http::Request& request, std::span<http::Field> fields,
                           const http::Endpoints& ends, Address& client) const noexcept {
  using Names = ForwardedFields;
  const ForwardedFields found = rules_.fields.among(fields);
  if (found.empty() || !rules_.trusted.contains(ends.peer)) return;
  Report report;
  if (found.has(Names::kForwarded)) {
    report = read_forwarded(fields);
    report.field = http::NamedIn::kForwarded;
  }
  if (found.has(Names::kFor)) {
    report = read_list(fields);
    report.field = http::NamedIn::kXForwardedFor;
  }
  if (found.has(Names::kRealIp)) {
    const auto node = parse_node(last_value(fields, kNames[Names::kRealIp]).value_or(""));
    if (node) report = {.client = *node, .hops = 1, .field = http::NamedIn::kXRealIp};
  }
  const std::size_t place = report.hops > 0 ? report.hops - 1 : 0;
  if (found.has(Names::kProto)) report.scheme = element_at(fields, kNames[Names::kProto], place);
  if (found.has(Names::kHost)) report.host = element_at(fields, kNames[Names::kHost], place);
  if (report.hops > 0) {
    client = report.client;
    request.client = &client;
    request.named_in = report.field;
  }
  set_scheme(request, report.scheme);
  if (!report.host.empty()) set_host(request, fields, report.host);
  if (found.has(Names::kPrefix)) {
    const auto text = element_at(fields, kNames[Names::kPrefix], place);
    request.root_path = parse_prefix(text).value_or(request.root_path);
  }
}

}  // namespace tercel::edge
