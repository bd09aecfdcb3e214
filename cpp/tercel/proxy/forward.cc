#include "tercel/proxy/forward.h"

#include <array>

#include "tercel/base/address.h"

namespace tercel::proxy {
namespace {

constexpr std::string_view kFor = "x-forwarded-for";
constexpr std::string_view kProto = "x-forwarded-proto";
constexpr std::string_view kHost = "x-forwarded-host";
constexpr std::string_view kForwarded = "forwarded";
constexpr std::string_view kVia = "via";

std::string_view version_text(http::Version version) noexcept {
  switch (version) {
    case http::Version::kHttp10:
      return "1.0 ";
    case http::Version::kHttp11:
      return "1.1 ";
    case http::Version::kHttp2:
      return "2.0 ";
  }
  return "1.1 ";
}

// Ours alone, or behind those that came.
std::string_view element(Trail trail, const http::Request& from, std::string_view name,
                         std::string_view ours, FieldDraft& draft) noexcept {
  return trail == Trail::kAppend ? draft.list(from.fields, name, ours) : draft.text({ours});
}

}  // namespace

std::string_view origin_form(const http::Request& request, FieldDraft& draft) noexcept {
  if (request.target.empty() || request.target.front() == '/' || request.target == "*") {
    return request.target;
  }
  // Of an absolute target: behind its authority.
  if (request.query.empty()) return request.path;
  return draft.text({request.path, "?", request.query});
}

bool Forward::goes_on(std::string_view name) const noexcept {
  if (name == kForwarded) return options_.forwarded == Trail::kKeep;
  if (name == kFor || name == kProto || name == kHost) return options_.x_forwarded == Trail::kKeep;
  return name != kVia || options_.via.empty();
}

void Forward::add_trail(const http::Request& from, FieldDraft& draft) const noexcept {
  std::array<char, Address::kHostBytesMax> text;
  const std::string_view client =
      from.client != nullptr ? from.client->host(text) : std::string_view{};
  const std::string_view scheme = from.secure ? "https" : "http";
  if (options_.x_forwarded == Trail::kReplace || options_.x_forwarded == Trail::kAppend) {
    if (!client.empty()) draft.add(kFor, element(options_.x_forwarded, from, kFor, client, draft));
    draft.add(kProto, scheme);
    draft.add(kHost, from.authority);
  }
  if (options_.forwarded == Trail::kReplace || options_.forwarded == Trail::kAppend) {
    // RFC 7239 sections 4 and 6: what is no token is quoted, and so is IPv6, in brackets.
    const bool ipv6 = client.find(':') != std::string_view::npos;
    const std::string_view node = client.empty() ? draft.text({"unknown"})
                                  : ipv6         ? draft.text({"\"[", client, "]\""})
                                                 : draft.text({client});
    const std::string_view ours =
        draft.text({"for=", node, ";host=\"", from.authority, "\";proto=", scheme});
    draft.add(kForwarded, element(options_.forwarded, from, kForwarded, ours, draft));
  }
  if (!options_.via.empty()) {
    const std::string_view ours = draft.text({version_text(from.version), options_.via});
    draft.add(kVia, draft.list(from.fields, kVia, ours));
  }
}

Result<void> Forward::rewrite_request(const http::Request& from, Outgoing& to,
                                      FieldDraft& draft) noexcept {
  to.source = &source_;
  to.head.target = origin_form(from, draft);
  to.head.host = options_.keep_host && !from.authority.empty() ? from.authority
                                                               : std::string_view{options_.host};
  const ConnectionOptions of_connection{from.fields};
  for (const http::Field& field : from.fields) {
    if (goes_on(field.name) && !of_connection.has(field.name)) draft.add(field.name, field.value);
  }
  add_trail(from, draft);
  to.head.fields = draft.fields();
  return {};
}

Result<void> Forward::rewrite_response(const http::ResponseHead& from, http::Response& to,
                                       FieldDraft& draft) noexcept {
  const ConnectionOptions of_connection{from.fields};
  for (const http::Field& field : from.fields) {
    if (of_connection.has(field.name)) continue;
    if (field.name != kVia || options_.via.empty()) draft.add(field.name, field.value);
  }
  if (!options_.via.empty()) {
    const std::string_view ours = draft.text({version_text(from.version), options_.via});
    draft.add(kVia, draft.list(from.fields, kVia, ours));
  }
  to.fields = draft.fields();
  return {};
}

}  // namespace tercel::proxy
