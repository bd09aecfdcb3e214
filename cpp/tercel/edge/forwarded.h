// Reads what proxies write about the client: X-Forwarded-* fields and the Forwarded field.
//
//   LastFirst elements{request.fields, "x-forwarded-for"};
//   while (auto element = elements.next()) {
//     const auto node = parse_node(*element);  // The peer's own entry first.
//
// Each proxy appends to the end, so lists are read from there: an element is split off without a
// look at anything before it, and a client, which writes the beginning, cannot change how the
// elements behind are understood. What is malformed is nothing, never a guess. Views are into the
// fields. Cost: linear in the bytes that are read.
// Source: RFC 7239 sections 4 to 6; for X-Forwarded-*, custom. Tested by forwarded_test.cc, fuzzed
// by forwarded_fuzz.cc.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string_view>

#include "tercel/base/address.h"
#include "tercel/http/message.h"

namespace tercel::edge {

// The elements of a list from the last one of the last field to the first one of the first: without
// blanks around them, and without empty ones. A comma in a quoted string does not end an element;
// one whose quotes do not match reaches to the start of its field.
class LastFirst {
 public:
  // `name` is in lower case.
  LastFirst(std::span<const http::Field> fields, std::string_view name) noexcept
      : fields_{fields}, name_{name} {}
  // Nothing: there are no more.
  [[nodiscard]] std::optional<std::string_view> next() noexcept;

 private:
  [[nodiscard]] bool next_field() noexcept;

  std::span<const http::Field> fields_;  // That were not looked at.
  std::string_view name_;
  std::string_view rest_;  // Of the current field.
};

// One end of a connection, as a proxy names it: an IP address, an IPv6 one perhaps in brackets, and
// perhaps a port: "192.0.2.1", "192.0.2.1:80", "2001:db8::1", "[2001:db8::1]:80". Port 0: it is not
// told, or obfuscated ("_x"). An address that is not told ("unknown") or obfuscated is kNone. An
// IPv4 address in IPv6 form becomes IPv4. Nothing: malformed.
[[nodiscard]] std::optional<Address> parse_node(std::string_view text) noexcept;

// What one element of Forwarded says; a parameter that is absent is empty.
struct ForwardedElement {
  std::string_view client;  // for=
  std::string_view proto;
  std::string_view host;
};
// Quoted strings lose their quotes. One with a backslash is malformed: no value that we want needs
// one. So are an unknown form, and a parameter that comes twice. An unquoted value may hold the
// ":",
// "[" and "]" of an address, which RFC 7239 wants quoted and some proxies do not quote.
[[nodiscard]] std::optional<ForwardedElement> parse_forwarded(std::string_view element) noexcept;

// A prefix that can be put in front of a path: "/", then letters, digits and "-._~!$&'()*+,;=:@/",
// without empty, "." or ".." segments. Slashes at its end are taken off: "/api/" is "/api", and "/"
// empty. Nothing: malformed.
[[nodiscard]] std::optional<std::string_view> parse_prefix(std::string_view text) noexcept;

}  // namespace tercel::edge
