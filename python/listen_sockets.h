// From the setting `bind` to bound sockets, and what to call them.
//
// Throws what or_throw() does. Tested by test_server_object.py and test_process.py.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <nanobind/nanobind.h>

#include "tercel/config/settings.h"
#include "tercel/net/listen_socket.h"

namespace tercel::python {

// Sockets that listen on `bind`: one, or one for each address of a name, which is resolved,
// waiting.
[[nodiscard]] std::vector<net::ListenSocket> open_sockets(const config::Settings& settings,
                                                          std::string_view bind);
// Takes over the descriptor of a listening socket. It stays the caller's when this throws.
[[nodiscard]] std::vector<net::ListenSocket> adopt_socket(const config::Settings& settings,
                                                          int descriptor);

// What to open: "http://127.0.0.1:8000", "https://[::1]:8443", "unix:/run/app.sock".
[[nodiscard]] std::string url_of(const net::ListenSocket& socket, const config::Settings& settings);
// (host, port) of a TCP socket, the path of a Unix socket.
[[nodiscard]] nanobind::object address_of(const net::ListenSocket& socket);

}  // namespace tercel::python
