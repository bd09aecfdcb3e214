// Tells who the client is when proxies stand before the server.
//
//   ProxyHeaders proxies{{.trusted = peers, .fields = *ForwardedFields::parse(texts, problem)}};
//   context.amender = &proxies;
//
// What a field says is believed only if the peer of the connection is trusted, and the field is one
// that the operator named: a proxy passes on what it does not know, so of any other field nobody
// can tell whether the proxy wrote it or the client. Fields are left as they are.
//
// The client. X-Forwarded-For and Forwarded list the hops, the latest last. From there, each
// address is believed as long as the one behind it is trusted: the client is the first that is not,
// or the first of the list if all are. A malformed element ends the walk at the hop that reported
// it: what stands before it is not looked at. "unknown" and an obfuscated name end it too, and the
// client is then nobody (AddressKind::kNone), rather than the proxy, whose address may open doors.
// After kHopsMax the walk stops. X-Real-IP is one address: that of the last such field.
//
// Scheme, host and prefix. Those of the hop that reported the client: from Forwarded those of its
// element, from X-Forwarded-* the elements at the same place, counted from the end, or the first
// ones of a shorter list. Elements there are of trusted proxies alone. http, https, ws and wss are
// schemes, a host is what the Host field may be (and replaces it), a prefix what parse_prefix()
// takes: anything else changes nothing.
//
// When no such field is there it costs some instructions a field, and never allocates.
// A value that loops may share. Source: docs/decisions/0011-who-asks.md.
// Tested by proxy_headers_test.cc.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "tercel/base/peer_set.h"
#include "tercel/edge/forwarded.h"
#include "tercel/http/amender.h"

namespace tercel::edge {

// Which fields are believed. A value.
class ForwardedFields {
 public:
  enum Name : std::uint8_t { kFor, kRealIp, kForwarded, kProto, kHost, kPrefix };

  // Each of `texts` is names, separated by commas. When one is unknown, or two of them tell the
  // same (the one that a proxy does not write would be the client's to write), returns nothing, and
  // `problem` completes the sentence "forwarded-headers ...".
  [[nodiscard]] static std::optional<ForwardedFields> parse(std::span<const std::string> texts,
                                                            std::string& problem);

  [[nodiscard]] bool has(Name name) const noexcept { return (names_ >> name & 1U) != 0; }
  // False for nearly all fields that have none of them. Inline, because it is asked for every
  // request: by the lengths of the names, and their first letter.
  [[nodiscard]] bool may_be_among(std::span<const http::Field> fields) const noexcept {
    for (const http::Field& field : fields) {
      const std::size_t bytes = field.name.size();
      if (bytes >= kLengths || (lengths_ >> bytes & 1U) == 0) continue;
      if (field.name[0] == 'x' || field.name[0] == 'f') return true;
    }
    return false;
  }
  // Those of them that `fields` have.
  [[nodiscard]] ForwardedFields among(std::span<const http::Field> fields) const noexcept;
  [[nodiscard]] bool empty() const noexcept { return names_ == 0; }

 private:
  static constexpr std::size_t kLengths = 32;

  std::uint32_t names_ = 0;    // A bit each.
  std::uint32_t lengths_ = 0;  // Of the names: a bit for each number of bytes.
};

struct ProxyRules {
  PeerSet trusted;
  ForwardedFields fields;
};

class ProxyHeaders final : public http::Amender {
 public:
  static constexpr std::size_t kHopsMax = 64;

  explicit ProxyHeaders(ProxyRules rules) noexcept : rules_{std::move(rules)} {}

  void amend(http::Request& request, std::span<http::Field> fields, const http::Endpoints& ends,
             Address& client) const noexcept override;

 private:
  struct Report;
  // amend(), once it is likely that there is something to believe.
  void believe(http::Request& request, std::span<http::Field> fields, const http::Endpoints& ends,
               Address& client) const noexcept;
  [[nodiscard]] Report read_list(std::span<const http::Field> fields) const noexcept;
  [[nodiscard]] Report read_forwarded(std::span<const http::Field> fields) const noexcept;
  [[nodiscard]] bool goes_on(const Address& hop, std::size_t hops) const noexcept;

  ProxyRules rules_;
};

}  // namespace tercel::edge
