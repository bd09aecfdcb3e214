// Invariants: whatever a client wrote, the element that the proxy appended is the one believed; the
// parts that are found lie in the input; a node and a prefix are written back to themselves.
#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "tercel/edge/proxy_headers.h"

namespace {

using namespace tercel;

constexpr Address kPeer{.ip = {127, 0, 0, 1}, .port = 1, .kind = AddressKind::kIpv4};
constexpr Address kClient{.ip = {192, 0, 2, 1}, .kind = AddressKind::kIpv4};

// The client that a list in the field `name` tells of.
Address client_of(const std::string& name, std::string_view list) {
  edge::ProxyRules rules;
  std::string problem;
  if (!rules.trusted.add("127.0.0.1,10.0.0.0/8")) __builtin_trap();
  rules.fields = *edge::ForwardedFields::parse({&name, 1}, problem);
  const edge::ProxyHeaders headers{std::move(rules)};
  std::array<http::Field, 2> fields{{{"host", "inner"}, {name, list}}};
  const http::Endpoints ends{.peer = kPeer, .local = {}};
  http::Request request;
  request.fields = fields;
  request.client = &ends.peer;
  Address client;
  headers.amend(request, fields, ends, client);
  return *request.client;
}

void check_parts(std::string_view text) {
  if (const auto node = edge::parse_node(text); node && node->kind != AddressKind::kNone) {
    std::array<char, Address::kHostBytesMax> host;
    std::string again{node->host(host)};
    if (node->kind == AddressKind::kIpv6) again = '[' + again + ']';
    if (edge::parse_node(again + ':' + std::to_string(node->port)) != node) __builtin_trap();
  }
  if (const auto prefix = edge::parse_prefix(text)) {
    if (edge::parse_prefix(std::string{*prefix} + '/') != prefix) __builtin_trap();
    if (prefix->find("//") != std::string_view::npos) __builtin_trap();
  }
  if (const auto element = edge::parse_forwarded(text)) {
    for (const std::string_view part : {element->client, element->proto, element->host}) {
      if (part.data() == nullptr) continue;
      if (part.data() < text.data() || part.end() > text.end()) __builtin_trap();
      if (part.find_first_of("\"\\") != std::string_view::npos) __builtin_trap();
    }
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text{reinterpret_cast<const char*>(data), size};
  check_parts(text);
  (void)client_of("x-forwarded-for", text);
  (void)client_of("forwarded", text);
  if (client_of("x-forwarded-for", text + ", 192.0.2.1") != kClient) __builtin_trap();
  if (client_of("forwarded", text + ", for=192.0.2.1") != kClient) __builtin_trap();
  return 0;
}
