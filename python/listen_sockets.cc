#include "python/listen_sockets.h"

#include <array>
#include <chrono>
#include <cstdint>
#include <utility>

#include <nanobind/stl/string.h>

#include "python/errors.h"
#include "tercel/config/bind.h"
#include "tercel/net/socket_address.h"
#include "tercel/net/syscalls.h"

namespace nb = nanobind;

namespace tercel::python {
namespace {

net::ListenOptions to_listen_options(const config::Settings& settings) noexcept {
  return {.backlog = static_cast<int>(settings.backlog),
          .reuse_port = settings.reuse_port,
          .unix_mode = settings.uds_mode.bits,
          .keepalive = std::chrono::ceil<std::chrono::seconds>(settings.tcp_keepalive),
          .user_timeout = settings.tcp_user_timeout,
          .fast_open = static_cast<int>(settings.tcp_fast_open)};
}

std::string host_of(const Address& address) {
  std::array<char, Address::kHostBytesMax> text;
  return std::string{address.host(text)};
}

std::vector<net::ListenSocket> only(net::ListenSocket socket) {
  std::vector<net::ListenSocket> sockets;
  sockets.push_back(std::move(socket));
  return sockets;
}

net::ListenSocket open_tcp(const config::Settings& settings, std::string_view host,
                           std::uint16_t port) {
  return or_throw(
      net::ListenSocket::tcp(net::system_calls(), host, port, to_listen_options(settings)));
}

// On every address of the name, on the same port.
std::vector<net::ListenSocket> open_by_name(const config::Settings& settings,
                                            const std::string& host, std::uint16_t port) {
  const nb::module_ socket = nb::module_::import_("socket");
  const nb::object found =
      socket.attr("getaddrinfo")(host, port, nb::arg("type") = socket.attr("SOCK_STREAM"),
                                 nb::arg("flags") = socket.attr("AI_PASSIVE"));
  std::vector<net::ListenSocket> sockets;
  for (const nb::handle entry : found) {
    const auto literal = nb::cast<std::string>(entry[4][0]);
    sockets.push_back(open_tcp(settings, literal, port));
    port = sockets.front().address().port;
  }
  return sockets;
}

}  // namespace

std::vector<net::ListenSocket> open_sockets(const config::Settings& settings,
                                            std::string_view bind) {
  const auto parsed = config::parse_bind(bind);
  if (!parsed) throw nb::value_error("bind is not an address to listen on");
  switch (parsed->kind) {
    case config::BindKind::kUnix:
      return only(or_throw(net::ListenSocket::unix_path(net::system_calls(), parsed->path,
                                                        to_listen_options(settings))));
    case config::BindKind::kDescriptor:
      return adopt_socket(settings, parsed->descriptor);
    case config::BindKind::kTcp:
      break;
  }
  if (net::parse_ip(parsed->host, parsed->port)) {
    return only(open_tcp(settings, parsed->host, parsed->port));
  }
  return open_by_name(settings, parsed->host, parsed->port);
}

std::vector<net::ListenSocket> adopt_socket(const config::Settings& settings, int descriptor) {
  return only(or_throw(
      net::ListenSocket::adopt(net::system_calls(), descriptor, to_listen_options(settings))));
}

std::string url_of(const net::ListenSocket& socket, const config::Settings& settings) {
  return socket.url(settings.ssl_certfile.empty() ? "http" : "https");
}

nb::object address_of(const net::ListenSocket& socket) {
  const Address& address = socket.address();
  if (address.kind == AddressKind::kUnix) return nb::cast(socket.path());
  return nb::make_tuple(host_of(address), address.port);
}

}  // namespace tercel::python
