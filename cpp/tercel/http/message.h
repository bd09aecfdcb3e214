// What a request and a response are, whatever version of HTTP carried them.
//
// All views point into memory of the caller's; each use says how long they hold.
// Source: RFC 9110. Tested by message_test.cc.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "tercel/base/address.h"

namespace tercel::http {

enum class Version : std::uint8_t { kHttp10, kHttp11, kHttp2 };

// The field in which a trusted proxy named the client.
enum class NamedIn : std::uint8_t { kNothing, kXForwardedFor, kXRealIp, kForwarded };

// One header or trailer field. `name` of a request is in lower case; `value` has no white space
// around it.
struct Field {
  std::string_view name;
  std::string_view value;
};

// The first field of that name, in whatever case it is; null: there is none. REQUIRES: `name` is in
// lower case. Cost: linear.
[[nodiscard]] const Field* find_field(std::span<const Field> fields,
                                      std::string_view name) noexcept;

// Connection, Keep-Alive, Proxy-Connection, TE, Transfer-Encoding, Upgrade: for one connection, not
// for whoever is behind it. `name` in lower case. What a Connection field lists is so, too.
[[nodiscard]] bool is_of_connection(std::string_view name) noexcept;

// A request whose head is complete. Valid during Handler::handle() only: copy what must live
// longer.
struct Request {
  std::string_view method;
  std::string_view target;  // As received: origin, absolute, or asterisk form.
  std::string_view path;    // Still percent-encoded, without query; "*" for the asterisk form.
  std::string_view query;   // After the first '?', percent-encoded; empty when there is none.
  // Host and port: of an absolute-form target, else the Host field, which a trusted proxy may have
  // corrected. The Host field, if there is one, has the same value.
  std::string_view authority;
  // Prefix that a trusted proxy took off the path, "/prefix"; empty: it named none.
  std::string_view root_path;
  // In the order of arrival; a Host field that the target stands for is the last on HTTP/1.0, and
  // the first on HTTP/2.
  std::span<const Field> fields;
  std::optional<std::uint64_t> content_length;  // Absent: no body, or one of unknown length.
  // What the client asks to switch to, so that a start() with 101 makes the exchange a tunnel:
  // "websocket", a literal. Empty: nothing that the engine knows how to switch to.
  std::string_view protocol;
  // Who asks: the peer of the connection, or whom a trusted proxy names. Port 0: not known; kNone:
  // the proxy does not say who.
  const Address* client = nullptr;
  Version version = Version::kHttp11;
  NamedIn named_in = NamedIn::kNothing;  // Of `client`.
  bool secure = false;            // Scheme https: the connection is encrypted, or the proxy's was.
  bool has_body = false;          // False: read_body() reports the end at once.
  bool accepts_trailers = false;  // The client sent `TE: trailers`.
};

// The head of a response. Views are read during Exchange::start() only.
struct Response {
  std::uint16_t status = 200;
  std::span<const Field> fields;  // Names in any case; written in lower case.
  bool trailers = false;          // finish() will follow the body with trailer fields.
  std::string_view reason = {};   // Of HTTP/1's status line; empty: the usual one.
};

}  // namespace tercel::http
